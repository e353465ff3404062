// The contestants of the bench of files: each moves one file, or as many bytes, and tells how long it took.

import { createReadStream, createWriteStream, promises as fs } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person } from '../e2e/files.mjs';
import { Native, place, seed } from '../e2e/native.mjs';
import { launchChromium } from '../rig/browser.mjs';
import { cpuSeconds } from './cpu.mjs';

export const MIB = 1 << 20;
const PATIENT_MS = 900_000;
const LOOK_EVERY_MS = 50;
/** What `crates/files` puts into one message. */
const FRAME_BYTES = 60 * 1024;

/** Before any script of a page of ours: what comes on data channels is counted, and outlives a reload. */
const COUNTED = `
  window.__came = Number(sessionStorage.getItem('came') ?? 0);
  const { createDataChannel } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createDataChannel = function (...words) {
    const channel = createDataChannel.apply(this, words);
    if (channel.label === 'payload') channel.addEventListener('message', ({ data }) => (window.__came += data.byteLength));
    return channel;
  };
  addEventListener('pagehide', () => sessionStorage.setItem('came', window.__came));
`;
/** Before any script of a page of ours: memories of WebAssembly are remembered, so that they can be measured. */
const MEMORIES = `
  window.__memories = [];
  const remember = (made) => {
    const { exports } = made.instance ?? made;
    for (const each of Object.values(exports)) if (each instanceof WebAssembly.Memory) window.__memories.push(each);
    return made;
  };
  const { instantiate, instantiateStreaming } = WebAssembly;
  WebAssembly.instantiate = (...words) => instantiate(...words).then(remember);
  WebAssembly.instantiateStreaming = (...words) => instantiateStreaming(...words).then(remember);
`;

/** Writes a file of noise. */
export async function noise(file, mib) {
  const out = createWriteStream(file);
  for (let at = 0; at < mib; at += 1) if (!out.write(randomBytes(MIB))) await once(out, 'drain');
  out.end();
  await once(out, 'close');
  return file;
}

/** Looks until there is something, and gives it. */
export async function until(what, look, withinMs = PATIENT_MS) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(LOOK_EVERY_MS);
  }
}

/**
 * Does `work` with browsers that are closed afterwards. Each is a Chromium with a profile of its own on the disk: a
 * second context of one browser would keep what it stores in memory.
 */
async function withBrowsers(work) {
  const browsers = [];
  try {
    return await work(async () => {
      const browser = await launchChromium();
      browsers.push(browser);
      return browser;
    });
  } finally {
    await Promise.all(browsers.map((browser) => browser.close().catch(() => {})));
  }
}

/** The same with people who use our pages. */
async function withPeople({ server }, work) {
  return withBrowsers((launch) =>
    work(async (inject = '') => {
      const browser = await launch();
      const person = await Person.arrive(browser, server, { context: browser.defaultBrowserContext() });
      if (inject) await person.page.evaluateOnNewDocument(inject);
      return person;
    }),
  );
}

/** The same with tabs that show this page. */
async function withPages(address, work) {
  return withBrowsers((launch) =>
    work(async () => {
      const page = await (await launch()).newPage();
      await page.goto(address);
      return page;
    }),
  );
}

/** Shares a file on disk; its link, and how long making it took. */
async function share(person, file) {
  await person.go('/share');
  await person.page.waitForSelector('#pick-files + button:not([disabled])', { timeout: 60_000 });
  const input = await person.page.$('#pick-files');
  const start = performance.now();
  await input.uploadFile(file);
  const link = await person.madeLink(PATIENT_MS);
  return { link, ms: performance.now() - start };
}

/** In the page: presses the button, and remembers when all was there, by the clock of the machine. */
function take() {
  const clock = () => performance.timeOrigin + performance.now();
  const card = document.querySelector('.transfer');
  window.__took = { start: clock(), end: null };
  const look = () => {
    if (card.dataset.stage !== 'done') return;
    window.__took.end ??= clock();
    watching.disconnect();
  };
  const watching = new MutationObserver(look);
  watching.observe(card, { attributes: true });
  document.querySelector('[data-do=get]').click();
}

const taken = (person) => until('all is here', () => person.page.evaluate(() => window.__took?.end && window.__took));
const offered = async (person, link) => {
  await person.open(link);
  await person.until('it is offered', ({ stage, peers }) => stage === 'offered' && peers > 0, PATIENT_MS);
};

/** From the first start to the last end. */
const lasted = (spans) => Math.max(...spans.map(({ end }) => end)) - Math.min(...spans.map(({ start }) => start));

