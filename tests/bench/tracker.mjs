#!/usr/bin/env node
// The tracker against npm `bittorrent-tracker`: processor time of an announce and of an offer that is answered, and
// memory of an idle socket. They take turns, so that a busy minute of the machine hits both. Writes the section
// "Tracker" of docs/bench.md.
//
//   cargo xtask bench tracker [--rounds 3] [--seconds 6] [--idle 9000] [--dry]
//
// It is given two programs, examples of the signaling server: `--load`, and `--server`, without which the whole
// `starling` is measured.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { startStarling } from '../rig/starling.mjs';

const DOCUMENT = fileURLToPath(new URL('../../docs/bench.md', import.meta.url));
const MARKS = ['<!-- tracker: written by tests/bench/tracker.mjs -->', '<!-- /tracker -->'];
/** One machine is the whole world here: what bounds a stranger would bound the load. */
const SETTINGS = `connections_per_ip_max = 100000
connects_per_ip_per_minute = 1000000
messages_per_ip_per_s = 10000000
messages_per_socket_per_s = 10000000
connections_max = 200000
`;
const TRACKER_SETTINGS = 'messages_per_socket_per_s = 10000000\noffers_per_swarm_per_s = 0\n';

const { values: options } = parseArgs({
  options: {
    load: { type: 'string' },
    server: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    idle: { type: 'string', default: '9000' },
    dry: { type: 'boolean', default: false },
  },
});

const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-tracker-'));

/** A program that prints its address first. */
async function startProgram(program, words, address) {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([
    new Promise((resolve) => readline.createInterface(child.stdout).once('line', (text) => resolve([text]))),
    new Promise((_, reject) => child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)))),
  ]);
  return { pid: child.pid, host: address(line), close: () => stop(child) };
}

function stop(child) {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  return gone;
}

const SERVERS = {
  async ours() {
    if (options.server) {
      const file = path.join(folder, 'settings.toml');
      await fs.writeFile(file, `${SETTINGS}[tracker]\n${TRACKER_SETTINGS}`);
      return startProgram(options.server, ['127.0.0.1:0', file], (line) => line);
    }
    const config = `[signaling]\n${SETTINGS}[signaling.tracker]\n${TRACKER_SETTINGS}`;
    const server = await startStarling({ folder, config });
    return { pid: server.child.pid, host: server.url.replace('http://', ''), close: server.kill };
  },
  theirs: () => startProgram(process.execPath, [fileURLToPath(new URL('tracker-theirs.mjs', import.meta.url))], (line) => line),
};

async function measure(server, kind, more = []) {
  const { pid, host, close } = await SERVERS[server]();
  try {
    await sleep(500);
    const where = kind.includes('signal') ? 'signal' : 'announce';
    const words = [kind, '--url', `ws://${host}/${where}`, '--pid', pid, '--seconds', options.seconds, ...more].map(String);
    const { stdout } = await promisify(execFile)(options.load, words);
    const found = JSON.parse(stdout);
    assert.equal(found.failed + found.closed + found.failures, 0, `${server} ${kind}: ${stdout}`);
    console.log(`${server} ${kind} ${stdout.trim()}`);
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

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

function section(found, load) {
  const cell = (runs, { of, unit }) => {
    if (!runs) return '-';
    const values = runs.map((run) => run[of]);
    const spread = `${Math.min(...values)}-${Math.max(...values)}`;
    return `${median(values)} ${unit} (${spread})`.replace('  ', ' ');
  };
  const ratio = ({ ours, theirs }, { of }) => (theirs ? (median(ours.map((run) => run[of])) / median(theirs.map((run) => run[of]))).toFixed(2) : '-');
  const lines = ROWS.map((row) => `| ${row.title} | ${cell(found[row.kind].ours, row)} | ${cell(found[row.kind].theirs, row)} | ${ratio(found[row.kind], row)} |`);
  return `## Tracker

Measured ${new Date().toISOString().slice(0, 10)}: ${os.cpus().length} cores, Node ${process.version}, release build${options.server ? ' of the signaling server alone' : ''}, ${options.rounds} rounds that took turns, load average at the start ${load}. Median (least-most).

| | ours | npm bittorrent-tracker 11.2.3 | ratio |
|---|---|---|---|
${lines.join('\n')}

500 sockets in 25 swarms, descriptions of 600 bytes, names of all byte values, every socket with one announce in flight; time of all threads, in user and system mode, from \`/proc\`. Idle: ${options.idle} sockets that announced once. \`tests/bench/tracker.mjs\`, \`tests/load\`.`;
}

const load = os.loadavg()[0].toFixed(1);
const text = section(await rounds(), load);
await fs.rm(folder, { recursive: true, force: true });
if (options.dry) {
  console.log(text);
} else {
  const before = await fs.readFile(DOCUMENT, 'utf8');
  const whole = `${MARKS[0]}\n${text}\n${MARKS[1]}`;
  const [start, end] = MARKS.map((mark) => before.indexOf(mark));
  const after = start < 0 ? `${before.trimEnd()}\n\n${whole}\n` : before.slice(0, start) + whole + before.slice(end + MARKS[1].length);
  await fs.writeFile(DOCUMENT, after);
}
process.exit(0);
