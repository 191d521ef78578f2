import assert from 'node:assert/strict';
import { AuthService, TodosService, client } from 'quintet-workspace';

let token = '';
client.setConfig({ baseUrl: `${process.env.BASE_URL}/api/v1`, auth: () => token });
const account = { email: 'typescript@workspace.example', password: 'Harbor-Lantern-42' };

await AuthService.register({ body: { username: 'typescript-workspace', ...account } });
const tokens = await AuthService.logIn({ body: account });
token = tokens.access_token;

const todo = await TodosService.createTodo({ body: { title: 'Water the plants', due_date: '2027-03-01' } });
const path = { todo_id: todo.id };
assert.deepEqual(await TodosService.listTodos(), [todo]);
assert.deepEqual(await TodosService.readTodo({ path }), todo);
const changed = await TodosService.updateTodo({ path, body: { status: 'completed' } });
assert.equal(changed.status, 'completed');
assert.equal(changed.due_date, '2027-03-01');
await TodosService.deleteTodo({ path });
assert.deepEqual(await TodosService.listTodos({ query: { limit: 10 } }), []);

await AuthService.logOut();
await assert.rejects(AuthService.readMe(), { name: 'ProblemError', status: 401 });
token = tokens.refresh_token;
await AuthService.logOutRefresh();
await assert.rejects(AuthService.refresh(), { name: 'ProblemError', status: 401 });
