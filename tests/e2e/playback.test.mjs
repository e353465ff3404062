// Proves that what a viewer does to a player works in a swarm: watch live, seek, switch renditions, reload, leave
// the tab in the background.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { startLive } from '../rig/live.mjs';
import { witnessConfig } from '../rig/starling.mjs';
import { eventually, offloadOf, openStage, RECIPE, Viewer } from './stage.mjs';

describe('playback', () => {
  let chromium;
  let stage;
  before(async () => {
    chromium = await launchChromium();
    stage = await openStage({ renditions: ['lo', 'hi'] });
  });
  afterEach(() => stage.clear());
  after(async () => {
    await stage?.close();
    await chromium?.close();
  });

  test('a live stream is shared, checked by the witness of the server', async () => {
    const live = await openStage({ signed: false, config: witnessConfig });
    const packager = await startLive(RECIPE, path.join(live.media, 'live'), { rendition: 'hi', windowSegments: 8 });
    try {
      const src = `${live.origin.url}/stream/live/master.m3u8`;
      const viewers = [await Viewer.open(chromium, live, { src })];
      await viewers[0].played(1);
      for (let more = 0; more < 2; more += 1) viewers.push(await Viewer.open(chromium, live, { src }));
      await viewers[2].until('plays on at the edge with help', ({ video, stats }) => video?.at >= 1 && stats.p2pBytes > 200_000 && stats.integrity === 'witness', 60_000);
      const seen = await viewers[2].look();
      assert.equal(seen.video.error, null);
      const later = await viewers[2].playsOn(10);
      assert.ok(later.stats.latencyS < 20, `${later.stats.latencyS} s behind the edge`);
      assert.equal(later.stats.stalls, 0);
      for (const viewer of viewers) await viewer.close();
    } finally {
      await packager.close();
      await live.close();
    }
  });

  test('a seek is followed, and what others hold there comes from them', async () => {
    const first = await Viewer.open(chromium, stage);
    await first.played(1);
    await first.control((video) => (video.currentTime = 60));
    await first.until('holds what is there', ({ video }) => video.at >= 61 && video.bufferedTo >= 84);
    const second = await Viewer.open(chromium, stage);
    await second.played(1);
    const before = await second.look();
    await second.control((video) => (video.currentTime = 64));
    const after = await second.until('plays there', ({ video }) => video.at >= 66 && video.bufferedTo >= 80);
    const fromPeers = after.stats.p2pBytes - before.stats.p2pBytes;
    const fromOrigin = after.stats.httpBytes - before.stats.httpBytes;
    assert.ok(fromPeers > fromOrigin, `${fromPeers} from peers, ${fromOrigin} from the origin`);
    await second.control((video) => (video.currentTime = 2));
    await second.until('plays at the start again', ({ video }) => video.at >= 3 && video.at < 30);
    await first.close();
    await second.close();
  });

  test('a viewer who switches takes the other rendition from those who hold it', async () => {
    const first = await Viewer.open(chromium, stage, { hls: { startLevel: 1 } });
    await first.until('holds the better rendition', ({ stats, video }) => stats.level === 1 && video.bufferedTo >= 28);
    // The better one must not be there before it is chosen: on this line hls.js itself would take it at once.
    const second = await Viewer.open(chromium, stage, { hls: { startLevel: 0, abrBandWidthUpFactor: 0.001 } });
    await second.played(0.5);
    await second.chooseLevel(0);
    await second.until('holds the lesser one', ({ stats, video }) => stats.level === 0 && video.bufferedTo >= 20);
    const before = await second.look();
    await second.chooseLevel(1);
    // What plays at the switch is due at once and may come from anywhere; what follows comes from the first.
    const holdsMoreFromPeers = ({ stats, video }) => stats.level === 1 && video.readyState >= 3 && video.bufferedTo >= 24
      && stats.p2pBytes - before.stats.p2pBytes > Math.max(500_000, stats.httpBytes - before.stats.httpBytes);
    await second.until('holds the better one, most of it from the first', holdsMoreFromPeers);
    assert.equal((await second.playsOn(2)).video.error, null);
    await first.close();
    await second.close();
  });

  test('a reload starts from the store of the first visit', async () => {
    const viewer = await Viewer.open(chromium, stage, { hls: { startLevel: 1 } });
    await viewer.until('holds half a minute', ({ video }) => video?.bufferedTo >= 28);
    const before = (await stage.origin.counts())[viewer.id].media;
    await viewer.page.reload({ waitUntil: 'domcontentloaded' });
    const seen = await viewer.until('plays again', ({ video }) => video?.at >= 2 && video.bufferedTo >= 16);
    const after = (await stage.origin.counts())[viewer.id].media;
    assert.ok(seen.stats.cacheBytes > after - before, `${seen.stats.cacheBytes} from the store, ${after - before} from the origin`);
    await viewer.close();
  });

  test('a tab in the background plays on and still feeds others', async () => {
    const throttling = await launchChromium({ allInFront: false });
    try {
      const behind = await Viewer.open(throttling, stage);
      await behind.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
      // The browser itself pauses muted autoplay in a hidden tab; with sound it plays on.
      await behind.control((video) => {
        video.muted = false;
        return video.play();
      });
      const front = await behind.context.newPage();
      await front.bringToFront();
      await eventually('the tab is hidden', async () => {
        const seen = await behind.page.evaluate(() => document.visibilityState);
        return { value: seen === 'hidden', seen };
      });
      const other = await Viewer.open(chromium, stage);
      const seen = await other.until('is fed by it', ({ video, stats }) => video?.bufferedTo >= 20 && stats.p2pBytes > 200_000);
      assert.ok(offloadOf(seen) > 0.5, `${offloadOf(seen)} of the bytes came from the tab in the background`);
      await behind.playsOn(3);
      await other.close();
      await behind.close();
    } finally {
      await throttling.close();
    }
  });
});
