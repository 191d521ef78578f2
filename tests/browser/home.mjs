// Gets tokens on / as a newcomer would, and takes them to /docs.
import assert from 'node:assert/strict';
import { BASE_URL, DESK, PHONE, browser, faintTexts, fitsPhone, json, keepScreenshots, newReader } from './reader.mjs';

const { USERNAME, PASSWORD } = process.env;
const contracts = await json('/docs/contracts.json');

await readsWithoutScript();
await looksWellEverywhere();
await explainsRefusals();
await tellsThatTheDatabaseIsAway();
await takesATokenToSwaggerUi();
await makesADemoAccount();
await browser.close();

async function readsWithoutScript() {
  for (const viewport of [DESK, PHONE]) {
    const { page, surprises } = await newReader({ viewport, javaScriptEnabled: false });
    await page.goto(BASE_URL);
    assert.equal(await page.locator('.contracts li').count(), contracts.length);
    assert.equal(await page.locator('form').isVisible(), false);
    assert.equal(await page.locator('pre', { hasText: '/api/auth/login' }).isVisible(), true);
    assert.match(await page.locator('#state').innerText(), /\/readyz/);
    assert.deepEqual(surprises, []);
    await page.close();
  }
}

async function looksWellEverywhere() {
  for (const colorScheme of ['dark', 'light']) {
    const { page, surprises } = await newReader({ colorScheme });
    await page.goto(BASE_URL);
    await page.locator('#state.ready').waitFor();
    assert.deepEqual(await faintTexts(page), [], `/ in ${colorScheme}`);
    await fitsPhone(page, '/');
    await keepScreenshots(page, colorScheme === 'dark' ? 'home-dark' : 'home');
    await page.keyboard.press('Tab');
    assert.equal(await page.locator(':focus').innerText(), 'Skip to the content');
    assert.deepEqual(surprises, []);
    await page.close();
  }
}

async function explainsRefusals() {
  const page = await browser.newPage();
  await page.goto(BASE_URL);
  for (const expected of [...Array(5).fill(/name or the password is wrong/), /Too many attempts.*Try again in \d+ minutes/]) {
    await logIn(page, 'nobody', 'wrong');
    assert.match(await page.getByRole('alert').innerText(), expected);
  }
  await page.route('**/api/auth/login', (route) => route.abort());
  await logIn(page, 'nobody', 'wrong');
  assert.match(await page.getByRole('alert').innerText(), /does not answer/);
  await page.close();
}

async function tellsThatTheDatabaseIsAway() {
  const page = await browser.newPage();
  await page.route('**/readyz', (route) => route.fulfill({ status: 503, json: {} }));
  await page.goto(BASE_URL);
  await page.locator('#state.away', { hasText: 'not ready' }).waitFor();
  await page.close();
}

async function logIn(page, name, password) {
  await page.getByLabel('Username or e-mail address').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('#problem:visible, #result:visible').waitFor();
}

async function takesATokenToSwaggerUi() {
  const { page, surprises } = await newReader({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(BASE_URL);
  await logIn(page, USERNAME, PASSWORD);
  await page.getByRole('heading', { name: `Logged in as ${USERNAME}` }).waitFor();
  const token = await page.locator('#access-token').innerText();
  assert.equal((await json('/api/users/me', token)).username, USERNAME);
  await copies(page, token);
  assert.deepEqual(await page.context().cookies(), []);
  await fitsPhone(page, '/ with a token');
  await page.reload();
  assert.equal(await page.locator('#access-token').innerText(), token);

  await page.getByRole('link', { name: 'Use it in Swagger UI' }).click();
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.locator('#offer', { hasText: `Authorized as ${USERNAME}` }).waitFor();
  await fitsPhone(page, '/docs with a token');
  for (const { url } of contracts) await isAuthorized(page, url);
  assert.equal(await page.evaluate(() => localStorage.length), 0);

  await page.goto(BASE_URL);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.locator('form').waitFor();
  await page.locator('button[type="submit"]:enabled').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.ok(!(await page.content()).includes(token));
  assert.equal((await json('/api/users/me', token)).detail.status_code, 401);
  assert.deepEqual(surprises, []);
  await page.close();
}

async function copies(page, token) {
  const curl = `curl -s ${BASE_URL}/v1/tasks -H 'Authorization: Bearer ${token}'`;
  for (const [id, expected] of Object.entries({ 'access-token': token, curl })) {
    await page.locator(`[data-copies="${id}"]`).click();
    await page.locator(`[data-copies="${id}"]`, { hasText: 'Copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), expected);
  }
}

async function isAuthorized(page, url) {
  const name = url.match(/(\w+)\.json$/)[1];
  await page.goto(`${BASE_URL}/docs?api=${name}`);
  await page.locator('#offer', { hasText: `Authorized as ${USERNAME}` }).waitFor();
  await page.locator('.auth-wrapper button.authorize').click();
  // What asks for a refresh token is all that is left to fill in.
  assert.deepEqual(await page.locator('.modal-ux .auth-container:has(input) h4 code').allInnerTexts(), await refreshSchemes(url));
  await page.locator('.modal-ux .close-modal').click();
}

async function refreshSchemes(url) {
  const schemes = Object.entries((await json(url)).components.securitySchemes);
  return schemes.filter(([, one]) => one['x-token'] === 'refresh' && one.in !== 'cookie').map(([name]) => name);
}

async function makesADemoAccount() {
  const { page, surprises } = await newReader();
  await page.goto(BASE_URL);
  await page.getByRole('button', { name: 'Make a demo account' }).click();
  await page.locator('#log-out:enabled').waitFor();
  const [name, password, token] = await Promise.all(
    ['demo-name', 'demo-password', 'access-token'].map((id) => page.locator(`#${id}`).innerText()),
  );
  assert.match(name, /^demo-[0-9a-f]{8}$/);
  assert.equal((await json('/v1/tasks', token)).total, 3);
  await page.getByRole('button', { name: 'Log out' }).click();
  await logIn(page, name, password);
  await page.getByRole('heading', { name: `Logged in as ${name}` }).waitFor();
  assert.deepEqual(surprises, []);
  await page.close();
}
