// The real server: `starling serve` and `starling publish` of the built binary.

import { execFile, spawn } from 'node:child_process';
import { createWriteStream, existsSync, promises as fs, statSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { layOut } from './media.mjs';
import { endsWithUs } from './process.mjs';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const READY_MS_MAX = 30_000;

/** The web bundle. */
export const WEB = process.env.STARLING_WEB ?? path.join(REPOSITORY, 'dist', 'web');

/** The binary: `STARLING_BIN` (or `STARLING`, as the chores set it), or the newer of the release and the debug build. */
export function starlingBinary() {
  const given = process.env.STARLING_BIN ?? process.env.STARLING;
  if (given) return given;
  const target = process.env.CARGO_TARGET_DIR ?? path.join(os.homedir(), '.cache', 'starling', 'target');
  const built = ['release', 'debug'].map((profile) => path.join(target, profile, 'starling')).filter((file) => existsSync(file));
  if (built.length === 0) throw new Error(`no starling binary in ${target}: build it with \`cargo build -p starling\` or set STARLING_BIN`);
  return built.reduce((a, b) => (statSync(b).mtimeMs > statSync(a).mtimeMs ? b : a));
}

/** A port of the loopback interface that was free a moment ago. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts `starling serve` and waits until it is ready.
 *
 * Options: `folder` (data, configuration and log go there), `media` (folder to serve; by default a stream of two
 * segments that nobody watches, since without one the server would encode its demo), `config` (TOML text), `port`
 * (0: any free one), `address` (of the loopback interface by default), `scheme` (`https` where `config` has TLS).
 */
export async function startStarling({ folder, media, config = '', port = 0, address = '127.0.0.1', scheme = 'http' }) {
  const listen = port || (await freePort());
  const configFile = path.join(folder, 'starling.toml');
  const data = path.join(folder, 'data');
  await fs.mkdir(data, { recursive: true });
  await fs.writeFile(configFile, config);
  if (!media) await layOut('e2e-media', (media = path.join(folder, 'unwatched')), { segments: 2, renditions: ['lo'] });
  const args = ['serve', '--listen', `${address}:${listen}`, '--data', data, '--config', configFile, '--media', media];
  const url = `${scheme}://${address}:${listen}`;
  const log = path.join(folder, 'starling.log');
  const server = { url, port: listen, data, log, signal: `${url.replace('http', 'ws')}/signal`, child: null };
  server.start = () => startChild(server, args);
  server.kill = () => stopChild(server, 'SIGKILL');
  server.close = () => stopChild(server, 'SIGTERM');
  server.metrics = async () => (await fetch(`${url}/metrics`)).text();
  await server.start();
  return server;
}

/** Configuration that lets the server vouch for segments of an origin. */
export function witnessConfig(originUrl) {
  return `[signaling.witness]\norigins = ["${originUrl}"]\n`;
}

async function startChild(server, args) {
  const child = endsWithUs(spawn(starlingBinary(), args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  server.child = child;
  const log = createWriteStream(server.log, { flags: 'a' });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const deadline = Date.now() + READY_MS_MAX;
  while (!(await answers(`${server.url}/readyz`))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      const text = await fs.readFile(server.log, 'utf8').catch(() => '');
      throw new Error(`starling serve is not ready (exit code ${child.exitCode}):\n${text.slice(-2000)}`);
    }
    await sleep(50);
  }
}

async function stopChild(server, signal) {
  const { child } = server;
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(late);
}

async function answers(url) {
  return fetch(url).then((answer) => answer.ok, () => false);
}

/** Runs `starling publish --watch` beside a packager; resolves once the manifest is there. */
export async function publishWatch(folder, keyFolder) {
  const child = endsWithUs(spawn(starlingBinary(), ['publish', folder, '--watch', '--data', keyFolder], { stdio: 'ignore' }));
  const deadline = Date.now() + READY_MS_MAX;
  while (!existsSync(path.join(folder, 'starling.json'))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`starling publish --watch wrote no manifest (exit code ${child.exitCode})`);
    await sleep(50);
  }
  return { close: () => stopChild({ child }, 'SIGTERM') };
}

/** Runs `starling publish` over a folder: signs what is in it. */
export async function publish(folder, keyFolder, more = []) {
  return starling('publish', folder, '--data', keyFolder, ...more);
}

/** Runs `starling WORDS…` to its end; what it printed. */
export async function starling(...words) {
  const { stdout } = await promisify(execFile)(starlingBinary(), words);
  return stdout;
}
