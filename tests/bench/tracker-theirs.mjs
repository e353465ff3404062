// npm `bittorrent-tracker` in a process of its own; prints its address.

import { startTracker } from '../rig/tracker.mjs';

const { url } = await startTracker();
console.log(url.replace('ws://', ''));
