// Proves that a bad or vanishing peer costs nothing but its help: playback goes on, no wrong byte is played.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { CLAIMS_EVERYTHING, CORRUPTS, NEVER_ANSWERS } from './liars.mjs';
import { eventually, openStage, Viewer } from './stage.mjs';

/** Hashes the body of every segment that reaches the media source. */
const HASHES_APPENDS = `
window.__appended = [];
const { appendBuffer } = SourceBuffer.prototype;
SourceBuffer.prototype.appendBuffer = function (source) {
  const bytes = new Uint8Array(source instanceof ArrayBuffer ? source : source.buffer, source.byteOffset ?? 0, source.byteLength).slice();
  const at = bytes.findIndex((_, i) => bytes[i] === 0x6d && bytes[i + 1] === 0x64 && bytes[i + 2] === 0x61 && bytes[i + 3] === 0x74);
  if (at >= 0) crypto.subtle.digest('SHA-256', bytes.subarray(at)).then((hash) => window.__appended.push(Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')));
  return appendBuffer.call(this, source);
};`;

describe('bad peers', () => {
  let chromium;
  let stage;
  before(async () => {
    chromium = await launchChromium();
  });
  after(() => chromium?.close());
  beforeEach(async () => {
    // A swarm of its own for every test.
    stage = await openStage();
  });
  afterEach(() => stage.close());
  const open = (options) => Viewer.open(chromium, stage, options);

  test('the seeder is closed in the middle of a segment', async () => {
    // Slow enough that it is always in the middle of one: a segment of 200 kB takes it most of a second.
    const seeder = await open({ attributes: { 'upload-limit': '250000' } });
    await seeder.until('has a head start', ({ video }) => video?.bufferedTo >= 24);
    const viewer = await open();
    const during = await viewer.until('takes bytes from the seeder', ({ probe }) => probe.receivedBytes > 100_000);
    await seeder.close();
    assert.ok(during.video.bufferedTo < 24, 'the viewer did not hold what the seeder had yet');
    const seen = await viewer.until('plays on from the origin', ({ video }) => video?.at >= 8 && video.bufferedTo >= 24);
    assert.equal(seen.video.error, null);
    assert.equal(seen.stats.error, undefined);
    assert.equal(seen.stats.stalls, 0);
    await viewer.until('has let the seeder go', ({ stats }) => stats.peers === 0);
  });

  test('a peer that corrupts what it sends is cut, and none of it is played', async () => {
    const bad = await open({ inject: CORRUPTS });
    await bad.until('has a head start', ({ video }) => video?.bufferedTo >= 24);
    const viewer = await open({ inject: HASHES_APPENDS });
    await viewer.until('plays all the same', ({ video }) => video?.at >= 6 && video.bufferedTo >= 20);
    assert.ok((await bad.page.evaluate(() => window.__corrupted)) > 0, 'the bad peer did send wrong bytes');
    await viewer.until('has cut the bad peer', ({ stats }) => stats.peers === 0);
    const right = await mediaHashes(stage.media, 'hi');
    const played = await viewer.page.evaluate(() => window.__appended);
    assert.ok(played.length >= 10, `${played.length} segments were played`);
    for (const hash of played) assert.ok(right.has(hash), 'a segment was played that the publisher did not make');
  });

  test('a corrupting peer does not keep an honest one from helping', async () => {
    const bad = await open({ inject: CORRUPTS });
    const good = await open();
    for (const seeder of [bad, good]) await seeder.until('has a head start', ({ video }) => video?.bufferedTo >= 24);
    const viewer = await open();
    const seen = await viewer.until('plays', ({ video }) => video?.at >= 6 && video.bufferedTo >= 20);
    assert.equal(seen.video.error, null);
    assert.ok(seen.stats.p2pBytes > 0, 'the honest peer helped');
  });

  test('a peer that never answers delays nothing', async () => {
    const silent = await open({ inject: NEVER_ANSWERS });
    await silent.until('has a head start', ({ video }) => video?.bufferedTo >= 24);
    const viewer = await open();
    const seen = await viewer.until('plays all the same', ({ video }) => video?.at >= 6 && video.bufferedTo >= 20);
    assert.ok((await silent.page.evaluate(() => window.__swallowed)) > 0, 'the silent peer was asked');
    assert.equal(seen.stats.p2pBytes, 0);
    assert.equal(seen.stats.stalls, 0);
  });

  test('a peer that claims segments it does not have delays nothing', async () => {
    const liar = await open({ inject: CLAIMS_EVERYTHING });
    await liar.until('plays', ({ video }) => video?.at >= 1);
    await liar.control((video) => video.pause());
    const viewer = await open();
    await eventually('the lie was told', async () => {
      const lies = await liar.page.evaluate(() => window.__lies);
      return { value: lies > 0, seen: lies };
    });
    await viewer.played(1);
    // Far beyond what the liar holds.
    await viewer.control((video) => (video.currentTime = 60));
    const seen = await viewer.until('plays all the same', ({ video }) => video?.at >= 66);
    assert.equal(seen.video.error, null);
    assert.equal(seen.stats.stalls, 0);
  });
});

/** SHA-256 of every segment from its `mdat` on: what is before may be rewritten on the way to the decoder. */
async function mediaHashes(media, rendition) {
  const folder = path.join(media, rendition);
  const names = (await fs.readdir(folder)).filter((name) => name.endsWith('.m4s'));
  const hashes = await Promise.all(names.map(async (name) => {
    const bytes = await fs.readFile(path.join(folder, name));
    return createHash('sha256').update(bytes.subarray(bytes.indexOf('mdat'))).digest('hex');
  }));
  return new Set(hashes);
}
