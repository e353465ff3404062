// A WebTorrent tracker on the loopback interface, for p2p-media-loader.

// Not the package's root: that pulls a native WebRTC stack.
import Server from 'bittorrent-tracker/server';

const ANNOUNCE_INTERVAL_MS = 120_000;

/** Starts a tracker; `url` is its WebSocket address. */
export async function startTracker() {
  const server = new Server({ udp: false, http: false, ws: true, stats: false, interval: ANNOUNCE_INTERVAL_MS });
  server.on('error', (error) => console.error(`tracker: ${error.message}`));
  server.on('warning', (warning) => console.error(`tracker: ${warning.message}`));
  await new Promise((resolve) => {
    server.once('listening', resolve);
    server.listen(0, '127.0.0.1');
  });
  return { url: `ws://127.0.0.1:${server.http.address().port}`, close: () => new Promise((resolve) => server.close(resolve)) };
}
