#!/usr/bin/env node
// The bench: every scenario with every player, alternating, in real browsers. Writes docs/bench.md and .json.
//
//   node tests/bench/run.mjs [--quick] [--scenario A,B] [--players starling,p2pml,hls] [--repeats N] [--out FOLDER] [--update]
//
// `--update` keeps the rows of the report that is there and that this run does not measure: they are read from
// bench.json beside it, which is committed with it. What each viewer saw is only in a report elsewhere (`--out`).
// `--quick` is a shorter story with half the viewers: its report goes to a temporary folder unless `--out` says
// otherwise, so that it never takes the place of a full one.

import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { temporaryFolder, versions } from '../rig/browser.mjs';
import { ensureMedia } from '../rig/media.mjs';
import { starlingBinary, WEB } from '../rig/starling.mjs';
import { forget, runOnce } from './once.mjs';
import { pool, report } from './report.mjs';
import { PLAYERS, quick, SCENARIOS } from './scenarios.mjs';

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

async function main() {
  const { values: options } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      scenario: { type: 'string', default: Object.keys(SCENARIOS).join() },
      players: { type: 'string', default: Object.keys(PLAYERS).join() },
      repeats: { type: 'string' },
      out: { type: 'string' },
      update: { type: 'boolean', default: false },
    },
  });
  const letters = known(options.scenario, SCENARIOS, 'scenario');
  const players = known(options.players, PLAYERS, 'player');
  const out = options.out ?? (options.quick ? await temporaryFolder('bench-report') : DOCS);
  const kept = options.update ? await readRows(out) : { scenarios: {}, rows: {} };
  if (players.includes('starling')) starlingBinary();
  await ensureMedia('bench-media');
  const work = await benchFolder();
  const results = { ...kept, conditions: await conditions(options.quick) };
  for (const letter of letters) {
    const scenario = options.quick ? quick(SCENARIOS[letter]) : SCENARIOS[letter];
    const rows = await measure(letter, scenario, players, Number(options.repeats ?? scenario.repeats ?? 1), work);
    const { commit } = results.conditions;
    for (const row of Object.values(rows)) row.commit = commit;
    results.scenarios[letter] = scenario;
    results.rows[letter] = { ...kept.rows[letter], ...rows };
    await writeReport(out, results);
  }
  await forget(work);
  console.log(`written: ${path.join(out, 'bench.md')}`);
}

/** Rows of the report in a folder. */
async function readRows(out) {
  const file = path.join(out, 'bench.json');
  const text = await fs.readFile(file, 'utf8').catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`--update keeps the rows of ${file}, which is not there: a whole run without --update writes it, to be committed with bench.md`);
  });
  return JSON.parse(text);
}

/** All repeats of one scenario; players take turns so that a busy minute of the machine hits each of them. */
async function measure(letter, scenario, players, repeats, work) {
  const runs = {};
  for (let turn = 0; turn < repeats; turn += 1) {
    for (const player of players.filter((each) => scenario.players?.includes(each) ?? true)) {
      const folder = path.join(work, `${letter}-${player}-${turn}`);
      await fs.mkdir(folder, { recursive: true });
      const row = await runOnce({ scenario, player, folder, web: WEB });
      await forget(folder);
      (runs[player] ??= []).push(row);
      console.log(line(letter, row));
    }
  }
  return Object.fromEntries(Object.entries(runs).map(([player, rows]) => [player, pool(rows)]));
}

/** Beside the media, so that segments can be linked instead of copied. */
async function benchFolder() {
  const parent = path.join(os.homedir(), '.cache', 'starling', 'bench-runs');
  await fs.mkdir(parent, { recursive: true });
  return fs.mkdtemp(path.join(parent, 'run-'));
}

function known(list, table, what) {
  const names = list.split(',');
  for (const name of names) if (!(name in table)) throw new Error(`unknown ${what} ${name}: expected one of ${Object.keys(table).join(', ')}`);
  return names;
}

async function conditions(isQuick) {
  const git = async (...args) => (await promisify(execFile)('git', args, { cwd: DOCS })).stdout.trim();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await git('rev-parse', '--short', 'HEAD').catch(() => 'unknown'),
    quick: isQuick,
    cores: os.cpus().length,
    memoryGB: Math.round(os.totalmem() / 2 ** 30),
    ...(await versions()),
  };
}

async function writeReport(out, results) {
  await fs.mkdir(out, { recursive: true });
  const told = out === DOCS ? withoutViewers(results) : results;
  await fs.writeFile(path.join(out, 'bench.json'), `${JSON.stringify(told, null, 1)}\n`);
  const file = path.join(out, 'bench.md');
  const before = await fs.readFile(file, 'utf8').catch(() => '');
  await fs.writeFile(file, report(results, before));
}

/** The same without what each viewer saw: no table shows it, and it is most of the bytes. */
function withoutViewers({ rows, ...rest }) {
  const slim = (measured) => Object.fromEntries(Object.entries(measured).map(([player, { each, ...row }]) => [player, row]));
  return { ...rest, rows: Object.fromEntries(Object.entries(rows).map(([letter, measured]) => [letter, slim(measured)])) };
}

function line(letter, row) {
  const shown = ['player', 'offload', 'overFetch', 'originSaved', 'startupMedianMs', 'startupMaxMs', 'stalls', 'stallMs', 'endedAll', 'corruptAppends', 'integrity', 'cpuS', 'otherCpuShare', 'wallS', 'errors'];
  return `${letter} ${JSON.stringify(Object.fromEntries(shown.map((name) => [name, row[name]])))}`;
}

await main();
process.exit(0);
