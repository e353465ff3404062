#!/usr/bin/env node
// Runs the tests in network namespaces. Where none can be made, says why and what to do, and runs nothing.
//
//   sudo node tests/netns/run.mjs [part of a file name …]

import { runFolder } from '../rig/runner.mjs';
import { whyNot } from './netns.mjs';

/** Each has an internet of its own and mostly waits for the browsers' own timers. The longest first. */
const PATIENT = ['address', 'apart', 'firewall', 'nat', 'restart', 'firefox', 'ipv6'];

const reason = await whyNot();
if (reason === null) await runFolder(new URL('.', import.meta.url), { patient: PATIENT });
else console.log(`not run: ${reason}`);
