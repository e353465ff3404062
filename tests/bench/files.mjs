#!/usr/bin/env node
// Files: from tab to tab beside a bare data channel and npm `webtorrent`, to four at once, after a reload, between
// command lines and tabs, what a tab hashes and stores, and what it holds in memory. Contestants take turns, each turn
// begins with another one. Writes the section "Files" of docs/bench.md.
//
//   cargo xtask bench files [--rounds 3] [--mib 256] [--large 1024] [--only tabs,many,resume,native,tab,heap] [--dry]
//
// `--stock`: the program that moves bytes over `webrtc` as it comes, an example of `peer-native`; without it that row
// says that it was not measured.

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stageFolder } from '../e2e/stage.mjs';
import { versions } from '../rig/browser.mjs';
import { startOrigin } from '../rig/origin.mjs';
import { startStarling } from '../rig/starling.mjs';
import { startTracker } from '../rig/tracker.mjs';
import { cell, conditions, load, ratio, writeSection } from './programs.mjs';
import { MIB, channel, heap, nativeToNative, nativeToTab, noise, ours, resume, tabAlone, tabToNative, warm, webtorrent } from './transfers.mjs';

/** What the issue of files promises. */
const GOALS = { channel: 0.8, many: 1.6, resumeBlocks: 1, heapMib: 64, stock: 6 };
const RECEIVERS = 4;
const STOCK_MESSAGE_BYTES = 16 * 1024;
const GROUPS = ['tabs', 'many', 'resume', 'native', 'tab', 'heap'];

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    mib: { type: 'string', default: '256' },
    large: { type: 'string', default: '1024' },
    only: { type: 'string', default: GROUPS.join(',') },
    stock: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
});
const only = options.only.split(',');
const strange = only.find((group) => !GROUPS.includes(group));
if (strange) throw new Error(`--only names ${strange}, expected some of ${GROUPS}`);
const bytes = Number(options.mib) * MIB;
const large = Number(options.large) * MIB;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const folder = await stageFolder();
const stage = {
  folder,
  server: await startStarling({ folder }),
  tracker: await startTracker(),
  origin: await startOrigin({ mounts: { '/pages': here('pages'), '/vendor': here('../node_modules') } }),
};
const file = await noise(path.join(folder, 'file.bin'), Number(options.mib));

/** A contestant: the groups it is of, and one run of it. */
const CONTESTANTS = {
  channel: ['tabs', () => channel(stage, bytes)],
  ours: ['tabs many', () => ours(stage, file)],
  webtorrent: ['tabs many', () => webtorrent(stage, file)],
  four: ['many', () => ours(stage, file, RECEIVERS)],
  webtorrentFour: ['many', () => webtorrent(stage, file, RECEIVERS)],
  resume: ['resume', () => resume(stage, file, bytes)],
  native: ['native', () => nativeToNative(stage, file, bytes)],
  stock: ['native', () => load(options.stock, [bytes, STOCK_MESSAGE_BYTES])],
  toTab: ['native', () => nativeToTab(stage, file)],
  fromTab: ['native', () => tabToNative(stage, file, bytes)],
  alone: ['tab', () => tabAlone(stage, Number(options.mib))],
};
const isWanted = (name) => CONTESTANTS[name][0].split(' ').some((group) => only.includes(group));
const wanted = Object.keys(CONTESTANTS).filter((name) => isWanted(name) && (name !== 'stock' || options.stock));

/** What one run tells, in the units of the report. */
function measured(run) {
  const rate = (ms) => Math.round((bytes / 1e5 / ms) * 1000) / 10;
  const row = { ...run };
  if (run.ms) Object.assign(row, { mb_per_s: rate(run.ms), mbit_per_s: Math.round((bytes * 8) / run.ms / 1000), s: Math.round(run.ms / 100) / 10 });
  if (run.makeMs) row.made_mb_per_s = rate(run.makeMs);
  if (run.allMs) row.all_mb_per_s = rate(run.allMs);
  if (run.cpuS) row.cpu_s_per_gbit = Math.round((run.cpuS / ((bytes * 8) / 1e9)) * 100) / 100;
  if (run.hashMs) Object.assign(row, { hash_mb_per_s: rate(run.hashMs), store_mb_per_s: rate(run.storeMs) });
  if (run.twiceBlocks !== undefined) row.twiceBlocks = Math.max(Math.round(run.twiceBlocks * 10) / 10, 0);
  return row;
}

/** All rounds; who begins changes with each. A contestant that fails fails alone, and the report says so. */
async function rounds() {
  const found = {};
  for (let round = 0; round < Number(options.rounds); round += 1) {
    const first = round % Math.max(wanted.length, 1);
    for (const name of [...wanted.slice(first), ...wanted.slice(0, first)]) {
      await warm(file);
      try {
        const row = measured(await CONTESTANTS[name][1]());
        console.log(`${name} ${JSON.stringify(row)}`);
        (found[name] ??= []).push(row);
      } catch (error) {
        console.error(`${name} failed: ${error.message}`);
      }
    }
  }
  return found;
}

async function largeFile() {
  if (!only.includes('heap')) return null;
  const big = await noise(path.join(folder, 'large.bin'), Number(options.large));
  const row = await heap(stage, big);
  console.log(`heap ${JSON.stringify(row)}`);
  await fs.rm(big);
  return row;
}

/** What became of a promise; `value` is no number where a side of it was not measured. */
const promise = (words, value, holds) => `${words}: ${Number.isNaN(Number(value)) ? 'not measured' : holds(Number(value)) ? 'kept' : '**missed**'}`;

