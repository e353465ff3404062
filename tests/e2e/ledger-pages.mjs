// What tests of the ledger's pages begin with: a server with a ledger of its own, and tabs that look at it.

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before } from 'node:test';
import { launchChromium, temporaryFolder } from '../rig/browser.mjs';
import { startStarling } from '../rig/starling.mjs';
import { eventually } from './stage.mjs';

export const PHONE = { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const WIDE = { width: 1280, height: 900 };
/** Deadline of what waits for blocks. */
export const BLOCKS_MS = 60_000;
/** Folder for pictures of the pages; none: no pictures. */
const PICTURES = process.env.STARLING_PICTURES;

/**
 * For a `describe`: before the first test it starts a browser and a server, after the last one both are closed.
 * `config` is the server's, as TOML. Gives `stage` with `server`, which is empty until then; and
 * `visit(route, viewport, host)`, a tab with storage of its own, which keeps its `errors`.
 */
export function withLedger({ config = '' } = {}) {
  const stage = {};
  let chromium;
  let folder;
  before(async () => {
    chromium = await launchChromium();
    folder = await temporaryFolder('ledger');
    stage.server = await startStarling({ folder, config });
  });
  after(async () => {
    await chromium?.close();
    await stage.server?.close();
    if (folder) await fs.rm(folder, { recursive: true, force: true });
  });
  const visit = async (route, viewport = WIDE, host = stage.server.url) => {
    const context = await chromium.createBrowserContext();
    const page = await context.newPage();
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(String(error)));
    page.on('console', (message) => {
      // A ledger that has no block yet says 404.
      const expected = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !expected) page.errors.push(message.text());
    });
    await page.setViewport(viewport);
    await page.goto(`${host}${route}`, { waitUntil: 'domcontentloaded' });
    return page;
  };
  return { stage, visit };
}

/** What a person reads there; nothing where there is no such element. */
export const text = (page, selector = 'body') =>
  page.evaluate((one) => document.querySelector(one)?.innerText ?? '', selector);

/** Waits until a person reads that; all that is read there then, which may be nothing. */
export async function until(page, what, wanted, selector) {
  const found = await eventually(what, async () => {
    const seen = await text(page, selector);
    return { value: wanted.test(seen) && { seen }, seen: { seen, errors: page.errors } };
  }, BLOCKS_MS);
  return found.seen;
}

export const press = (page, selector) => page.evaluate((one) => document.querySelector(one).click(), selector);

/** Asks one more server, on the Ledger page. */
export async function askToo(page, url) {
  await page.type('#add-server', url);
  await page.keyboard.press('Enter');
}

/** The account that a Wallet page shows. */
export const accountOf = (page) =>
  page.evaluate(() => document.querySelector('.receive .copy-text').innerText.trim());

/** Has a page read a picture of a code that another one shows. */
export async function scan(page, shows, code) {
  const folder = await temporaryFolder('scan');
  const file = path.join(folder, 'code.png');
  await fs.writeFile(file, await (await shows.waitForSelector(code)).screenshot());
  await press(page, '.scan button');
  await (await page.waitForSelector('starling-scan input[type=file]')).uploadFile(file);
  await page.waitForSelector('starling-scan', { hidden: true });
  await fs.rm(folder, { recursive: true, force: true });
}

/** A picture of all of the page, if pictures are wanted. */
export async function picture(page, name) {
  if (!PICTURES) return;
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}
