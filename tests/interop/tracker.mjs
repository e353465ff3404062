#!/usr/bin/env node
// Stock WebTorrent clients in Chromium against our tracker: npm `bittorrent-tracker`, p2p-media-loader and
// webtorrent find each other through it and move bytes. Closes with the line `N passed, M failed`.
//
//   node tests/interop/tracker.mjs [part of a test's name …]
//
// Needs a built `starling` (STARLING_BIN, or the newest build) and Chromium.

import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launchChromium } from '../rig/browser.mjs';
import { layOut } from '../rig/media.mjs';
import { startOrigin } from '../rig/origin.mjs';
import { startStarling } from '../rig/starling.mjs';

const PATIENCE_MS = 60_000;
const here = fileURLToPath(new URL('.', import.meta.url));
const modules = path.join(here, '..', 'node_modules');

const parent = path.join(os.homedir(), '.cache', 'starling', 'e2e-runs');
await fs.mkdir(parent, { recursive: true });
const folder = await fs.mkdtemp(path.join(parent, 'tracker-'));
const media = path.join(folder, 'media');
await layOut('e2e-media', media, { segments: 45, renditions: ['lo'] });
await build({
  entryPoints: [path.join(modules, 'bittorrent-tracker', 'client.js')],
  outfile: path.join(folder, 'client', 'client.mjs'),
  bundle: true,
  format: 'esm',
  platform: 'browser',
  // What its package leaves to the bundler, as webpack and vite do it.
  define: { global: 'globalThis', 'process.browser': 'true' },
  logLevel: 'error',
});
const mounts = {
  '/stream': media,
  '/vendor': modules,
  '/client': path.join(folder, 'client'),
  '/pages': path.join(here, '..', 'bench', 'pages'),
  '/interop': path.join(here, 'pages'),
};
// Far enough away that a peer nearby is worth asking.
const origin = await startOrigin({ mounts, latencyMs: 150 });
const server = await startStarling({ folder });
const tracker = `${server.url.replace('http', 'ws')}/announce`;
const browser = await launchChromium();

/** A page in a browser context of its own, gone when the test is. */
const open = async (stack, address) => {
  const context = await browser.createBrowserContext();
  stack.push(() => context.close());
  const page = await context.newPage();
  page.on('pageerror', (error) => page.errors.push(String(error?.message ?? error)));
  page.errors = [];
  await page.goto(address, { waitUntil: 'domcontentloaded' });
  return page;
};

