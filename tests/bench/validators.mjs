// Validators of a new ledger on loopback ports, as the benches of the ledger need them.

import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endsWithUs } from '../rig/process.mjs';
import { freePort, starlingBinary } from '../rig/starling.mjs';
import { load, stop } from './programs.mjs';

const READY_MS_MAX = 60_000;

/** Starts `count` validators of a network of their own; `nodes` are their addresses, `key` is who holds everything. */
export async function startValidators(count) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-validators-'));
  const [port, httpPort] = [await portsInARow(count), await portsInARow(count)];
  const words = ['keys', 'network', '--validators', count, '--port', port, '--http-port', httpPort, '--out', folder];
  await promisify(execFile)(starlingBinary(), words.map(String));
  const children = Array.from({ length: count }, (_, index) => startValidator(path.join(folder, `validator-${index}.toml`)));
  const end = (signal) => Promise.all(children.map((child) => stop(child, signal)));
  const close = async () => {
    await end();
    await fs.rm(folder, { recursive: true, force: true });
  };
  const nodes = children.map((_, index) => `http://127.0.0.1:${httpPort + index}`);
  try {
    for (const node of nodes) await untilBlocks(node, children);
  } catch (error) {
    await close();
    throw error;
  }
  return { nodes, folder, key: path.join(folder, 'faucet.key'), disks: nodes.map((_, index) => path.join(folder, `validator-${index}`)), end, close };
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

async function untilBlocks(node, children) {
  const deadline = Date.now() + READY_MS_MAX;
  for (;;) {
    const answer = await fetch(`${node}/ledger/status`).catch(() => null);
    const height = (await answer?.json().catch(() => null))?.height ?? 0;
    if (height > 0) return;
    if (Date.now() > deadline || children.some(({ exitCode }) => exitCode !== null)) throw new Error(`no block at ${node}`);
    await sleep(100);
  }
}

/** What `use` gives back of a network of so many validators, which is started and ended for it. */
export async function withValidators(count, use) {
  const network = await startValidators(count);
  try {
    return await use(network);
  } finally {
    await network.close();
  }
}

/** What `ledger-load network` says of a network. */
export async function loadNetwork(program, { nodes, key, folder }, words = []) {
  const market = path.join(folder, 'market');
  await fs.mkdir(market, { recursive: true });
  return load(program, ['network', '--node', ...nodes, '--key', key, '--folder', market, ...words]);
}

/** The same of a network of so many validators of its own. */
export function measureNetwork(program, count, words = []) {
  return withValidators(count, (network) => loadNetwork(program, network, words));
}
