#!/usr/bin/env node
// Runs the end-to-end tests.
//
//   node tests/e2e/run.mjs [part of a file name …]

import { runFolder } from '../rig/runner.mjs';

/** No assertion in these is about time: they wait for what must come. Durations that they print are of a shared machine. */
const PATIENT = [
  'app', 'energy', 'file-tag', 'files', 'gateway', 'host', 'identity', 'keeping', 'ledger', 'lending', 'liquidations', 'native', 'payments', 'preview',
  'share-page', 'share-target',
];

await runFolder(new URL('.', import.meta.url), { patient: PATIENT });
