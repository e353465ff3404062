// Runs test files: one after the other, for they share the cores with the browsers they drive; several at a time those
// that say they may. Closes with the line `N passed, M failed`.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { ensureMedia } from './media.mjs';

const FILE_MS_MAX = 900_000;

/** Files at a time, of those that are content with a part of the machine. */
const SIDE_BY_SIDE = { pairs: 2, patient: 3 };

/**
 * Runs the `*.test.mjs` of a folder, or those whose names hold one of the words on the command line. Those that
 * `pairs` and `patient` name (without `.test.mjs`) run after the others, side by side and in their order.
 */
export async function runFolder(folderUrl, { pairs = [], patient = [] } = {}) {
  const folder = fileURLToPath(folderUrl);
  const wanted = process.argv.slice(2);
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
    .sort();
  const stem = (name) => name.slice(0, -'.test.mjs'.length);
  const those = (some) => some.map((each) => `${each}.test.mjs`).filter((name) => names.includes(name));
  await ensureMedia('e2e-media');
  const tally = { passed: 0, failed: 0 };
  for (const [concurrency, some] of [
    [1, names.filter((name) => ![...pairs, ...patient].includes(stem(name)))],
    [SIDE_BY_SIDE.pairs, those(pairs)],
    [SIDE_BY_SIDE.patient, those(patient)],
  ]) {
    const files = some.map((name) => path.join(folder, name));
    if (files.length > 0) await runFiles(files, concurrency, tally);
  }
  process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
}

/** Runs files to their end; what they print comes file by file. */
async function runFiles(files, concurrency, tally) {
  const events = run({ files, concurrency, timeout: FILE_MS_MAX });
  events.on('test:pass', ({ details }) => (tally.passed += details.type === 'suite' ? 0 : 1));
  events.on('test:fail', ({ details }) => (tally.failed += details.type === 'suite' ? 0 : 1));
  events.on('test:stderr', ({ message }) => process.stderr.write(message));
  for await (const chunk of events.compose(new spec())) process.stdout.write(chunk);
}
