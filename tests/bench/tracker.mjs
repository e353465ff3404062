#!/usr/bin/env node
// The tracker against npm `bittorrent-tracker`: processor time of an announce and of an offer that is answered, and
// memory of an idle socket. They take turns, so that a busy minute of the machine hits both. Writes the section
// "Tracker" of docs/bench.md.
//
//   cargo xtask bench tracker [--rounds 3] [--seconds 6] [--idle 9000] [--aquatic PROGRAM] [--dry]
//
// `--aquatic` is an `aquatic_ws` (from crates.io), measured as well.
// It is given two programs, examples of the signaling server: `--load`, and `--server`, without which the whole
// `starling` is measured.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { endsWithUs } from '../rig/process.mjs';
import { freePort, startStarling } from '../rig/starling.mjs';
import { SIGNALING, cell, conditions, load, ratio, startProgram, stop, writeSection } from './programs.mjs';

const TRACKER_SETTINGS = 'messages_per_socket_per_s = 10000000\noffers_per_swarm_per_s = 0\n';

const { values: options } = parseArgs({
  options: {
    load: { type: 'string' },
    server: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    idle: { type: 'string', default: '9000' },
    aquatic: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
});

const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-tracker-'));

const SERVERS = {
  async ours() {
    if (options.server) {
      const file = path.join(folder, 'settings.toml');
      await fs.writeFile(file, `${SIGNALING}[tracker]\n${TRACKER_SETTINGS}`);
      return startProgram(options.server, ['127.0.0.1:0', file]);
    }
    const config = `[signaling]\n${SIGNALING}[signaling.tracker]\n${TRACKER_SETTINGS}`;
    const server = await startStarling({ folder, config });
    return { pid: server.child.pid, host: server.url.replace('http://', ''), close: server.kill };
  },
  theirs: () => startProgram(process.execPath, [fileURLToPath(new URL('tracker-theirs.mjs', import.meta.url))]),
};
if (options.aquatic) SERVERS.aquatic = aquatic;

/** As many workers as we have threads on two cores; what bounds a stranger is lifted here as well. */
async function aquatic() {
  const [port, file] = [await freePort(), path.join(folder, 'aquatic.toml')];
  await fs.writeFile(file, `socket_workers = 1\nswarm_workers = 1\nlog_level = "error"\n[network]\naddress = "127.0.0.1:${port}"\nonly_ipv6 = false\n[protocol]\nmax_offers = 10\n`);
  const child = endsWithUs(spawn(options.aquatic, ['-c', file], { stdio: ['ignore', 'ignore', 'inherit'] }));
  await listening(port);
  return { pid: child.pid, host: `127.0.0.1:${port}`, close: () => stop(child) };
}

/** Resolves when somebody listens on this port. */
async function listening(port) {
  for (let look = 0; look < 100; look += 1) {
    const found = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (found) return;
    await sleep(100);
  }
  throw new Error(`nobody listens on ${port}`);
}

async function measure(server, kind, more = []) {
  const { pid, host, close } = await SERVERS[server]();
  try {
    await sleep(500);
    const where = kind.includes('signal') ? 'signal' : 'announce';
    const found = await load(options.load, [kind, '--url', `ws://${host}/${where}`, '--pid', pid, '--seconds', options.seconds, ...more]);
    console.log(`${server} ${kind} ${JSON.stringify(found)}`);
    assert.equal(found.failed + found.closed + found.failures, 0, `${server} ${kind} went well`);
    return found;
  } finally {
    await close();
  }
}

const ROWS = [
  { title: 'processor time of an announce without offers', kind: 'announces', unit: 'µs', of: 'us_per_announce' },
  { title: 'of an announce with five offers, nobody answers', kind: 'offers', unit: 'µs', of: 'us_per_announce' },
  { title: 'of an offer that is answered', kind: 'answers', unit: 'µs', of: 'us_per_answer' },
  { title: 'answered offers per second, both cores shared with the load', kind: 'answers', unit: '', of: 'answers_per_s' },
  { title: 'resident memory of an idle socket', kind: 'idle', unit: 'KiB', of: 'kib_per_socket', sockets: options.idle },
  { title: 'of an idle socket of `/signal`', kind: 'idle-signal', unit: 'KiB', of: 'kib_per_socket', sockets: options.idle, only: 'ours' },
  { title: 'processor time of a description handed on by `/signal`', kind: 'signals', unit: 'µs', of: 'us_per_answer', only: 'ours' },
];

/** All kinds, all rounds, taking turns. */
async function rounds() {
  const found = {};
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const kind of new Set(ROWS.map((row) => row.kind))) {
      const { sockets, only } = ROWS.find((row) => row.kind === kind);
      for (const server of Object.keys(SERVERS).filter((name) => !only || name === only)) {
        const more = sockets ? ['--sockets', sockets] : [];
        ((found[kind] ??= {})[server] ??= []).push(await measure(server, kind, more));
      }
    }
  }
  return found;
}

async function aquaticVersion() {
  const { stdout } = await promisify(execFile)(options.aquatic, ['--version']).catch(() => ({ stdout: '' }));
  return stdout.trim().split(' ').at(-1);
}

const where = await conditions();
const found = await rounds();
const lines = ROWS.map(({ title, kind, of, unit }) => {
  const { ours, theirs, aquatic: third } = found[kind];
  const cells = [cell(ours, of, unit), cell(theirs, of, unit), ratio(ours, theirs, of)];
  if (options.aquatic) cells.push(cell(third, of, unit), ratio(ours, third, of));
  return `| ${title} | ${cells.join(' | ')} |`;
});
const more = options.aquatic ? [` aquatic_ws ${await aquaticVersion()} | ratio |`, '---|---|'] : ['', ''];
const text = `## Tracker

${where}${options.server ? ' of the signaling server alone' : ''}, Node ${process.version}; ${options.rounds} rounds that took turns. Median (least-most).

| | ours | npm bittorrent-tracker 11.2.3 | ratio |${more[0]}
|---|---|---|---|${more[1]}
${lines.join('\n')}

500 sockets in 25 swarms, descriptions of 600 bytes, names of all byte values, every socket with one announce in flight; time of all threads, in user and system mode, from \`/proc\`. Idle: ${options.idle} sockets that announced once. \`tests/bench/tracker.mjs\`, \`tests/load\`.`;
await writeSection('tracker', 'tracker.mjs', text, options.dry);
await fs.rm(folder, { recursive: true, force: true });
process.exit(0);
