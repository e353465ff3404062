#!/usr/bin/env node
// The relay against Debian's coturn: processor time of a message between two clients of the relay, and between a
// client and a peer outside of it, at 120 and 1,200 bytes. They take turns, so that a busy minute of the machine hits
// both. Writes the section "Relay" of docs/bench.md.
//
//   cargo xtask bench relay [--rounds 5] [--seconds 4] [--dry]
//
// It is given two programs, examples of the relay: `--load` and `--server`.

import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import dgram from 'node:dgram';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { cell, conditions, load, median, ratio, startProgram, stop, writeSection } from './programs.mjs';

const SECRET = 'north of the river, 16';
const SIZES = [120, 1200];
const KINDS = {
  clients: 'from client to client of the relay',
  peer: 'to a peer outside, or from it',
};
/** What `docs/bench.md` promises of the medians. */
const GOALS = { clients: 0.65, peer: 0.9 };

const { values: options } = parseArgs({
  options: {
    load: { type: 'string' },
    server: { type: 'string' },
    coturn: { type: 'string', default: 'turnserver' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    dry: { type: 'boolean', default: false },
  },
});

const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-relay-'));

const SERVERS = {
  ours: () => startProgram(options.server, [SECRET]),
  theirs: async () => {
    const port = await freePort();
    const words = [
      '-n', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`, '--min-port=61000', '--max-port=65535',
      '--use-auth-secret', `--static-auth-secret=${SECRET}`, '--realm=starling', '--allow-loopback-peers', '--no-cli', '--no-tls',
      '--no-dtls', '--no-tcp', '--log-file=/dev/null', `--pidfile=${path.join(folder, 'coturn.pid')}`, `--userdb=${path.join(folder, 'none.sqlite')}`,
    ];
    const child = spawn(options.coturn, words, { stdio: 'ignore' });
    await untilAnswers(port, child);
    return { pid: child.pid, host: `127.0.0.1:${port}`, close: () => stop(child) };
  },
};

/** A port of UDP that was free a moment ago. */
async function freePort() {
  const socket = dgram.createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

/** Until a STUN binding request is answered. */
async function untilAnswers(port, child) {
  const request = Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), Buffer.alloc(12)]);
  const socket = dgram.createSocket('udp4').on('error', () => {});
  const answered = new Promise((resolve) => socket.once('message', resolve));
  try {
    for (let turn = 0; turn < 100; turn += 1) {
      if (child.exitCode !== null) throw new Error(`${options.coturn} ended with ${child.exitCode}`);
      socket.send(request, port, '127.0.0.1');
      if (await Promise.race([answered, sleep(100)])) return;
    }
    throw new Error(`${options.coturn} does not answer`);
  } finally {
    socket.close();
  }
}

async function measure(server, kind, size) {
  const { pid, host, close } = await SERVERS[server]();
  try {
    const found = await load(options.load, [kind, '--server', host, '--pid', pid, '--secret', SECRET, '--size', size, '--seconds', options.seconds]);
    console.log(`${server} ${kind} ${size} ${JSON.stringify(found)}`);
    return found;
  } finally {
    await close();
  }
}

/** All cases, all rounds, taking turns. */
async function rounds() {
  const found = {};
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const kind of Object.keys(KINDS)) {
      for (const size of SIZES) {
        for (const server of Object.keys(SERVERS)) {
          (((found[kind] ??= {})[size] ??= {})[server] ??= []).push(await measure(server, kind, size));
        }
      }
    }
  }
  return found;
}

function table(found) {
  const lines = [];
  for (const [kind, title] of Object.entries(KINDS)) {
    for (const size of SIZES) {
      const { ours, theirs } = found[kind][size];
      const kept = Number(ratio(ours, theirs, 'us_per_message')) <= GOALS[kind];
      lines.push(
        `| processor time of a message ${title}, ${size} B | ${cell(ours, 'us_per_message', 'µs')} | ${cell(theirs, 'us_per_message', 'µs')} | ${ratio(ours, theirs, 'us_per_message')} | ≤ ${GOALS[kind]}: ${kept ? 'kept' : '**missed**'} |`,
        `| messages per second | ${cell(ours, 'messages_per_s')} | ${cell(theirs, 'messages_per_s')} | ${ratio(ours, theirs, 'messages_per_s')} | |`,
        `| busy cores of the relay, messages lost | ${cell(ours, 'cores')}, ${median(ours.map((run) => run.lost_percent))} % | ${cell(theirs, 'cores')}, ${median(theirs.map((run) => run.lost_percent))} % | | |`,
      );
    }
  }
  return lines.join('\n');
}

const where = await conditions();
const { stdout } = await promisify(execFile)('dpkg-query', ['-W', '-f', '${Version}', 'coturn']).catch(() => ({ stdout: 'unknown' }));
const text = `## Relay

${where}; ${options.rounds} rounds that took turns. Median (least-most).

| | ours | coturn ${stdout.trim()} of Debian | ratio | goal |
|---|---|---|---|---|
${table(await rounds())}

Eight clients by UDP with 16 messages under way each, by ChannelData; time of all threads, in user and system mode, from \`/proc\`, for each message that arrived at either end. Every server is started anew for each measurement. coturn with its defaults but for the ports, credentials of the same kind, and no TCP, TLS and DTLS. \`tests/bench/relay.mjs\`, \`tests/load/relay.rs\`.`;
await writeSection('relay', 'relay.mjs', text, options.dry);
await fs.rm(folder, { recursive: true, force: true });
process.exit(0);
