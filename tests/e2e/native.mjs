// `starling seed` and `starling get` as processes beside browsers, read by their lines of JSON.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { endsWithUs } from '../rig/process.mjs';
import { starlingBinary } from '../rig/starling.mjs';
import { PATIENCE_MS } from './stage.mjs';

/** A peer of the command line, in a folder of its own. */
export class Native {
  /** Starts `starling WORDS… --json` in `folder`. */
  static start(folder, words) {
    const native = new Native();
    native.words = words.join(' ');
    native.lines = [];
    native.stderr = '';
    native.waiting = new Set();
    const args = [...words, '--data', path.join(folder, 'store'), '--json'];
    native.child = endsWithUs(spawn(starlingBinary(), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }));
    native.child.stderr.on('data', (text) => (native.stderr = (native.stderr + text).slice(-2000)));
    native.ended = new Promise((resolve) => native.child.once('close', (code, signal) => resolve({ code, signal })));
    createInterface({ input: native.child.stdout }).on('line', (line) => native.heard(JSON.parse(line)));
    native.ended.then(() => native.heard(null));
    return native;
  }

  heard(line) {
    if (line) this.lines.push({ ...line, atMs: performance.now() });
    for (const wait of this.waiting) wait(line === null);
  }

  /** The first line for which `wanted` holds, of those that were told and those that come. */
  async until(what, wanted, withinMs = PATIENCE_MS) {
    return new Promise((resolve, reject) => {
      const fail = (why) => {
        this.waiting.delete(look);
        clearTimeout(late);
        reject(new Error(`starling ${this.words}: ${what}: ${why}; its last line: ${JSON.stringify(this.lines.at(-1))}\n${this.stderr}`));
      };
      const look = (isEnd) => {
        const found = this.lines.find(wanted);
        if (!found) return isEnd && fail('it ended');
        this.waiting.delete(look);
        clearTimeout(late);
        resolve(found);
      };
      const late = setTimeout(() => fail(`not within ${withinMs} ms`), withinMs);
      this.waiting.add(look);
      look(this.child.exitCode !== null);
    });
  }

  /** What `starling get` tells at its end. */
  async got(withinMs = PATIENCE_MS) {
    return this.until('all is here', ({ output }) => output !== undefined, withinMs);
  }

  /** Kills it as a power cut would. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Stops it as Ctrl-C does; its exit code. */
  async stop() {
    this.child.kill('SIGINT');
    return (await this.ended).code;
  }
}

let places = 0;

/** A folder of its own below this one, for a peer of the command line. */
export async function place(folder) {
  const made = path.join(folder, `native-${(places += 1)}`);
  await fs.mkdir(made);
  return made;
}

/** Starts a sharing peer; resolves when others can be introduced to it. */
export async function seed(folder, words) {
  const native = Native.start(folder, ['seed', ...words]);
  native.link = (await native.until('it has a link', ({ link }) => link !== undefined)).link;
  await native.until('the server knows it', ({ connected }) => connected === true);
  return native;
}

/** The SHA-256 of a file on disk. */
export async function sha256Of(file) {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part);
  return hash.digest('hex');
}