function table(found, memory) {
  const line = (what, value, beside, goal) => `| ${what} | ${value} | ${beside} | ${goal} |`;
  const speed = (title, name) => line(title, cell(found[name], 'mb_per_s', 'MB/s'), `${cell(found[name], 'cpu_s_per_gbit')} CPU s per Gbit`, '');
  const lines = [];
  if (only.includes('tabs')) {
    const [beside, other] = [ratio(found.ours, found.channel, 'mb_per_s'), ratio(found.ours, found.webtorrent, 'mb_per_s')];
    lines.push(
      speed('a bare data channel from tab to tab', 'channel'),
      speed('ours from tab to tab', 'ours'),
      line('the same, of the bare channel', beside, '', promise(`≥ ${GOALS.channel}`, beside, (value) => value >= GOALS.channel)),
      speed('npm `webtorrent` from tab to tab', 'webtorrent'),
      line('ours, of `webtorrent`', other, '', 'none'),
      line('making a share: read, sealed, hashed', cell(found.ours, 'made_mb_per_s', 'MB/s'), `\`webtorrent\`: ${cell(found.webtorrent, 'made_mb_per_s', 'MB/s')}`, ''),
    );
  }
  if (only.includes('many')) {
    const times = ratio(found.four, found.ours, 'ms');
    const theirs = ratio(found.webtorrentFour, found.webtorrent, 'ms');
    lines.push(
      line(`one to ${RECEIVERS} tabs, until the last has all`, cell(found.four, 's', 's'), `one to one: ${cell(found.ours, 's', 's')}`, ''),
      line('times as long as one to one', times, `\`webtorrent\`: ${theirs}`, promise(`≤ ${GOALS.many}`, times, (value) => value <= GOALS.many)),
    );
  }
  if (found.resume) {
    const most = Math.max(...found.resume.map(({ twiceBlocks }) => twiceBlocks));
    lines.push(line('fetched twice because of a reload at half, in blocks of 1 MiB, one neighbour', cell(found.resume, 'twiceBlocks'), '', promise(`≤ ${GOALS.resumeBlocks}`, most, (value) => value <= GOALS.resumeBlocks)));
  }
  if (found.alone) lines.push(line('a tab alone: SHA-256 of blocks; into IndexedDB', `${cell(found.alone, 'hash_mb_per_s', 'MB/s')}; ${cell(found.alone, 'store_mb_per_s', 'MB/s')}`, '', ''));
  if (only.includes('native')) lines.push(...nativeLines(found, line));
  if (memory) {
    const size = `${Number(options.large).toLocaleString('en')} MiB`;
    const shown = (value) => `${value.toFixed(1)} MiB`;
    const small = (most) => promise(`< ${GOALS.heapMib} MiB`, most, (value) => value < GOALS.heapMib);
    lines.push(
      line(`most a receiver's page holds while ${size} come`, shown(memory.fetching), `before: ${shown(memory.before)}; JavaScript's heap at most ${shown(memory.heap)}, memory of WebAssembly ${shown(memory.wasm)}`, small(memory.fetching)),
      line('and while they are saved as a download', shown(memory.saving), `came in ${Math.round(memory.ms / 1000)} s, saved in ${Math.round(memory.saveMs / 1000)} s`, small(memory.saving)),
    );
  }
  return lines.join('\n');
}

function nativeLines(found, line) {
  const times = ratio(found.native, found.stock, 'mbit_per_s');
  const written = (name) => `until the file is written: ${cell(found[name], 'all_mb_per_s', 'MB/s')}`;
  return [
    line('`starling seed` to `starling get`', cell(found.native, 'mbit_per_s', 'Mbit/s'), `${written('native')}; ${cell(found.native, 'cpu_s_per_gbit')} CPU s per Gbit`, ''),
    line(`\`webrtc\` 0.21.1 as it comes, messages of ${STOCK_MESSAGE_BYTES / 1024} KiB`, cell(found.stock, 'mbit_per_s', 'Mbit/s'), '', ''),
    line('ours, of that', times, '', promise(`≥ ${GOALS.stock}`, times, (value) => value >= GOALS.stock)),
    line('`starling seed` to a tab of Chromium', cell(found.toTab, 'mb_per_s', 'MB/s'), '', ''),
    line('a tab of Chromium to `starling get`', cell(found.fromTab, 'mb_per_s', 'MB/s'), written('fromTab'), ''),
  ];
}

const where = await conditions();
const { chromium } = await versions();
const found = await rounds();
const memory = await largeFile();
const text = `## Files

${where}; ${chromium}; a file of ${options.mib} MiB of noise; ${options.rounds} rounds that took turns. Median (least-most).

| | | beside it | goal |
|---|---|---|---|
${table(found, memory)}

Runs that came to their end: ${wanted.map((name) => `${name} ${found[name]?.length ?? 0} of ${options.rounds}`).join(', ')}.

- Every tab is a Chromium of its own with a fresh profile on the disk, so four receivers are five browsers on these cores. Ours and \`webtorrent\` are timed from the choice to take the file, when names are known and somebody is there, until all of it is checked and stored; ours is seen up to 0.4 s late, for so often its page looks. The bare channel has messages of 60 KiB, as ours; nothing is checked, encrypted again or stored.
- \`webtorrent\` with its defaults, but for a tracker on this machine and no other server.
- Between command lines: from the first to the last telling of \`get --json\`, checked and stored, and below that with starting, meeting and writing the file at the end.
- CPU is of all browsers, the server and this driver, while it was timed.
- Memory: V8's heap, Blink's, and buffers, with the memory of WebAssembly, sampled every 50 ms, garbage included. \`tests/bench/files.mjs\`, \`tests/bench/transfers.mjs\`.`;
await writeSection('files', 'files.mjs', text, options.dry);
await stage.server.close();
await stage.origin.close();
await fs.rm(folder, { recursive: true, force: true });
process.exit(0);
