#!/usr/bin/env node
// Runs the tests in network namespaces. Where none can be made, says why and what to do, and runs nothing.
//
//   sudo node tests/netns/run.mjs [part of a file name …]

import { runFolder } from '../rig/runner.mjs';
import { whyNot } from './netns.mjs';

const reason = await whyNot();
if (reason === null) await runFolder(new URL('.', import.meta.url));
else console.log(`not run: ${reason}`);