/** Ours: one sender, some receivers who choose at once. `ms`: from the choice to the last who has all of it. */
export async function ours(stage, file, receivers = 1) {
  return withPeople(stage, async (arrive) => {
    const sender = await arrive();
    const { link, ms: makeMs } = await share(sender, file);
    const people = [];
    for (let at = 0; at < receivers; at += 1) people.push(await arrive());
    for (const person of people) await offered(person, link);
    const cpuBefore = cpuSeconds(process.pid);
    await Promise.all(people.map((person) => person.page.evaluate(take)));
    const spans = [];
    for (const person of people) spans.push(await taken(person));
    return { ms: lasted(spans), makeMs, cpuS: cpuSeconds(process.pid) - cpuBefore };
  });
}

/** A data channel between two tabs, with messages as large as ours. */
export async function channel({ origin }, bytes) {
  return withPages(`${origin.url}/pages/channel.html`, async (open) => {
    const [from, to] = [await open(), await open()];
    const answer = await to.evaluate((sdp) => window.__answer(sdp), await from.evaluate(() => window.__offer()));
    await from.evaluate((sdp) => window.__accept(sdp), answer);
    await Promise.all([from, to].map((page) => page.evaluate(() => window.__opened())));
    const cpuBefore = cpuSeconds(process.pid);
    await to.evaluate((count) => window.__expect(count), bytes);
    await from.evaluate((count, each) => window.__send(count, each), bytes, FRAME_BYTES);
    const ms = await until('all is here', () => to.evaluate(() => window.__took));
    return { ms, cpuS: cpuSeconds(process.pid) - cpuBefore };
  });
}

/** npm `webtorrent`: one tab seeds, the others take it. */
export async function webtorrent({ origin, tracker }, file, receivers = 1) {
  const look = (what, page, find) =>
    until(`webtorrent: ${what}`, async () => {
      const error = await page.evaluate(() => window.__wrong);
      if (error) throw new Error(`webtorrent: ${error}`);
      return page.evaluate(find);
    });
  return withPages(`${origin.url}/pages/webtorrent.html?${new URLSearchParams({ tracker: tracker.url })}`, async (open) => {
    const sender = await open();
    await (await sender.$('#file')).uploadFile(file);
    const { magnet, ms: makeMs } = await look('it seeds', sender, () => window.__made);
    const pages = [];
    for (let at = 0; at < receivers; at += 1) pages.push(await open());
    for (const page of pages) {
      await page.evaluate((uri) => window.__open(uri), magnet);
      await look('names are known', page, () => window.__ready);
    }
    const cpuBefore = cpuSeconds(process.pid);
    await Promise.all(pages.map((page) => page.evaluate(() => window.__get())));
    const spans = [];
    for (const page of pages) spans.push(await look('all is here', page, () => window.__took));
    return { ms: lasted(spans), makeMs, cpuS: cpuSeconds(process.pid) - cpuBefore };
  });
}

/**
 * A receiver reloads its page at about half. `twiceBlocks`: what came beyond the file, in blocks of 1 MiB, less what the
 * frames around it add, which is known from a transfer that nothing interrupted.
 */
export async function resume(stage, file, bytes) {
  return withPeople(stage, async (arrive) => {
    const sender = await arrive();
    const { link } = await share(sender, file);
    const whole = await arrive(COUNTED);
    await offered(whole, link);
    await whole.page.evaluate(take);
    await taken(whole);
    const frames = await whole.page.evaluate(() => window.__came);
    await whole.closeTab();
    const person = await arrive(COUNTED);
    await offered(person, link);
    await person.page.evaluate(take);
    const { percent } = await person.until('half is here', (seen) => seen.percent >= 48, PATIENT_MS);
    await person.page.reload({ waitUntil: 'domcontentloaded' });
    const back = performance.now();
    const { percent: kept } = await person.until('what was here is here', (seen) => seen.percent > 0);
    const before = await person.page.evaluate(() => Number(sessionStorage.getItem('came')));
    await person.done(PATIENT_MS);
    const came = await person.page.evaluate(() => window.__came);
    return { twiceBlocks: (came - frames) / MIB, cameBefore: before / MIB, percent, kept, restMs: performance.now() - back, framesPercent: (frames / bytes - 1) * 100 };
  });
}

