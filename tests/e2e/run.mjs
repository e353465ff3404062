#!/usr/bin/env node
// Runs the end-to-end tests.
//
//   node tests/e2e/run.mjs [part of a file name …]

import { runFolder } from '../rig/runner.mjs';

/** Deadlines in these are generous, and a browser of theirs leaves most of the machine idle. */
const PAIRS = ['saving', 'peers', 'playback', 'network', 'formats', 'origin', 'embed', 'package', 'relay'];
/**
 * No assertion in these is about time: they wait for what must come. Durations that they print are of a shared machine.
 * The longest first, so that none is alone at the end.
 */
const PATIENT = [
  'files', 'leaving', 'energy', 'energy-member', 'app', 'payments', 'fund', 'identity', 'credentials', 'hostile', 'outside', 'grants', 'gateway', 'native', 'preview', 'liquidations', 'lending', 'kept', 'assets', 'ledger-servers', 'ledger', 'ledger-neighbour', 'share-page', 'keeping',
  'push', 'file-tag', 'share-target', 'host', 'wallet',
];

await runFolder(new URL('.', import.meta.url), { pairs: PAIRS, patient: PATIENT });
