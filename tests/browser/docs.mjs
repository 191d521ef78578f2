// Goes through /docs and /redoc as a reader would, and fails at the first thing that is not as it should be.
import assert from 'node:assert/strict';
import { BASE_URL, browser, faintTexts, fitsPhone, json, keepScreenshots, newReader } from './reader.mjs';

const { ACCESS_TOKEN, USER_ID } = process.env;
// By default the first thing that can be created. Swagger UI fills in examples of filters, so that TaskTracker's list of
// tasks asks for a category that is not there.
const TRIED_TAG = { tasktracker: 'categories' };

const { page, surprises } = await newReader();
const contracts = await Promise.all((await json('/docs/contracts.json')).map(described));

for (const contract of contracts) await tryOut(contract);
await open(`/docs?api=${contracts[0].name}`, '.info .title');
await filter();
await open('/docs', '.info .title');
await keepScreenshots(page, 'docs');
for (const contract of contracts) await read(contract);
await open('/redoc', 'h1');
await keepScreenshots(page, 'redoc');
await followsScheme();
assert.deepEqual(surprises, []);
await browser.close();

async function described({ name, url }) {
  const { paths } = await json(url);
  const operations = Object.values(paths).flatMap((path) => Object.values(path).filter((one) => one.operationId));
  return { title: name, name: url.match(/(\w+)\.json$/)[1], operations };
}

async function open(path, landmark) {
  await page.goto(`${BASE_URL}${path}`);
  await page.locator(landmark).first().waitFor();
}

async function tryOut({ title, name, operations }) {
  await open(`/docs/?api=${name}`, '.info .title');
  assert.equal(await page.locator('#contracts [aria-current]').textContent(), title.replace('Quintet: ', ''));
  await authorize();
  const tag = TRIED_TAG[name] ?? operations.find((one) => one.operationId.startsWith('create_'))?.tags[0];
  const creation = operations.find((one) => one.tags[0] === tag && one.operationId.startsWith('create_'));
  const lists = operations.filter((one) => one.operationId.startsWith('list_'));
  for (const [tried, status] of [[creation, '201'], ...lists.map((one) => [one, '200'])]) {
    if (tried) await run(page.locator(`#operations-${tried.tags[0]}-${tried.operationId}`), status);
  }
  await fitsPhone(page, `/docs of ${name}`);
}

async function authorize() {
  await page.locator('.auth-wrapper button.authorize').click();
  const scheme = page.locator('.modal-ux-content > div').first();
  assert.match(await scheme.innerText(), /^Paste an access token here.*\n*accessToken/s);
  await page.locator('.modal-ux .auth-container :is(input, button)').first().and(page.locator(':focus')).waitFor();
  assert.equal(await page.locator('.modal-ux-content').evaluate((content) => content.scrollTop), 0);
  assert.equal(await page.locator('.modal-ux-content').filter({ hasText: 'Cookie' }).count(), 0);
  const token = scheme.locator('input');
  // The tab remembers the token when it goes on to another contract.
  if (await token.count()) {
    await token.fill(ACCESS_TOKEN);
    await scheme.locator('button.authorize').click();
  }
  await page.locator('.modal-ux .close-modal').click();
}

async function run(operation, status) {
  await operation.locator('.opblock-summary-control').click();
  const path = await operation.locator('.opblock-summary-path').getAttribute('data-path');
  if (path.includes('{user_id}')) await operation.locator('[data-param-name="user_id"] input').fill(USER_ID);
  await operation.locator('button.execute').click();
  await operation.locator(`.live-responses-table td.response-col_status:text("${status}")`).waitFor();
}

async function filter() {
  const operations = page.locator('.opblock');
  const all = await operations.count();
  await page.locator('.operation-filter-input').fill(contracts[0].operations[0].tags[0]);
  await page.waitForFunction((before) => document.querySelectorAll('.opblock').length < before, all);
  assert.ok((await operations.count()) > 0);
}

async function read({ title, name, operations }) {
  await open(`/redoc/?api=${name}`, 'h1');
  await page.locator('h1', { hasText: title }).waitFor();
  for (const { operationId } of operations) {
    await page.locator(`[id$="/operation/${operationId}"]`).first().waitFor({ state: 'attached' });
  }
  await fitsPhone(page, `/redoc of ${name}`);
}

async function followsScheme() {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await open('/redoc', 'h1');
    assert.deepEqual(await faintTexts(page), [], `/redoc in ${colorScheme}`);
    await open('/docs', '.info .title');
    assert.equal(await page.locator('html.dark-mode').count(), colorScheme === 'dark' ? 1 : 0);
    assert.deepEqual(await faintTexts(page), [], `/docs in ${colorScheme}`);
  }
}
