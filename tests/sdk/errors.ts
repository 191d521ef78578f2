import assert from 'node:assert/strict';
import * as focusguard from 'quintet-focusguard';
import * as fullstack from 'quintet-fullstack';
import * as tasktracker from 'quintet-tasktracker';
import * as todo from 'quintet-todo';
import * as workspace from 'quintet-workspace';

const host = process.env.BASE_URL;
workspace.client.setConfig({ baseUrl: `${host}/api/v1` });
fullstack.client.setConfig({ baseUrl: `${host}/v1` });
tasktracker.client.setConfig({ baseUrl: `${host}/api/v1` });
focusguard.client.setConfig({ baseUrl: `${host}/api` });
todo.client.setConfig({ baseUrl: `${host}/api` });

async function thrown(call: Promise<unknown>): Promise<any> {
  const error = await call.then(() => assert.fail('nothing was thrown'), (reason: unknown) => reason);
  assert.ok(error instanceof Error);
  return error;
}

let error = await thrown(workspace.AuthService.logIn({ body: { email: 'nobody@quintet.example', password: 'wrong' } }));
assert.ok(error instanceof workspace.ProblemError);
assert.deepEqual([error.status, error.code], [401, 'invalid_credentials']);
assert.equal(error.message, error.body?.detail);

error = await thrown(fullstack.TagsService.listTags());
assert.ok(error instanceof fullstack.ProblemError);
assert.deepEqual([error.status, error.code], [401, error.body?.error_code]);
assert.equal(error.message, error.body?.detail);

error = await thrown(tasktracker.TasksService.listTasks());
assert.ok(error instanceof tasktracker.ProblemError);
assert.deepEqual([error.status, error.code], [401, error.body?.code]);

error = await thrown(focusguard.StatsService.readMyStats());
assert.ok(error instanceof focusguard.ProblemError);
assert.deepEqual([error.status, error.code], [401, error.body?.detail.error_code]);
assert.equal(error.message, error.body?.detail.message);

error = await thrown(todo.TasksService.listTasks({ path: { user_id: '1' } }));
assert.ok(error instanceof todo.ProblemError);
assert.deepEqual([error.status, error.code], [401, error.body?.error.code]);
assert.equal(error.message, error.body?.error.message);

// What is none of the server's answers, and no answer at all.
const proxy = async () => new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' });
error = await thrown(todo.TasksService.listTasks({ path: { user_id: '1' }, fetch: proxy }));
assert.ok(error instanceof todo.ProblemError);
assert.deepEqual([error.status, error.code, error.body, error.message], [502, undefined, undefined, 'Bad Gateway']);
error = await thrown(todo.TasksService.listTasks({ path: { user_id: '1' }, baseUrl: 'http://127.0.0.1:1' }));
assert.ok(error instanceof TypeError);
