// Proves that the npm package is whole: its folder, served alone by a site that has nothing else of ours, plays and
// shares, its page for rigs counts, and its types name what its code has.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../rig/browser.mjs';
import { startOrigin } from '../rig/origin.mjs';
import { eventually, openStage, Viewer } from './stage.mjs';

const PACKAGE = process.env.STARLING_PACKAGE ?? fileURLToPath(new URL('../../dist/npm', import.meta.url));
const file = (name) => path.join(PACKAGE, name);

describe('the npm package', () => {
  let chromium;
  let stage;
  /** A site with the package's folder and nothing else. */
  let site;
  before(async () => {
    assert.ok(existsSync(file('package.json')), `no package in ${PACKAGE}: cargo xtask dist makes it`);
    chromium = await launchChromium();
    stage = await openStage();
    site = await startOrigin({ mounts: { '/player': PACKAGE } });
  });
  afterEach(() => stage.clear());
  after(async () => {
    await site?.close();
    await stage?.close();
    await chromium?.close();
  });

  test('plays and shares where nothing else of ours is served', async () => {
    const options = { server: { url: `${site.url}/player` }, attributes: { signal: stage.server.signal } };
    const first = await Viewer.open(chromium, stage, options);
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
    const second = await Viewer.open(chromium, stage, options);
    const seen = await second.until('holds 20 s', ({ video }) => video?.bufferedTo >= 20 && video.at >= 1);
    assert.equal(seen.stats.mode, 'starling');
    assert.equal(seen.stats.integrity, 'manifest');
    assert.ok(seen.stats.p2pBytes > seen.stats.httpBytes, `${seen.stats.p2pBytes} from others, ${seen.stats.httpBytes} from the origin`);
    // What its types promise of the figures is there, and nothing else.
    const [, declared] = /export interface Stats \{([\s\S]*?)\n\}/.exec(readFileSync(file('embed.d.ts'), 'utf8'));
    const fields = [...declared.matchAll(/^ {2}(\w+)(\??):/gm)].map(([, name, optional]) => ({ name, optional: optional === '?' }));
    const told = Object.keys(seen.stats);
    assert.deepEqual(fields.filter(({ name, optional }) => !optional && !told.includes(name)), []);
    assert.deepEqual(told.filter((each) => !fields.some(({ name }) => name === each)), []);
  });

  test('its page for rigs plays by itself and counts what a rig asks for', async () => {
    const open = async (v) => {
      const context = await chromium.createBrowserContext();
      const page = await context.newPage();
      const query = new URLSearchParams({ src: stage.src, tracker: stage.server.signal, v });
      await page.goto(`${site.url}/player/bench.html?${query}`, { waitUntil: 'domcontentloaded' });
      const until = (what, condition) =>
        eventually(`${v} ${what}`, async () => {
          const seen = await page.evaluate(() => ({ ...window.__stats }));
          return { value: condition(seen) && seen, seen };
        });
      return { page, until, close: () => context.close() };
    };
    const first = await open('v0');
    await first.until('plays', ({ pos, startupMs }) => pos >= 2 && startupMs > 0);
    const second = await open('v1');
    const seen = await second.until('takes from the other', ({ pos, p2pBytes, peers }) => pos >= 2 && p2pBytes > 0 && peers > 0);
    for (const name of ['httpBytes', 'p2pBytes', 'startupMs', 'stalls', 'stallMs', 'latencyS', 'pos', 'peers', 'upBytes']) {
      assert.equal(typeof seen[name], 'number', `${name} is ${seen[name]}`);
    }
    await first.until('counts what it gave', ({ upBytes }) => upBytes > 0);
    const videos = await first.page.evaluate(() => [...document.querySelectorAll('video')].map(({ muted, autoplay, playsInline }) => [muted, autoplay, playsInline]));
    assert.deepEqual(videos, [[true, true, true]]);
    await first.close();
    await second.close();
  });

  test('holds what its manifest names, and its types what its code exports', async () => {
    const manifest = JSON.parse(readFileSync(file('package.json'), 'utf8'));
    const there = (folder) =>
      readdirSync(file(folder), { withFileTypes: true }).flatMap((entry) => {
        const name = path.posix.join(folder, entry.name);
        return entry.isDirectory() ? there(name) : [name];
      });
    assert.deepEqual(there('.').filter((name) => name !== 'package.json').sort(), [...manifest.files].sort());
    const { types, default: entry } = manifest.exports['.'];
    for (const name of [types, entry]) assert.ok(existsSync(file(name)), name);

    const page = await chromium.newPage();
    await page.goto(`${site.url}/player/package.json`);
    const exported = await page.evaluate(async (url) => Object.keys(await import(url)), `${site.url}/player/embed.js`);
    await page.close();
    const declared = [...readFileSync(file(types), 'utf8').matchAll(/^export (?:declare )?(?:async )?(?:function|const|class) (\w+)/gm)].map(([, name]) => name);
    assert.ok(exported.includes('attach'));
    assert.deepEqual(declared.sort(), exported.sort());
  });
});
