// Validators of a network of their own on loopback ports, as processes.

import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { endsWithUs } from './process.mjs';
import { freePort, starlingBinary } from './starling.mjs';

/**
 * Makes the keys of a network of `count` validators, none of which runs. `folder` has everything, `network` is the file
 * that they share, `key` is who holds everything; `listen` is where the first one listens for the others; of each one
 * `homes` are the secrets, `settings` the file to start it by, and `nodes` where it answers.
 */
export async function dealValidators(count, { heartbeatMs = 0 } = {}) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-validators-'));
  const [port, httpPort] = [await portsInARow(count), await portsInARow(count)];
  const words = ['keys', 'network', '--validators', count, '--port', port, '--http-port', httpPort, '--heartbeat-ms', heartbeatMs, '--out', folder];
  await promisify(execFile)(starlingBinary(), words.map(String));
  const each = (of) => Array.from({ length: count }, (_, index) => of(index));
  return {
    folder,
    network: path.join(folder, 'network.toml'),
    key: path.join(folder, 'faucet.key'),
    listen: `127.0.0.1:${port}`,
    homes: each((index) => path.join(folder, `validator-${index}`)),
    settings: each((index) => path.join(folder, `validator-${index}.toml`)),
    nodes: each((index) => `http://127.0.0.1:${httpPort + index}`),
  };
}

/** One validator, by its file of settings. */
export function startValidator(config) {
  const env = { ...process.env, RUST_LOG: 'warn' };
  return endsWithUs(spawn(starlingBinary(), ['validator', '--config', config], { stdio: ['ignore', 'ignore', 'inherit'], env }));
}

/** The first of that many ports in a row that were free a moment ago. */
async function portsInARow(count) {
  for (;;) {
    const first = await freePort();
    const free = Array.from({ length: count - 1 }, (_, index) => isFree(first + 1 + index));
    if ((await Promise.all(free)).every(Boolean)) return first;
  }
}

function isFree(port) {
  if (port > 65_535) return false;
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
