// `starling serve` as a part of the rig that runs inside a namespace: this process is there, so what it starts and
// what it asks is too.

import { startStarling } from '../rig/starling.mjs';

/** Starts the server with the options of {@link startStarling}. */
export async function start(options) {
  const server = await startStarling(options);
  return {
    url: server.url,
    metrics: () => server.metrics(),
    /** Without a word to anybody, as when the machine loses power. */
    kill: () => server.kill(),
    /** As it was before, with the same data and settings. */
    again: () => server.start(),
    stop: () => server.close(),
  };
}
