#!/usr/bin/env node
// Where a tab keeps blocks of 1 MiB: IndexedDB as the block store uses it, against files of the origin that a worker
// writes by sync access handles, in Chromium and Firefox. They take turns. Writes the section "Block store in a tab" of
// docs/bench.md.
//
//   cargo xtask bench store [--rounds 5] [--blocks 256] [--dry]

import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { launchChromium, launchFirefox, versions } from '../rig/browser.mjs';
import { startOrigin } from '../rig/origin.mjs';
import { cpuSeconds } from './cpu.mjs';
import { cell, conditions, ratio, writeSection } from './programs.mjs';

const MB = 1_048_576 / 1e6;
const PAGES = fileURLToPath(new URL('pages', import.meta.url));
/** Contestants: their title, and the function of the page with what it is told. */
const STORES = {
  indexedDb: ['IndexedDB, as the store does it', '__indexedDb', 'default'],
  indexedDbStrict: ['IndexedDB, each transaction waits for the disk', '__indexedDb', 'strict'],
  pack: ['OPFS, one file for all blocks', '__opfs', 'pack', false],
  packFlushed: ['the same, each batch waits for the disk', '__opfs', 'pack', true],
  files: ['OPFS, a file for each block', '__opfs', 'files', false],
};

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    blocks: { type: 'string', default: '256' },
    dry: { type: 'boolean', default: false },
  },
});
const blocks = Number(options.blocks);

/** One contestant in a browser of its own, whose profile is on the disk and goes when it is closed. */
async function measure(launch, origin, words) {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${origin.url}/pages/store.html`);
    const before = cpuSeconds(process.pid);
    const { writeMs, readMs } = await page.evaluate((name, count, ...rest) => window[name](count, ...rest), words[0], blocks, ...words.slice(1));
    const cpuS = cpuSeconds(process.pid) - before;
    const rate = (ms) => Math.round((blocks * MB * 1000) / ms);
    return { write: rate(writeMs), read: rate(readMs), cpu: Math.round((cpuS / (blocks * MB)) * 1e5) / 100 };
  } finally {
    await browser.close();
  }
}

async function rounds(launch, origin, name) {
  const found = Object.fromEntries(Object.keys(STORES).map((store) => [store, []]));
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const [store, [, ...words]] of Object.entries(STORES)) {
      try {
        const row = await measure(launch, origin, words);
        console.log(`${name} ${store} ${JSON.stringify(row)}`);
        found[store].push(row);
      } catch (error) {
        console.error(`${name} ${store} failed: ${error.message}`);
      }
    }
  }
  return found;
}

function table(name, found) {
  const lines = Object.entries(STORES).map(([store, [title]]) => {
    const runs = found[store];
    const times = ratio(runs, found.indexedDb, 'write');
    return `| ${name} (${runs.length}) | ${title} | ${cell(runs, 'write')} | ${times} | ${cell(runs, 'read')} | ${cell(runs, 'cpu')} |`;
  });
  return lines.join('\n');
}

const where = await conditions();
const { chromium, firefox } = await versions();
const origin = await startOrigin({ mounts: { '/pages': PAGES } });
const sections = [];
for (const [name, launch] of [['Chromium', launchChromium], ['Firefox', launchFirefox]]) {
  sections.push(table(name, await rounds(launch, origin, name)));
}
await origin.close();
const text = `## Block store in a tab

${where}; ${chromium}, ${firefox}; ${options.rounds} rounds that took turns, ${blocks} blocks of 1 MiB, batches of 16. Median (least-most).

| runs | store | written, MB/s | of the first | read one at a time, MB/s | CPU s per GB, both ways and making the blocks |
|---|---|---|---|---|---|
${sections.join('\n')}

A worker gets and gives blocks by transfer, without a copy. IndexedDB's default promises no disk, as OPFS without \`flush\`. \`tests/bench/store.mjs\`, \`tests/bench/pages/store.html\`; what follows from it: [0048](adr/0048-indexeddb-for-large-blocks-too.md).`;
await writeSection('store', path.basename(fileURLToPath(import.meta.url)), text, options.dry);
process.exit(0);
