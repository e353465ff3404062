// Proves that streams of every shape play in a swarm and come from it: encrypted segments, byte ranges of one file,
// MPEG-TS, and low-latency live with parts.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { launchChromium } from '../rig/browser.mjs';
import { segmentNames } from '../rig/media.mjs';
import { startLowLatency } from '../rig/parts.mjs';
import { publish, witnessConfig } from '../rig/starling.mjs';
import { eventually, openStage, Viewer } from './stage.mjs';

const run = promisify(execFile);

/** Each changes the media of the rendition `hi` in place: files, and the lines of its playlist. */
const SHAPES = {
  'encrypted segments (AES-128)': async (folder, names, lines) => {
    const key = randomBytes(16);
    await fs.writeFile(path.join(folder, 'key.bin'), key);
    for (const [number, name] of names.entries()) {
      // The initialisation vector is the media sequence number (RFC 8216, 5.2).
      const vector = Buffer.alloc(16);
      vector.writeUInt32BE(number, 12);
      const cipher = createCipheriv('aes-128-cbc', key, vector);
      const plain = await fs.readFile(path.join(folder, name));
      // The file is a link to one that others share: a new one takes its place.
      await fs.rm(path.join(folder, name));
      await fs.writeFile(path.join(folder, name), Buffer.concat([cipher.update(plain), cipher.final()]));
    }
    return lines.flatMap((line) => (line.startsWith('#EXT-X-MAP') ? [line, '#EXT-X-KEY:METHOD=AES-128,URI="key.bin"'] : [line]));
  },
  'byte ranges of one file': async (folder, names, lines) => {
    const parts = await Promise.all(names.map((name) => fs.readFile(path.join(folder, name))));
    await fs.writeFile(path.join(folder, 'all.m4s'), Buffer.concat(parts));
    await Promise.all(names.map((name) => fs.rm(path.join(folder, name))));
    let at = 0;
    const ranges = new Map(names.map((name, number) => {
      const range = `#EXT-X-BYTERANGE:${parts[number].length}@${at}`;
      at += parts[number].length;
      return [name, range];
    }));
    return lines.flatMap((line) => (ranges.has(line) ? [ranges.get(line), 'all.m4s'] : [line]));
  },
  'MPEG-TS': async (folder, names) => {
    const list = path.join(folder, 'index.m3u8');
    const made = path.join(folder, 'ts.m3u8');
    const output = ['-c', 'copy', '-f', 'hls', '-hls_time', '2', '-hls_list_size', '0', '-hls_playlist_type', 'vod'];
    await run('ffmpeg', ['-v', 'error', '-allowed_extensions', 'ALL', '-i', list, ...output, '-hls_segment_filename', path.join(folder, 't%03d.ts'), made]);
    await Promise.all(['init.mp4', ...names].map((name) => fs.rm(path.join(folder, name))));
    const lines = (await fs.readFile(made, 'utf8')).split('\n');
    await fs.rm(made);
    return lines;
  },
};

describe('streams of every shape', () => {
  let chromium;
  before(async () => {
    chromium = await launchChromium();
  });
  after(() => chromium?.close());

  for (const [shape, change] of Object.entries(SHAPES)) {
    test(`${shape} play, and the second viewer has most of them from the first`, async () => {
      const stage = await openStage({ signed: false });
      try {
        const folder = path.join(stage.media, 'hi');
        const list = path.join(folder, 'index.m3u8');
        const lines = (await fs.readFile(list, 'utf8')).split('\n');
        await fs.writeFile(list, (await change(folder, await segmentNames(stage.media, 'hi'), lines)).join('\n'));
        await publish(stage.media, path.join(stage.folder, 'publisher'));
        const first = await Viewer.open(chromium, stage);
        await first.until('has a head start', ({ video }) => video?.at >= 1 && video.bufferedTo >= 20);
        const second = await Viewer.open(chromium, stage);
        const seen = await second.until('holds 20 s', ({ video }) => video?.at >= 3 && video.bufferedTo >= 20);
        assert.equal(seen.video.error, null);
        assert.equal(seen.stats.integrity, 'manifest');
        assert.ok(seen.stats.p2pBytes > seen.stats.httpBytes, `${seen.stats.p2pBytes} from peers, ${seen.stats.httpBytes} from the origin`);
      } finally {
        await stage.close();
      }
    });
  }

  test('low-latency live plays part by part, and what lies behind the edge is shared', async () => {
    const stage = await openStage({ signed: false, config: witnessConfig });
    const packager = await startLowLatency(path.join(stage.media, 'live'), { rendition: 'hi' });
    try {
      const src = `${stage.origin.url}/stream/live/master.m3u8`;
      const first = await Viewer.open(chromium, stage, { src });
      await first.played(1);
      const second = await Viewer.open(chromium, stage, { src });
      await second.played(1);
      const seen = await second.playsOn(8);
      assert.equal(seen.video.error, null);
      assert.equal(seen.stats.mode, 'starling');
      const asked = await second.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /s\d+\.\d+\.m4s$/.test(name)));
      assert.ok(asked.length >= 8, `${asked.length} parts were asked of the origin`);
      // Each stall lets hls.js stay a second further behind.
      const latency = await second.until('is near the edge', ({ stats }) => stats.latencyS !== null && stats.latencyS < 6 + stats.stalls);
      assert.equal(latency.stats.peers, 1);
    } finally {
      await packager.close();
      await stage.close();
    }
  });

  test('a live encoder that is restarted, and calls its segments otherwise, is followed', async () => {
    const stage = await openStage({ signed: false, config: witnessConfig });
    const packager = await startLowLatency(path.join(stage.media, 'live'), { rendition: 'hi' });
    try {
      const viewer = await Viewer.open(chromium, stage, { src: `${stage.origin.url}/stream/live/master.m3u8` });
      await viewer.played(1);
      await packager.restart();
      const asked = () => viewer.page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /r\d+(\.\d+)?\.m4s$/.test(name)).length);
      await eventually('it asks for what the new one made', async () => {
        const seen = await asked();
        return { value: seen >= 2, seen };
      });
      await viewer.playsOn(1);
      await viewer.until('says nothing more of it', ({ stats }) => stats.error === undefined);
    } finally {
      await packager.close();
      await stage.close();
    }
  });
});
