// Proves that losing the network, or only the signaling server, is survived: playback does not depend on it, and
// what was lost comes back by itself.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchChromium } from '../rig/browser.mjs';
import { startCutter } from '../rig/cutter.mjs';
import { startShaper } from '../rig/shaper.mjs';
import { openStage, Viewer } from './stage.mjs';

const CUT_MS = 30_000;

describe('the network', () => {
  let chromium;
  before(async () => {
    chromium = await launchChromium();
  });
  after(() => chromium?.close());

  test('the signaling server is killed and restarted in the middle', async () => {
    const stage = await openStage();
    try {
      const first = await Viewer.open(chromium, stage);
      await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
      const second = await Viewer.open(chromium, stage);
      await second.until('takes from the first', ({ probe, stats }) => probe.receivedBytes > 100_000 && stats.peers === 1);
      await stage.server.kill();
      const before = await second.look();
      const during = await second.until('plays on without it, still fed by the first', ({ video, probe, stats }) => video.at >= before.video.at + 4 && probe.receivedBytes > before.probe.receivedBytes + 100_000 && stats.peers === 1);
      assert.equal(during.video.error, null);
      assert.ok((await first.look()).stats.peers === 1, 'the connection between the two outlives the server');
      await stage.server.start();
      const third = await Viewer.open(chromium, stage);
      await third.until('meets those of before the crash', ({ probe, stats }) => stats.peers >= 2 && probe.receivedBytes > 100_000);
      for (const viewer of [first, second, third]) await viewer.close();
    } finally {
      await stage.close();
    }
  });

  test('one viewer loses all network for 30 s', async () => {
    const stage = await openStage();
    const shaper = await startShaper();
    const toServer = await startCutter(stage.server.port);
    const toOrigin = await startCutter(stage.origin.port);
    try {
      const first = await Viewer.open(chromium, stage, { shaper });
      await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
      // Its address of the video is that of the line which will be cut; the swarm is the same by its name.
      const second = await Viewer.open(chromium, stage, {
        shaper,
        server: { url: `http://127.0.0.1:${toServer.port}` },
        src: `http://127.0.0.1:${toOrigin.port}/stream/master.m3u8`,
        attributes: { swarm: stage.src },
      });
      await second.until('takes from the first', ({ probe, stats }) => probe.receivedBytes > 100_000 && stats.peers === 1);
      toServer.cut();
      toOrigin.cut();
      shaper.cut([second.id]);
      const cutAt = Date.now();
      await second.until('sees that the peer is gone', ({ stats }) => stats.peers === 0, CUT_MS);
      await sleep(Math.max(0, cutAt + CUT_MS - Date.now()));
      toServer.heal();
      toOrigin.heal();
      shaper.heal();
      const back = await second.until('is back', ({ stats }) => stats.peers >= 1, 60_000);
      const seen = await second.until('plays on', ({ video }) => video.at >= back.video.at + 5 && video.bufferedTo >= back.video.at + 10);
      assert.equal(seen.video.error, null);
      await first.close();
      await second.close();
    } finally {
      shaper.close();
      await toServer.close();
      await toOrigin.close();
      await stage.close();
    }
  });
});
