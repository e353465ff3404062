#!/usr/bin/env node
// Two nodes over NATS against one: how long a description is on its way from peer to peer, and what it costs. They
// take turns, so that a busy minute of the machine hits both. Writes the section "Nodes" of docs/bench.md.
//
//   cargo xtask bench nodes [--rounds 5] [--seconds 10] [--sockets 400] [--every-ms 100] [--dry]
//
// It is given two programs, examples of the signaling server: `--load` and `--server`.

import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { SIGNALING, cell, conditions, load, median, startProgram, stop, writeSection } from './programs.mjs';

/** What two nodes may add to the 99th percentile, in milliseconds. */
const GOAL_MS = 20;

const { values: options } = parseArgs({
  options: {
    load: { type: 'string' },
    server: { type: 'string' },
    nats: { type: 'string', default: 'nats-server' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    sockets: { type: 'string', default: '400' },
    'every-ms': { type: 'string', default: '100' },
    dry: { type: 'boolean', default: false },
  },
});

const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-nodes-'));
const settings = path.join(folder, 'settings.toml');
await fs.writeFile(settings, SIGNALING);

async function startNats() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  const child = spawn(options.nats, ['--addr', '127.0.0.1', '--port', port], { stdio: 'ignore' });
  for (let turn = 0; ; turn += 1) {
    const isThere = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isThere) return { child, url: `nats://127.0.0.1:${port}` };
    if (turn === 100 || child.exitCode !== null) throw new Error(`${options.nats} does not listen`);
    await sleep(50);
  }
}

/** The value of a line of a server's metrics. */
async function metric({ host }, name) {
  const text = await (await fetch(`http://${host}/metrics`)).text();
  return Number(text.split('\n').find((line) => line.startsWith(`${name} `)).split(' ')[1]);
}

const HOSTS = {
  async one() {
    return [await startProgram(options.server, ['127.0.0.1:0', settings])];
  },
  async two() {
    const nats = await startNats();
    const nodes = [];
    for (let node = 0; node < 2; node += 1) nodes.push(await startProgram(options.server, ['127.0.0.1:0', settings, nats.url]));
    while ((await metric(nodes[0], 'starling_signaling_nodes')) < 2) await sleep(50);
    return [...nodes, { close: () => stop(nats.child) }];
  },
};

async function measure(host) {
  const parts = await HOSTS[host]();
  const [first, second] = parts.filter((part) => part.pid);
  try {
    const other = second ? ['--other-url', `ws://${second.host}/signal`, '--other-pid', second.pid] : [];
    const words = ['latency', '--url', `ws://${first.host}/signal`, '--pid', first.pid, '--sockets', options.sockets];
    const found = await load(options.load, [...words, '--every-ms', options['every-ms'], '--seconds', options.seconds, ...other]);
    console.log(`${host} ${JSON.stringify(found)}`);
    if (found.failed + found.closed + found.gone > 0) throw new Error(`${host}: sockets or signals were lost`);
    return found;
  } finally {
    for (const part of parts) await part.close();
  }
}

const where = await conditions();
const found = { one: [], two: [] };
for (let round = 0; round < Number(options.rounds); round += 1) {
  for (const host of Object.keys(HOSTS)) found[host].push(await measure(host));
}
const row = (title, of, unit) => `| ${title} | ${cell(found.one, of, unit)} | ${cell(found.two, of, unit)} |`;
const more = median(found.two.map((run) => run.p99_ms)) - median(found.one.map((run) => run.p99_ms));
const { stdout: version } = await promisify(execFile)(options.nats, ['--version']);
const text = `## Nodes

${where}; ${options.rounds} rounds of ${options.seconds} s that took turns. Median (least-most).

| | one node | two nodes over NATS |
|---|---|---|
${[
  row('a description is on its way, p50', 'p50_ms', 'ms'),
  row('p99', 'p99_ms', 'ms'),
  row('longest', 'max_ms', 'ms'),
  row('descriptions per second', 'signals_per_s', ''),
  row('processor time of one, of all nodes, NATS apart', 'us_per_signal', 'µs'),
].join('\n')}

Goal: p99 of two nodes at most that of one + ${GOAL_MS} ms: ${more <= GOAL_MS ? 'kept' : '**missed**'} (${more.toFixed(2)} ms). ${options.sockets} peers in swarms of 20, in pairs whose halves are on different nodes; each sends its partner a description of 600 bytes every ${options['every-ms']} ms. ${version.trim()} of Debian, one server. Time on the way is from before it is sent to after it is read, in one process. \`tests/bench/nodes.mjs\`, \`tests/load/paced.rs\`.`;
await writeSection('nodes', 'nodes.mjs', text, options.dry);
await fs.rm(folder, { recursive: true, force: true });
process.exit(0);
