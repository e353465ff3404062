#!/usr/bin/env node
// Files and folders against other implementations: npm `ipfs-unixfs-importer` must call everything what we call it,
// npm `ipfs-car` must open our CARs and we must open its, also those of our gateway. Closes with the line `N passed, M failed`.
//
//   node tests/interop/content.mjs [--quick] [seed]
//
// `--quick` (the stage `interop`) leaves out folders of thousands of files.
// Needs a built `starling` (STARLING_BIN, or the newest build). Everything is drawn from the seed, printed first.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CarBlockIterator } from '@ipld/car';
import { importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';
import { starlingBinary } from '../rig/starling.mjs';

const exec = promisify(execFile);
const STARLING = starlingBinary();
const IPFS_CAR = fileURLToPath(new URL('../node_modules/ipfs-car/bin.js', import.meta.url));
const quick = process.argv.includes('--quick');
const seed = Number(process.argv.slice(2).find((word) => !word.startsWith('--')) ?? Date.now() % 1e9);
const place = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-interop-'));

/** The importer's options that are our profiles. */
const PROFILES = {
  'unixfs-v1-2025': () => ({ profile: 'unixfs-v1-2025' }),
  'kubo-cidv1-256k-174': () => ({
    cidVersion: 1,
    rawLeaves: true,
    chunker: fixedSize({ chunkSize: 262_144 }),
    layout: balanced({ maxChildrenPerNode: 174 }),
    shardSplitStrategy: 'links-bytes',
  }),
};

/** A small generator (mulberry32), so that a seed is a report. */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = generator(seed);
const below = (count) => Math.floor(random() * count);

function bytes(count) {
  const words = new Uint32Array(Math.ceil(count / 4));
  for (let at = 0; at < words.length; at++) words[at] = below(2 ** 32);
  return Buffer.from(words.buffer, 0, count);
}

/** A name of letters of several scripts that every system takes. */
function name() {
  const letters = [...'abcXYZ019-_ äß漢字🏖'];
  const text = Array.from({ length: 1 + below(24) }, () => letters[below(letters.length)]).join('');
  return `${text.trim()}${below(1e6)}`;
}

/** Writes a random folder; returns what the importer needs to make the same. */
async function folder(root, depth, symlinks) {
  const entries = [];
  const fill = async (below_, level) => {
    for (let count = below(7); count > 0 || entries.length === 0; count--) {
      const relative = below_ ? `${below_}/${name()}` : name();
      const file = path.join(root, relative);
      await fs.mkdir(path.dirname(file), { recursive: true });
      const kind = random();
      if (kind < 0.3 && level < depth) {
        await fs.mkdir(file);
        entries.push({ path: relative, folder: true });
        await fill(relative, level + 1);
      } else if (kind < 0.45 && symlinks) {
        const link = '../'.repeat(below(level + 1)) + name();
        await fs.symlink(link, file);
        entries.push({ path: relative, link });
      } else {
        const content = bytes(random() < 0.1 ? below(1_500_000) : below(3000));
        await fs.writeFile(file, content);
        entries.push({ path: relative, content });
      }
    }
  };
  await fs.mkdir(root, { recursive: true });
  await fill('', 0);
  return entries;
}

class Nowhere {
  async put(cid) {
    return cid;
  }
}

/** What the importer calls it. */
async function imported(entries, profile, wrapWithDirectory) {
  const sources = entries.map((entry) => {
    const { folder: isFolder, ...source } = entry;
    return isFolder ? { path: source.path } : source;
  });
  let last;
  const options = { ...PROFILES[profile](), wrapWithDirectory, fileImportConcurrency: 1 };
  for await (const entry of importer(sources, new Nowhere(), options)) last = entry;
  return last.cid.toString();
}

async function starling(...words) {
  const { stdout } = await exec(STARLING, [...words, '--data', path.join(place, 'store'), '--json']);
  return JSON.parse(stdout);
}

async function ours(file, profile) {
  return (await starling('add', file, '--only-name', '--profile', profile)).cid;
}

async function ipfsCar(...words) {
  const { stdout } = await exec(process.execPath, [IPFS_CAR, ...words], { maxBuffer: 1 << 26 });
  return stdout.trim();
}

/** Every file below a folder with its bytes. */
async function content(root) {
  const found = {};
  for (const entry of await fs.readdir(root, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    found[path.relative(root, file)] = entry.isFile() ? await fs.readFile(file, 'hex') : 'folder';
  }
  return found;
}

const many = (count) => Array.from({ length: count }, (_, at) => ({ path: `file ${at}`, content: bytes(at % 40) }));

async function write(root, entries) {
  await fs.mkdir(root, { recursive: true });
  for (const entry of entries) await fs.writeFile(path.join(root, entry.path), entry.content);
  return root;
}

/** The gateway of `starling serve` to the store. */
async function gateway(use) {
  const media = path.join(place, 'no-media');
  await fs.mkdir(media, { recursive: true });
  const words = ['serve', '--listen', '127.0.0.1:0', '--data', path.join(place, 'store'), '--media', media];
  const child = spawn(STARLING, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = await Promise.race([
      new Promise((resolve) => readline.createInterface(child.stdout).once('line', (text) => resolve([text]))),
      new Promise((_, reject) => child.once('exit', (code) => reject(new Error(`starling serve ended with ${code}`)))),
    ]);
    await use(line.replace(/^open /, '').replace(/\/$/, ''));
  } finally {
    child.kill('SIGKILL');
  }
}

/** Names of the blocks of a CAR, read and hashed by others than us. */
async function blocksOf(answer) {
  assert.equal(answer.status, 200);
  const found = [];
  for await (const { cid, bytes: block } of await CarBlockIterator.fromIterable(answer.body)) {
    const digest = createHash('sha256').update(block).digest();
    assert.deepEqual(Buffer.from(cid.multihash.digest), digest, `${cid}`);
    found.push(cid.toString());
  }
  return found;
}

const SLOW = ['a folder of 12,000 files is sharded the same', 'a folder is sharded from the same byte on'];

const TESTS = {
  async 'files of any size are called the same'() {
    const edges = [0, 1, 262_143, 262_144, 262_145, 1 << 20, (1 << 20) + 1, 174 * 262_144, 174 * 262_144 + 1];
    const sizes = [...edges, ...Array.from({ length: 6 }, () => below(8_000_000))];
    const file = path.join(place, 'file');
    for (const size of sizes) {
      await fs.writeFile(file, bytes(size));
      for (const profile of Object.keys(PROFILES)) {
        const theirs = await imported([{ path: 'file', content: createReadStream(file) }], profile, false);
        assert.equal(await ours(file, profile), theirs, `${size} bytes, ${profile}`);
      }
    }
  },

  async 'random folders with symlinks are called the same'() {
    for (let at = 0; at < 20; at++) {
      const root = path.join(place, `random-${at}`);
      const entries = await folder(root, 4, true);
      for (const profile of Object.keys(PROFILES)) {
        assert.equal(await ours(root, profile), await imported(entries, profile, true), `${root}, ${profile}`);
      }
    }
  },

  async 'a folder of 12,000 files is sharded the same'() {
    const entries = many(12_000);
    const root = await write(path.join(place, 'many'), entries);
    for (const profile of Object.keys(PROFILES)) {
      assert.equal(await ours(root, profile), await imported(entries, profile, true), profile);
    }
  },

  async 'a folder is sharded from the same byte on'() {
    // By the block's bytes: 4, and 55 for a link with a name of 11 and a size of one byte. By names and CIDs: 47.
    for (const [profile, most] of [['unixfs-v1-2025', Math.floor((262_144 - 4) / 55)], ['kubo-cidv1-256k-174', Math.floor(262_144 / 47)]]) {
      for (const count of [most, most + 1]) {
        const entries = Array.from({ length: count }, (_, at) => ({ path: `${at}`.padStart(11, '0'), content: bytes(3) }));
        const root = await write(path.join(place, `edge-${profile}-${count}`), entries);
        assert.equal(await ours(root, profile), await imported(entries, profile, true), `${count}, ${profile}`);
      }
    }
  },

  async 'ipfs-car opens our CARs'() {
    const root = path.join(place, 'out');
    await folder(root, 3, false);
    await fs.writeFile(path.join(root, 'large'), bytes(5_000_000));
    await write(path.join(root, 'many'), many(quick ? 300 : 6000));
    const { cid } = await starling('add', root);
    const car = path.join(place, 'ours.car');
    await starling('car', 'export', cid, '-o', car);
    assert.equal(await ipfsCar('roots', car), cid);
    await ipfsCar('unpack', car, '--output', path.join(place, 'unpacked'));
    assert.deepEqual(await content(path.join(place, 'unpacked')), await content(root));
  },

  async 'we open the CARs of ipfs-car'() {
    const root = path.join(place, 'in');
    await fs.mkdir(root);
    await fs.writeFile(path.join(root, 'large'), bytes(5_000_000));
    // Sharded by its writer, which counts entries.
    await write(path.join(root, 'many'), many(1500));
    const car = path.join(place, 'theirs.car');
    const cid = await ipfsCar('pack', root, '--output', car);
    const { roots, missing } = await starling('car', 'import', car);
    assert.deepEqual([roots, missing], [[cid], null]);
    const out = path.join(place, 'got');
    await starling('get', cid, '-o', out);
    assert.deepEqual(await content(out), await content(root));
  },

  async 'others read what our gateway sends'() {
    // Of the test before: its blocks are in the store already.
    const root = path.join(place, 'out');
    const { cid } = await starling('add', root);
    await gateway(async (url) => {
      const car = await fetch(`${url}/ipfs/${cid}`, { headers: { accept: 'application/vnd.ipld.car; version=1; order=dfs; dups=n' } });
      assert.match(car.headers.get('content-type'), /^application\/vnd\.ipld\.car; version=1/);
      const file = path.join(place, 'gateway.car');
      await fs.writeFile(file, car.body);
      assert.equal(await ipfsCar('roots', file), cid);
      const out = path.join(place, 'from-gateway');
      await ipfsCar('unpack', file, '--output', out);
      assert.deepEqual(await content(out), await content(root));
      // One file of it, and one in a shard, with the blocks on the way.
      const large = await blocksOf(await fetch(`${url}/ipfs/${cid}/large?format=car&dag-scope=entity`));
      assert.deepEqual([large[0], large.length], [cid, 2 + 5]);
      const small = await blocksOf(await fetch(`${url}/ipfs/${cid}/many/file%2077?format=car`));
      const [name] = small.slice(-1);
      const raw = Buffer.from(await (await fetch(`${url}/ipfs/${name}?format=raw`)).arrayBuffer());
      assert.deepEqual(raw, await fs.readFile(path.join(root, 'many', 'file 77')));
    });
  },
};

console.log(`seed ${seed}`);
let failed = 0;
const chosen = Object.entries(TESTS).filter(([title]) => !(quick && SLOW.includes(title)));
for (const [title, test] of chosen) {
  const start = performance.now();
  try {
    await test();
    console.log(`ok     ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`failed ${title}\n${error.stack}`);
  }
}
await fs.rm(place, { recursive: true, force: true });
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
