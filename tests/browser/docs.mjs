// Goes through /docs and /redoc as a reader would, and fails at the first thing that is not as it should be.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { BASE_URL, ACCESS_TOKEN, USER_ID, CHROMIUM, SCREENSHOTS, NODE_MODULES } = process.env;
const { chromium } = createRequire(`${NODE_MODULES}/`)('playwright-core');

const DESK = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const SILENT = ['background-networking', 'component-update', 'default-apps', 'gpu', 'quic', 'sync'];
const TRIED_TAG = { workspace: 'todos', fullstack: 'tasks', tasktracker: 'categories', focusguard: 'sessions', todo: 'tasks' };

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--no-first-run', ...SILENT.map((what) => `--disable-${what}`)],
});
const page = await browser.newPage({ viewport: DESK });
const surprises = watch(page);
const contracts = await Promise.all((await json('/docs/contracts.json')).map(described));

await page.goto(BASE_URL);
for (const contract of contracts) await tryOut(contract);
await page.goto(`${BASE_URL}/docs`);
await keepScreenshots('docs');
for (const contract of contracts) await read(contract);
await page.goto(`${BASE_URL}/redoc`);
await page.locator('h1').waitFor();
await keepScreenshots('redoc');
await browser.close();
assert.deepEqual(surprises, []);

function watch(page) {
  const seen = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== BASE_URL && !['data:', 'blob:'].includes(protocol)) seen.push(`request to ${origin}`);
  });
  return seen;
}

async function json(path) {
  return (await fetch(`${BASE_URL}${path}`)).json();
}

async function described({ name, url }) {
  const { paths } = await json(url);
  const operations = Object.values(paths).flatMap((path) => Object.values(path).filter((one) => one.operationId));
  return { title: name, name: url.match(/(\w+)\.json$/)[1], operations };
}

async function tryOut({ title, name, operations }) {
  await page.locator('.topbar select').selectOption({ label: title });
  await page.locator('.info .title', { hasText: title }).waitFor();
  await authorize();
  for (const verb of ['create_', 'list_']) {
    const tried = operations.find((one) => one.tags[0] === TRIED_TAG[name] && one.operationId.startsWith(verb));
    await run(page.locator(`#operations-${tried.tags[0]}-${tried.operationId}`), verb === 'create_' ? '201' : '200');
  }
  await fitsPhone(`/docs of ${name}`);
}

async function authorize() {
  await page.locator('.auth-wrapper button.authorize').click();
  const scheme = page.locator('.modal-ux .auth-container').filter({ hasText: 'accessToken' });
  const token = scheme.locator('input');
  // The page remembers the token when it switches to another contract.
  if (await token.count()) {
    await token.fill(ACCESS_TOKEN);
    await scheme.locator('button.authorize').click();
  }
  await page.locator('.modal-ux .close-modal').click();
}

async function run(operation, status) {
  // The page keeps an operation open when it switches to a contract that calls one of its own the same.
  if (!(await operation.locator('.opblock-body').count())) await operation.locator('.opblock-summary-control').click();
  const userId = operation.locator('[data-param-name="user_id"] input');
  if (await userId.count()) await userId.fill(USER_ID);
  await operation.locator('button.execute').click();
  await operation.locator(`.live-responses-table td.response-col_status:text("${status}")`).waitFor();
}

async function read({ title, name, operations }) {
  await page.goto(`${BASE_URL}/redoc?api=${encodeURIComponent(title)}`);
  await page.locator('h1', { hasText: title }).waitFor();
  for (const { operationId } of operations) {
    await page.locator(`[id$="/operation/${operationId}"]`).first().waitFor({ state: 'attached' });
  }
  await fitsPhone(`/redoc of ${name}`);
}

async function fitsPhone(what) {
  await page.setViewportSize(PHONE);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= PHONE.width, `${what} is ${width} pixels wide on a phone`);
  await page.setViewportSize(DESK);
}

async function keepScreenshots(name) {
  for (const [device, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
    await page.setViewportSize(viewport);
    await page.screenshot({ path: `${SCREENSHOTS}/${name}-${device}.png` });
  }
  await page.setViewportSize(DESK);
}
