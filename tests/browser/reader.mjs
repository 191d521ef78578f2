// A reader at a desk or with a phone, by day or by night, who notices whatever is not as it should be.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

export const { BASE_URL, SCREENSHOTS } = process.env;
const { chromium } = createRequire(`${process.env.NODE_MODULES}/`)('playwright-core');

export const DESK = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };
const SILENT = ['background-networking', 'component-update', 'default-apps', 'gpu', 'quic', 'sync'];

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--no-first-run', ...SILENT.map((what) => `--disable-${what}`)],
});

/** Open a page whose every console message, error and request to elsewhere is collected. */
export async function newReader(options = {}) {
  const page = await browser.newPage({ viewport: DESK, ...options });
  const surprises = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) surprises.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => surprises.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== BASE_URL && !['data:', 'blob:'].includes(protocol)) surprises.push(`request to ${origin}`);
  });
  return { page, surprises };
}

export async function json(path, token) {
  return (await fetch(`${BASE_URL}${path}`, { headers: { Authorization: `Bearer ${token}` } })).json();
}

export async function fitsPhone(page, what) {
  await page.setViewportSize(PHONE);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= PHONE.width, `${what} is ${width} pixels wide on a phone`);
  await page.setViewportSize(DESK);
}

export async function keepScreenshots(page, name) {
  for (const [device, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
    await page.setViewportSize(viewport);
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: `${SCREENSHOTS}/${name}-${device}.png` });
  }
  await page.setViewportSize(DESK);
}

/** List what has less contrast with its ground than WCAG's level AA asks for: 4.5, large texts 3. */
export async function faintTexts(page) {
  return page.evaluate(() => {
    const parts = (color) => color.match(/[\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
    const light = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
    const groundOf = (element) => {
      const below = element.parentElement ? groundOf(element.parentElement) : [255, 255, 255];
      return over(parts(getComputedStyle(element).backgroundColor), below);
    };
    const isFaint = (element) => {
      const style = getComputedStyle(element);
      const ground = groundOf(element);
      const [dark, bright] = [ground, over(parts(style.color), ground)].map(luminance).sort((a, b) => a - b);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
      return (bright + 0.05) / (dark + 0.05) < (isLarge ? 3 : 4.5);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    while (texts.nextNode()) {
      const { data, parentElement: element } = texts.currentNode;
      if (data.trim() && element.checkVisibility() && isFaint(element)) faint.push(data.trim());
    }
    return faint;
  });
}
