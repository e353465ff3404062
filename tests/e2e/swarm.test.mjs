// Proves that viewers of one video feed each other: two tabs of a site, eight tabs of it, and Chromium with Firefox.
// What left the origin is counted by the origin, not by the player.

import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { launchChromium, launchFirefox } from '../rig/browser.mjs';
import { openStage, Viewer } from './stage.mjs';

/** Longest that one of eight tabs may stand still on two cores, which stand still themselves at times. */
const STALL_MS_MAX = 5_000;

describe('viewers of one video', () => {
  let chromium;
  let stage;
  before(async () => {
    chromium = await launchChromium();
    stage = await openStage();
  });
  afterEach(() => stage.clear());
  after(async () => {
    await stage?.close();
    await chromium?.close();
  });

  const mediaBytes = async (viewer) => (await stage.origin.counts())[viewer.id]?.media ?? 0;

  /** Segments of which one viewer was sent more bytes than they have. */
  const fetchedTwice = async (viewer) => {
    const sent = Object.entries((await stage.origin.counts())[viewer.id]?.segments ?? {});
    const sizeOf = async (name) => (await fs.stat(path.join(stage.media, name.replace(/^\/stream/, '')))).size;
    const sizes = await Promise.all(sent.map(([name]) => sizeOf(name)));
    return sent.filter(([, bytes], each) => bytes > sizes[each]);
  };

  test('the second of two tabs takes most of its bytes from the first', async () => {
    const first = await Viewer.open(chromium, stage);
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20 && video.at >= 1);
    const second = await Viewer.open(chromium, stage);
    const seen = await second.until('holds 20 s', ({ video }) => video?.bufferedTo >= 20 && video.at >= 3);
    const fromOrigin = await mediaBytes(second);
    assert.ok(seen.probe.receivedBytes > fromOrigin, `${seen.probe.receivedBytes} bytes came by data channel, ${fromOrigin} from the origin`);
    assert.deepEqual(await fetchedTwice(second), [], 'no segment leaves the origin twice for one viewer');
    assert.ok(seen.stats.p2pBytes > seen.stats.httpBytes, 'the player says so too');
    assert.equal(seen.stats.mode, 'starling');
    assert.equal(seen.stats.integrity, 'manifest');
    assert.ok(seen.stats.peers >= 1);
    const far = await first.until('counts its upload', ({ stats }) => stats.uploadBytes >= seen.stats.p2pBytes * 0.9);
    assert.ok(far.stats.peers >= 1);
    await first.close();
    await second.close();
  });

  test('eight tabs take most of their bytes from each other, and none stands still for long', async () => {
    await stage.origin.reset();
    const viewers = [await Viewer.open(chromium, stage)];
    await viewers[0].played(1);
    while (viewers.length < 8) viewers.push(await Viewer.open(chromium, stage));
    const seen = await Promise.all(viewers.map((viewer) => viewer.until('holds 20 s', ({ video }) => video?.bufferedTo >= 20 && video.at >= 6, 90_000)));
    const counts = Object.values(await stage.origin.counts()).reduce((sum, { media }) => sum + media, 0);
    const received = seen.reduce((sum, { probe }) => sum + probe.receivedBytes, 0);
    // How much more than half is the bench's matter: of the five segments of these 20 s a viewer takes one or
    // two from the origin while it meets the others, and two cores that start eight videos meet late.
    assert.ok(received > counts, `${received} bytes came by data channel, ${counts} from the origin`);
    for (const { video, stats } of seen) {
      assert.equal(video.error, null);
      assert.equal(stats.error, undefined);
      // Two cores that decode eight videos, and whatever else runs on them, may miss a beat.
      assert.ok(stats.stallMs <= STALL_MS_MAX, `stood still for ${stats.stallMs} ms`);
    }
    await Promise.all(viewers.map((viewer) => viewer.close()));
  });

  test('Chromium and Firefox feed each other', async () => {
    await stage.origin.reset();
    const firefox = await launchFirefox();
    try {
      const first = await Viewer.open(chromium, stage);
      await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
      const second = await Viewer.open(firefox, stage);
      const seen = await second.until('holds 20 s', ({ video }) => video?.bufferedTo >= 20 && video.at >= 1, 90_000);
      const fromOrigin = await mediaBytes(second);
      assert.ok(seen.probe.receivedBytes > fromOrigin, `Firefox: ${seen.probe.receivedBytes} bytes came by data channel, ${fromOrigin} from the origin`);
      await first.close();
      const third = await Viewer.open(chromium, stage);
      const back = await third.until('holds 20 s', ({ video }) => video?.bufferedTo >= 20 && video.at >= 1, 90_000);
      const again = await mediaBytes(third);
      assert.ok(back.probe.receivedBytes > again, `Chromium: ${back.probe.receivedBytes} bytes came by data channel, ${again} from the origin`);
      await third.close();
      await second.close();
    } finally {
      await firefox.close();
    }
  });
});
