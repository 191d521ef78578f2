import assert from 'node:assert/strict';
import { AuthService, GardenService, SessionsService, StatsService, client } from 'quintet-focusguard';

let token = '';
client.setConfig({ baseUrl: `${process.env.BASE_URL}/api`, auth: () => token });
const account = { username: 'typescript-focusguard', password: 'Harbor-Lantern-42' };

await AuthService.register({ body: { email: 'typescript@focusguard.example', ...account } });
const login = await AuthService.logIn({ body: account });
const renewed = await AuthService.refresh({ body: { refresh_token: login.refresh_token } });
token = renewed.access_token;

const session = await SessionsService.createSession({ body: { duration_min: 25 } });
const path = { session_id: session.id };
assert.deepEqual(await SessionsService.listSessions(), { sessions: [session], total: 1 });
assert.deepEqual(await SessionsService.readActiveSession(), session);
const completed = await SessionsService.updateSession({ path, body: { completed: true } });
assert.equal(completed.focus_min, 25);
const plant = await GardenService.createPlant({ body: { ...path, plant_type: 'fern' } });
assert.deepEqual(await GardenService.readPlantOfSession({ path }), plant);
assert.equal((await StatsService.readMyStats()).total_focus_min, 25);
await SessionsService.deleteSession({ path });
assert.equal((await SessionsService.listSessions()).total, 0);

await AuthService.logOut();
await assert.rejects(AuthService.readCurrentUser(), { name: 'ProblemError', status: 401 });
