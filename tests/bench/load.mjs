#!/usr/bin/env node
// The signaling server under load: many sockets held, joins and signals per second, slow readers, and everybody back at
// once after a restart. Writes the section "Load" of docs/bench.md.
//
//   cargo xtask bench load [--rounds 3] [--seconds 6] [--sockets 10000] [--dry]
//
// It is given two programs, examples of the signaling server: `--load` and `--server`.

import { spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { SIGNALING, cell, conditions, load, startProgram, stop, writeSection } from './programs.mjs';

/** What an idle socket may hold. */
const GOAL_KIB = 8;

const { values: options } = parseArgs({
  options: {
    load: { type: 'string' },
    server: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    sockets: { type: 'string', default: '10000' },
    dry: { type: 'boolean', default: false },
  },
});

const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-load-'));
const settings = path.join(folder, 'settings.toml');
await fs.writeFile(settings, SIGNALING);
const start = (address = '127.0.0.1:0') => startProgram(options.server, [address, settings]);

/** One kind of load on a server of its own. */
async function measure(kind, words) {
  const server = await start();
  try {
    const where = ['--url', `ws://${server.host}/signal`, '--pid', server.pid];
    return await load(options.load, [kind, ...where, '--seconds', options.seconds, ...words]);
  } finally {
    await server.close();
  }
}

/** All come in; the server says goodbye and another takes its port; all come back. */
async function storm() {
  const first = await start();
  const words = ['storm', '--url', `ws://${first.host}/signal`, '--pid', String(first.pid), '--sockets', options.sockets];
  const clients = spawn(options.load, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let second;
  try {
    for await (const line of readline.createInterface(clients.stdout)) {
      if (line !== 'ready') return JSON.parse(line);
      const from = performance.now();
      await stop(first.child, 'SIGTERM');
      second = await start(first.host);
      console.log(`restarted after ${Math.round(performance.now() - from)} ms`);
    }
    throw new Error('the storm ended without a report');
  } finally {
    await stop(clients);
    await first.close();
    await second?.close();
  }
}

const KINDS = {
  idle: () => measure('idle-signal', ['--sockets', options.sockets]),
  joins: () => measure('joins', ['--sockets', '500']),
  signals: () => measure('signals', ['--sockets', options.sockets]),
  slow: () => measure('slow', ['--sockets', '1000']),
  storm,
};

const where = await conditions();
const found = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]));
for (let round = 0; round < Number(options.rounds); round += 1) {
  for (const [kind, run] of Object.entries(KINDS)) {
    const row = await run();
    console.log(`${kind} ${JSON.stringify(row)}`);
    if (row.failed > 0 || (kind !== 'slow' && row.closed > 0)) throw new Error(`${kind}: sockets were lost`);
    found[kind].push(row);
  }
}
const row = (title, kind, of, unit = '') => `| ${title} | ${cell(found[kind], of, unit)} |`;
const sockets = Number(options.sockets).toLocaleString('en');
const text = `## Load

${where} of the signaling server alone; ${options.rounds} rounds. Median (least-most). The limits per address are lifted, those of queues are the defaults.

| \`/signal\` | |
|---|---|
${[
  row(`resident memory of each of ${sockets} sockets that joined and wait (goal: ≤ ${GOAL_KIB} KiB)`, 'idle', 'kib_per_socket', 'KiB'),
  row('joins per second, 500 sockets, each told of up to eight others', 'joins', 'announces_per_s'),
  row('processor time of a join and a leave', 'joins', 'us_per_announce', 'µs'),
  row(`descriptions per second between ${sockets} sockets, all in ping-pong`, 'signals', 'answers_per_s'),
  row('processor time of one', 'signals', 'us_per_answer', 'µs'),
  row('slow readers: 50 of 1,000 read nothing while their partners send 16 KB fifty times a second; all are closed after', 'slow', 'borne_s', 's'),
  row('memory each cost at the most', 'slow', 'kib_per_slow_socket', 'KiB'),
  row('p99 of the others’ descriptions, before', 'slow', 'calm_p99_ms', 'ms'),
  row('and meanwhile', 'slow', 'busy_p99_ms', 'ms'),
  row(`restart: ${sockets} peers are told to come back after, at the least`, 'storm', 'told_s_min', 's'),
  row('at the most', 'storm', 'told_s_max', 's'),
  row('most that came within one second', 'storm', 'busiest_per_s'),
  row('all are in their swarms again after', 'storm', 'all_back_s', 's'),
  row('attempts that failed', 'storm', 'failed_attempts'),
].join('\n')}

Descriptions of 600 bytes, swarms of 20. Clients run on the same two cores, with one thread. \`tests/bench/load.mjs\`, \`tests/load\`.`;
await writeSection('load', 'load.mjs', text, options.dry);
await fs.rm(folder, { recursive: true, force: true });
process.exit(0);