/** The most that a receiver's page holds while a large file comes and is saved, in MiB. */
export async function heap(stage, file) {
  return withPeople(stage, async (arrive) => {
    const sender = await arrive();
    const { link } = await share(sender, file);
    const person = await arrive(MEMORIES);
    await offered(person, link);
    const client = await person.page.createCDPSession();
    const most = { heap: 0, wasm: 0, all: 0 };
    const look = async () => {
      const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await client.send('Runtime.getHeapUsage');
      const wasm = await person.page.evaluate(() => window.__memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0));
      const now = { heap: usedSize, wasm, all: usedSize + embedderHeapUsedSize + Math.max(backingStorageSize, wasm) };
      for (const [name, value] of Object.entries(now)) most[name] = Math.max(most[name], value / MIB);
    };
    await look();
    const before = { ...most };
    const watch = async (what, look_) => until(what, async () => (await look(), look_()));
    await person.page.evaluate(take);
    const { start, end } = await watch('all is here', () => person.page.evaluate(() => window.__took?.end && window.__took));
    const fetching = { ...most };
    await client.send('Page.setDownloadBehavior', { behavior: 'allow', downloadPath: stage.folder });
    const saving = performance.now();
    await person.page.evaluate(() => document.querySelector('.file-row .save').click());
    const saved = () => person.page.evaluate(() => document.querySelector('.file-row .save').dataset.state);
    await watch('it is saved', async () => {
      const state = await saved();
      if (state === 'failed') throw new Error('the page could not save it');
      return state === 'saved';
    });
    return { ms: end - start, saveMs: performance.now() - saving, before: before.all, fetching: fetching.all, saving: most.all, wasm: most.wasm, heap: most.heap };
  });
}

/** Between command lines: `ms` of what came between the first and the last time a `get` told how far it is. */
export async function nativeToNative({ server, folder }, file, bytes) {
  const [from, to] = [await place(folder), await place(folder)];
  const seeding = await seed(from, [file, '--server', server.url]);
  try {
    return await nativeGet(to, seeding.link, bytes);
  } finally {
    await seeding.kill();
    await clear(from, to);
  }
}

/** From the command line to a tab. */
export async function nativeToTab(stage, file) {
  const from = await place(stage.folder);
  const seeding = await seed(from, [file, '--server', stage.server.url]);
  try {
    return await withPeople(stage, async (arrive) => {
      const person = await arrive();
      await offered(person, seeding.link);
      await person.page.evaluate(take);
      const { start, end } = await taken(person);
      return { ms: end - start };
    });
  } finally {
    await seeding.kill();
    await clear(from);
  }
}

/** From a tab to the command line. */
export async function tabToNative(stage, file, bytes) {
  const to = await place(stage.folder);
  try {
    return await withPeople(stage, async (arrive) => {
      const sender = await arrive();
      const { link } = await share(sender, file);
      return nativeGet(to, link, bytes);
    });
  } finally {
    await clear(to);
  }
}

async function nativeGet(folder, link, bytes) {
  const started = performance.now();
  const cpuBefore = cpuSeconds(process.pid);
  const getting = Native.start(folder, ['get', link, '-o', 'got']);
  try {
    await getting.got(PATIENT_MS);
    const allMs = performance.now() - started;
    const cpuS = cpuSeconds(process.pid) - cpuBefore;
    const told = getting.lines.filter(({ progress }) => progress?.done_bytes > 0);
    const [first, last] = [told[0], told.find(({ progress }) => progress.done_bytes === told.at(-1).progress.done_bytes)];
    // Told now and then: a file that came between two tellings says nothing.
    const span = first && last.atMs > first.atMs ? last.progress.done_bytes - first.progress.done_bytes : 0;
    const { size } = await fs.stat(path.join(folder, 'got'));
    if (size !== bytes) throw new Error(`starling get wrote ${size} bytes of ${bytes}`);
    return { ms: span > bytes / 2 ? ((last.atMs - first.atMs) * bytes) / span : allMs, allMs, cpuS };
  } finally {
    await getting.kill();
  }
}

const clear = (...folders) => Promise.all(folders.map((folder) => fs.rm(folder, { recursive: true, force: true })));

/** In a tab: SHA-256 of blocks, and blocks into IndexedDB in the batches of the block store. */
export async function tabAlone({ origin }, blocks) {
  return withPages(`${origin.url}/pages/store.html`, async (open) => {
    const page = await open();
    const hashMs = await page.evaluate((count) => window.__hash(count), blocks);
    const { writeMs } = await page.evaluate((count) => window.__indexedDb(count), blocks);
    return { hashMs, storeMs: writeMs };
  });
}

/** Reads a file once, so that the first contestant does not wait for the disk alone. */
export async function warm(file) {
  for await (const _ of createReadStream(file, { highWaterMark: MIB }));
}
