// Runs test files one after the other: they share the cores with the browsers they drive. Closes with the line
// `N passed, M failed`.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { ensureMedia } from './media.mjs';

const FILE_MS_MAX = 420_000;

/** Runs the `*.test.mjs` of a folder, or those whose names hold one of the words on the command line. */
export async function runFolder(folderUrl) {
  const folder = fileURLToPath(folderUrl);
  const wanted = process.argv.slice(2);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
    .sort()
    .map((name) => path.join(folder, name));
  await ensureMedia('e2e-media');
  const tally = { passed: 0, failed: 0 };
  const events = run({ files, concurrency: 1, timeout: FILE_MS_MAX });
  events.on('test:pass', ({ details }) => (tally.passed += details.type === 'suite' ? 0 : 1));
  events.on('test:fail', ({ details }) => (tally.failed += details.type === 'suite' ? 0 : 1));
  events.on('test:stderr', ({ message }) => process.stderr.write(message));
  events.compose(new spec()).pipe(process.stdout);
  events.on('end', () => {
    process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;
    process.once('exit', () => console.log(`${tally.passed} passed, ${tally.failed} failed`));
  });
}
