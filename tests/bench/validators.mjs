// Validators of a new ledger on loopback ports, as the benches of the ledger need them.

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dealValidators, startValidator } from '../rig/validators.mjs';
import { load, stop } from './programs.mjs';

const READY_MS_MAX = 60_000;

/** Starts `count` validators of a network of their own; `nodes` are their addresses, `key` is who holds everything. */
export async function startValidators(count) {
  const { folder, key, homes, settings, nodes } = await dealValidators(count);
  const children = settings.map(startValidator);
  const end = (signal) => Promise.all(children.map((child) => stop(child, signal)));
  const close = async () => {
    await end();
    await fs.rm(folder, { recursive: true, force: true });
  };
  try {
    for (const node of nodes) await untilBlocks(node, children);
  } catch (error) {
    await close();
    throw error;
  }
  return { nodes, folder, key, disks: homes, end, close };
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
