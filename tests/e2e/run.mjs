#!/usr/bin/env node
// Runs the end-to-end tests.
//
//   node tests/e2e/run.mjs [part of a file name …]

import { runFolder } from '../rig/runner.mjs';

await runFolder(new URL('.', import.meta.url));
