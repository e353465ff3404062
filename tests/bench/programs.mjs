// What benches of servers share: programs that run for a while, and their section of docs/bench.md.

import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { endsWithUs } from '../rig/process.mjs';

const DOCUMENT = fileURLToPath(new URL('../../docs/bench.md', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Settings of a signaling server: one machine is the whole world here, and what bounds a stranger would bound the load. */
export const SIGNALING = `connections_per_ip_max = 100000
connects_per_ip_per_minute = 1000000
messages_per_ip_per_s = 10000000
messages_per_socket_per_s = 10000000
messages_per_swarm_per_s = 10000000
connections_max = 200000
`;

/** Starts a program that prints its address first; `address` makes of that line what is given back as `host`. */
export async function startProgram(program, words, address = (line) => line) {
  const child = endsWithUs(spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] }));
  const line = await Promise.race([
    new Promise((resolve) => readline.createInterface(child.stdout).once('line', resolve)),
    new Promise((_, reject) => child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)))),
  ]);
  return { child, pid: child.pid, host: address(line), close: () => stop(child) };
}

/** Ends a program and waits until it has. */
export function stop(child, signal = 'SIGKILL') {
  if (child.exitCode !== null || child.signalCode !== null) return undefined;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return gone;
}

/** Runs a program to its end and reads the one line of JSON it prints. */
export async function load(program, words) {
  const { stdout } = await promisify(execFile)(program, words.map(String));
  return JSON.parse(stdout);
}

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** A cell of a table: the median of some runs, with the least and the most. */
export function cell(runs, of, unit = '') {
  if (!runs?.length) return '-';
  const values = runs.map((run) => run[of]);
  const shown = (number) => number.toLocaleString('en');
  return `${shown(median(values))}${unit && ` ${unit}`} (${shown(Math.min(...values))}-${shown(Math.max(...values))})`;
}

/** The quotient of two medians. */
export function ratio(ours, theirs, of) {
  if (!ours?.length || !theirs?.length) return '-';
  return (median(ours.map((run) => run[of])) / median(theirs.map((run) => run[of]))).toFixed(2);
}

/** What figures depend on; ask it before the load. */
export async function conditions() {
  const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT });
  const [minute] = os.loadavg();
  return `Measured ${new Date().toISOString().slice(0, 10)} at \`${stdout.trim()}\`: ${os.cpus().length} cores that servers and load share, loopback interface, release build, load average at the start ${minute.toFixed(1)}`;
}

/** Puts a section between its marks in docs/bench.md, in place of an older one; only prints it when `dry`. */
export async function writeSection(name, script, text, dry) {
  if (dry) return console.log(text);
  const marks = [`<!-- ${name}: written by tests/bench/${script} -->`, `<!-- /${name} -->`];
  const before = await fs.readFile(DOCUMENT, 'utf8');
  const whole = `${marks[0]}\n${text}\n${marks[1]}`;
  const [start, end] = marks.map((mark) => before.indexOf(mark));
  const after = start < 0 ? `${before.trimEnd()}\n\n${whole}\n` : before.slice(0, start) + whole + before.slice(end + marks[1].length);
  return fs.writeFile(DOCUMENT, after);
}
