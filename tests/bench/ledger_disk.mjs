// What a ledger takes on the disk, and how long a validator with a large state takes to start.

import { promises as fs, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../rig/starling.mjs';
import { startValidator } from '../rig/validators.mjs';
import { load, stop } from './programs.mjs';
import { loadNetwork, withValidators } from './validators.mjs';

const PAYERS = 32;
/** Blocks that a filled ledger makes before it is started again: more than its disk begins with. */
const BLOCKS_BEFORE = 70;
const READY_MS_MAX = 600_000;
const LOOK_EVERY_MS = 10;

/** Bytes that transfers take on the disk of a validator alone which keeps everything; of these, its file of records. */
export async function measureDisk(program, each) {
  return withValidators(1, async (network) => {
    const words = (count) => ['--singles', '0', '--payers', PAYERS, '--each', count];
    // The accounts are there, and so is what files begin with.
    await loadNetwork(program, network, words(64));
    const [disk] = network.disks;
    const records = path.join(disk, 'records.redb');
    const before = { all: await allocated(disk), records: await allocated(records) };
    const { together } = await loadNetwork(program, network, words(each));
    // What it still has in memory is written.
    await network.end('SIGTERM');
    const grown = { all: (await allocated(disk)) - before.all, records: (await allocated(records)) - before.records };
    return { count: together.count, perS: together.per_s, bytes: grown.all, recordsBytes: grown.records };
  });
}

/** Bytes of the disk that a file, or all files of a folder, take. */
async function allocated(place) {
  const found = await fs.stat(place);
  if (!found.isDirectory()) return found.blocks * 512;
  const inside = (await fs.readdir(place)).map((name) => allocated(path.join(place, name)));
  return (await Promise.all(inside)).reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * A validator alone with as many accounts as are made in `seconds`, at most `accounts`, that is killed and started
 * again `rounds` times: milliseconds until it answers, and until a transfer handed over then is final.
 */
export async function measureRestart(program, { accounts, seconds, rounds }) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-filled-'));
  const [data, config] = [path.join(folder, 'ledger'), path.join(folder, 'validator.toml')];
  const [http, listen] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  let child = null;
  try {
    const filled = await load(program, ['fill', '--data', data, '--accounts', accounts, '--seconds', seconds]);
    console.log(`filled ${JSON.stringify(filled)}`);
    await fs.writeFile(config, `data = "ledger"\nhttp = "127.0.0.1:${http}"\nlisten = "127.0.0.1:${listen}"\n`);
    child = startValidator(config);
    await untilFinal(url, child);
    await loadNetwork(program, { nodes: [url], key: path.join(data, 'faucet.key'), folder }, ['--singles', BLOCKS_BEFORE, '--payers', 1, '--each', 1]);
    const rows = [];
    for (let round = 0; round < rounds; round += 1) {
      await stop(child);
      const began = performance.now();
      child = startValidator(config);
      await untilAnswers(url, child);
      const answersMs = Math.round(performance.now() - began);
      await untilFinal(url, child);
      const row = { answersMs, finalMs: Math.round(performance.now() - began), memoryMiB: residentMiB(child.pid) };
      console.log(`restart ${JSON.stringify(row)}`);
      rows.push(row);
    }
    return { ...filled, rows, bytes: await allocated(data) };
  } finally {
    if (child) await stop(child);
    await fs.rm(folder, { recursive: true, force: true });
  }
}

async function untilAnswers(url, child) {
  return until(child, async () => (await fetch(`${url}/ledger/status`).catch(() => null))?.ok);
}

/** Hands a gift of the faucet over and waits until it is final. */
async function untilFinal(url, child) {
  await untilAnswers(url, child);
  const account = randomBytes(32).toString('hex');
  const given = await fetch(`${url}/ledger/faucet/${account}`, { method: 'POST' });
  const { transaction } = await given.json();
  if (!transaction) throw new Error(`the faucet gave nothing: ${given.status}`);
  await until(child, async () => (await (await fetch(`${url}/ledger/receipts/${transaction}`)).json()).height > 0);
}

async function until(child, looks) {
  const deadline = Date.now() + READY_MS_MAX;
  while (!(await looks())) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the validator ended with ${child.exitCode ?? child.signalCode}`);
    if (Date.now() > deadline) throw new Error('the validator is not ready');
    await sleep(LOOK_EVERY_MS);
  }
}

function residentMiB(pid) {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(kib) / 1024);
}
