#!/usr/bin/env node
// Runs the end-to-end tests.
//
//   node tests/e2e/run.mjs [part of a file name …]

import { runFolder } from '../rig/runner.mjs';

/** Nothing in these is measured by time: they wait for what must come, as long as it takes. */
const PATIENT = ['file-tag', 'files', 'gateway', 'keeping', 'ledger', 'native', 'preview', 'share-page', 'share-target'];

await runFolder(new URL('.', import.meta.url), { patient: PATIENT });
