#!/usr/bin/env node
// Runs the end-to-end tests, one file after the other: they share two cores with the browsers they drive.
//
//   node tests/e2e/run.mjs [part of a file name …]

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureMedia } from '../rig/media.mjs';

const FILE_MS_MAX = 300_000;
const here = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .sort()
  .map((name) => path.join(here, name));

await ensureMedia('e2e-media');
const tests = spawn(process.execPath, ['--test', '--test-concurrency=1', `--test-timeout=${FILE_MS_MAX}`, '--test-reporter=spec', ...files], { stdio: 'inherit' });
tests.on('exit', (code) => process.exit(code ?? 1));