/** Looks until `check` is true of what `look` finds. */
async function eventually(what, look, check) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (check(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms; last seen: ${JSON.stringify(seen)}`);
    await sleep(100);
  }
}

/** The value of one line of the server's metrics; 0 when it is not there yet. */
async function metric(line) {
  const found = (await server.metrics()).split('\n').find((text) => text.startsWith(`${line} `));
  return found ? Number(found.slice(line.length + 1)) : 0;
}

const client = (stack, options) => open(stack, `${origin.url}/interop/client.html?${new URLSearchParams({ tracker, ...options })}`);
const look = (page) => () => page.evaluate(() => window.__seen);
const call = (page, name, ...args) => page.evaluate((method, values) => window.__client[method](...values), name, args);

const A = { hash: 'ff00112233445566778899aabbccddeeff001122', peer: '80818283848586878889000102030405222f5c7f' };
const B = { hash: A.hash, peer: '2d5757303230382d6162636465666768696a6b6c' };

const TESTS = {
  async 'bittorrent-tracker: clients connect by offers and answers, bytes of every value in their names'(stack) {
    const a = await client(stack, A);
    await eventually('an update', look(a), (seen) => seen.updates.at(-1)?.incomplete === 1);
    const b = await client(stack, B);
    for (const [page, other] of [[a, B], [b, A]]) {
      const seen = await eventually('a message', look(page), ({ messages }) => messages.length > 0);
      assert.deepEqual(seen.messages[0], { from: other.peer, text: 'hello' });
      assert.deepEqual(seen.warnings, []);
    }
  },

  async 'bittorrent-tracker: counts follow completed and stopped, a scrape tells them'(stack) {
    const hash = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
    const a = await client(stack, { ...A, hash });
    const b = await client(stack, { ...B, hash });
    await eventually('both', look(b), (seen) => seen.updates.at(-1)?.incomplete === 2);
    await call(a, 'complete', { left: 0 });
    await eventually('complete', look(a), (seen) => seen.updates.at(-1)?.complete === 1);
    await call(b, 'scrape', { infoHash: [hash, A.hash] });
    const { scrapes } = await eventually('a scrape', look(b), (seen) => seen.scrapes.length === 2);
    const told = scrapes.find(({ infoHash }) => infoHash === hash);
    assert.deepEqual([told.complete, told.incomplete, told.downloaded], [1, 1, 1]);
    await call(a, 'stop');
    await call(b, 'update');
    await eventually('stopped', look(b), (seen) => seen.updates.at(-1)?.complete === 0);
  },

  async 'bittorrent-tracker: a failure is a warning, the socket stays'(stack) {
    const hash = 'bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0';
    const a = await client(stack, { ...A, hash });
    await eventually('an update', look(a), (seen) => seen.updates.length === 1);
    await call(a, '_announce', { event: 'eaten', numwant: 0, uploaded: 0, downloaded: 0 });
    const { warnings } = await eventually('a warning', look(a), (seen) => seen.warnings.length === 1);
    assert.match(warnings[0], /event is not/);
    // What no client can read: nobody throws, nobody reconnects.
    await a.evaluate(() => window.__socket.send('no json'));
    await a.evaluate(() => window.__socket.send('{"action":"connect"}'));
    await call(a, 'update');
    const seen = await eventually('an update', look(a), (now) => now.updates.length === 2);
    assert.equal(seen.sockets, 1);
    assert.deepEqual(a.errors, []);
    assert.ok(await a.evaluate(() => window.__socket.readyState === WebSocket.OPEN));
  },

  async 'bittorrent-tracker: an address without a path is the tracker too'(stack) {
    const a = await client(stack, { ...A, hash: '00'.repeat(20), tracker: server.url.replace('http', 'ws') });
    await eventually('an update', look(a), (seen) => seen.updates.at(-1)?.incomplete === 1);
    assert.match(await (await fetch(server.url)).text(), /<!doctype html>/i, 'and others get the page');
  },

  async 'p2p-media-loader: two pages share a stream'(stack) {
    const query = new URLSearchParams({ src: `${origin.url}/stream/master.m3u8`, tracker });
    const address = `${origin.url}/pages/p2pml.html?${query}`;
    const stats = (page) => () => page.evaluate(() => window.__stats);
    const a = await open(stack, address);
    await eventually('the first plays', stats(a), (seen) => seen.pos > 1);
    const b = await open(stack, address);
    const seen = await eventually('bytes from a peer', stats(b), ({ p2pBytes }) => p2pBytes > 0);
    assert.ok(seen.peers >= 1);
    await eventually('bytes to a peer', stats(a), ({ upBytes }) => upBytes > 0);
  },

  async 'webtorrent: a page seeds, another has the file'(stack) {
    const address = `${origin.url}/interop/webtorrent.html?${new URLSearchParams({ tracker })}`;
    const a = await open(stack, address);
    const magnet = await a.evaluate(() => window.__seed(300_000));
    const b = await open(stack, address);
    const got = await b.evaluate((uri) => window.__get(uri), magnet);
    assert.deepEqual([got.length, got.sum], [300_000, await a.evaluate(() => window.__sum)]);
    assert.ok(got.peers >= 1);
    await eventually('complete', () => metric('starling_tracker_answers_total'), (count) => count > 0);
  },
};

const wanted = process.argv.slice(2);
const chosen = Object.entries(TESTS).filter(([title]) => wanted.length === 0 || wanted.some((part) => title.includes(part)));
let failed = 0;
for (const [title, test] of chosen) {
  const start = performance.now();
  const stack = [];
  try {
    await test(stack);
    console.log(`ok     ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`failed ${title}\n${error.stack}`);
  }
  for (const close of stack) await close().catch(() => {});
}
await browser.close();
await server.close();
await origin.close();
await fs.rm(folder, { recursive: true, force: true });
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
