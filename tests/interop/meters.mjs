#!/usr/bin/env node
// Files of meters against other implementations: PyPI `nemreader`, `greenbutton-objects` and `dsmr-parser` find the same
// energy in every register as `starling meter inspect`, and refuse the same telegrams. Closes with the line
// `N passed, M failed`.
//
//   node tests/interop/meters.mjs
//
// Needs a built `starling` (STARLING_BIN, or the newest build) and the Python packages of `requirements.txt` beside
// this file (in PYTHONPATH). The files are those of the crate's own tests; a feed with several blocks in one entry is
// not among them: `greenbutton-objects` reads only the first.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { starlingBinary } from '../rig/starling.mjs';

const exec = promisify(execFile);
const STARLING = starlingBinary();
const PYTHON = process.env.PYTHON ?? 'python3';
const SCRIPT = fileURLToPath(new URL('./meters.py', import.meta.url));
const DATA = fileURLToPath(new URL('../../crates/meter-data/tests/data/', import.meta.url));

async function ours(file) {
  const { stdout } = await exec(STARLING, ['meter', 'inspect', file, '--json']);
  return JSON.parse(stdout);
}

async function theirs(what, file) {
  const running = exec(PYTHON, [SCRIPT]);
  running.child.stdin.end(JSON.stringify({ what, path: file }));
  return JSON.parse((await running).stdout);
}

/** Wh by meter and register, as ours tells it. */
function registers({ meters }) {
  const all = meters.flatMap(({ id, channels }) => channels.map(({ name, total_wh: wh }) => [`${id} ${name}`, wh]));
  return Object.fromEntries(all);
}

/** Files, and how many registers each has: none in both would agree, too. */
const TABLES = {
  nem12: {
    'ours/nem12_registers.csv': 3,
    'ours/nem12_wrong.csv': 1,
    'nem12/multiple_quality.csv': 1,
    'nem12/different_interval_length.csv': 2,
    'nem12/substituted_interval.csv': 1,
  },
  espi: { 'ours/espi_hours.xml': 2 },
};
const READERS = { nem12: 'nemreader', espi: 'greenbutton-objects' };
/** Files of telegrams, and how many of each are spoiled. */
const TELEGRAMS = { 'ours/dsmr_v5.txt': 1, 'ours/dsmr_v4.txt': 0, 'ours/dsmr_belgium.txt': 0 };

const tests = [];
for (const [what, files] of Object.entries(TABLES)) {
  for (const [name, count] of Object.entries(files)) {
    tests.push([`PyPI ${READERS[what]} finds the same energy in ${name}`, async () => {
      const file = path.join(DATA, name);
      const found = registers(await ours(file));
      assert.equal(Object.keys(found).length, count);
      assert.deepEqual(await theirs(what, file), found);
    }]);
  }
}
for (const [name, spoiled] of Object.entries(TELEGRAMS)) {
  tests.push([`PyPI dsmr-parser finds the same energy in ${name}, and refuses the same telegrams`, async () => {
    const file = path.join(DATA, name);
    const { meters, problems } = await ours(file);
    assert.equal(meters.length, 1);
    const refused = problems.filter(({ code }) => code === 'checksum').length;
    assert.equal(refused, spoiled);
    const [{ import_wh: taken, export_wh: given }] = meters;
    assert.deepEqual(await theirs('dsmr', file), { import: taken, export: given, refused });
  }]);
}

let failed = 0;
for (const [title, test] of tests) {
  const start = performance.now();
  try {
    await test();
    console.log(`ok     ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`failed ${title}\n${error.stack}`);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
