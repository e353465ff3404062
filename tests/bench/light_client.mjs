// The light client in Node, Chromium and Firefox: how long it takes for a certificate and for a proof, on the module
// that pages load, of a validator that runs.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { launchChromium, launchFirefox } from '../rig/browser.mjs';
import { startOrigin } from '../rig/origin.mjs';
import { WEB } from '../rig/starling.mjs';
import { measure } from './pages/light-client.js';

const PAGES = fileURLToPath(new URL('pages', import.meta.url));
const WALLET = path.join(WEB, 'wallet');
const file = (end) => readdirSync(WALLET).find((name) => name.startsWith('ledger') && name.endsWith(end));
/** Clocks are finest in a page that is isolated from others. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
/** A page is a new one, so that each has a first time. */
const WHERE = { Node: inNode, Chromium: (options) => inBrowser(launchChromium, options), Firefox: (options) => inBrowser(launchFirefox, options) };

/** Milliseconds by where it ran: of a certificate and of a proof, the first, and the 50th and 95th of a hundred. */
export async function measureLightClient(url, times = 100) {
  const rows = {};
  for (const [where, run] of Object.entries(WHERE)) rows[where] = summary(await run({ url, times }));
  return rows;
}

async function inNode({ url, times }) {
  // Anew for each round, so that the first one is one.
  const script = `${pathToFileURL(path.join(WALLET, file('.js')))}?${Date.now()}`;
  const { default: start, Tab } = await import(script);
  return measure({ start, Tab, wasm: readFileSync(path.join(WALLET, file('.wasm'))), url, times });
}

async function inBrowser(launch, options) {
  const origin = await startOrigin({ mounts: { '/pages': PAGES, '/wallet': WALLET }, headers: ISOLATED });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${origin.url}/pages/light-client.html`);
    const told = { script: `/wallet/${file('.js')}`, wasm: `/wallet/${file('.wasm')}`, ...options };
    return await page.evaluate((each) => window.__measure(each), told);
  } finally {
    await browser.close();
    await origin.close();
  }
}

function summary({ certificate, proof }) {
  const row = {};
  for (const [name, list] of Object.entries({ certificate, proof })) {
    row[`${name}First`] = round(list[0]);
    list.sort((a, b) => a - b);
    for (const share of [50, 95]) row[`${name}${share}`] = round(list[Math.floor(((list.length - 1) * share) / 100)]);
  }
  return row;
}

function round(ms) {
  return Number(ms.toFixed(2));
}
