// Proves that a bad origin is helped by the peers where they can, and named to the person where they cannot.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { openStage, Viewer } from './stage.mjs';

describe('the origin', () => {
  let chromium;
  let stage;
  before(async () => {
    chromium = await launchChromium();
  });
  after(() => chromium?.close());
  afterEach(async () => {
    await stage?.close();
  });
  const open = (options) => Viewer.open(chromium, stage, options);

  test('an origin slower than the video is no trouble for the second viewer', async () => {
    stage = await openStage();
    const first = await open();
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 24);
    // The video is 800 kbit/s.
    stage.origin.set({ totalKbps: 300 });
    const second = await open();
    const seen = await second.until('plays at full speed', ({ video }) => video?.at >= 8 && video.bufferedTo >= 20);
    assert.equal(seen.stats.stalls, 0);
    assert.ok(seen.stats.p2pBytes > seen.stats.httpBytes);
  });

  test('an origin that fails for a while is asked again, and peers fill the hole', async () => {
    let broken = false;
    let refused = 0;
    const intercept = (request, response) => {
      if (!broken || !request.url.endsWith('.m4s')) return false;
      refused += 1;
      response.writeHead(503).end();
      return true;
    };
    stage = await openStage({ origin: { intercept } });
    const first = await open();
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 24);
    broken = true;
    const second = await open();
    const seen = await second.until('plays from the first', ({ video }) => video?.at >= 6 && video.bufferedTo >= 20);
    assert.equal(seen.video.error, null);
    await second.control((video) => (video.currentTime = 70));
    await second.until('asks the origin for what nobody has', () => refused > 0);
    broken = false;
    const on = await second.until('plays on when the origin is back', ({ video }) => video?.at >= 73, 60_000);
    assert.equal(on.video.error, null);
  });

  test('an origin without CORS is named as such', async () => {
    stage = await openStage({ origin: { cors: false } });
    const viewer = await open();
    const seen = await viewer.until('says what is wrong', ({ stats }) => stats?.error, 30_000);
    assert.equal(seen.stats.error.code, 'cors-refused');
    assert.match(seen.stats.error.remedy, /Access-Control-Allow-Origin/);
  });

  test('an address that is no playlist is named as such', async () => {
    stage = await openStage();
    const viewer = await open({ src: `${stage.origin.url}/stream/hi/s000.m4s` });
    const seen = await viewer.until('says what is wrong', ({ stats }) => stats?.error, 30_000);
    assert.equal(seen.stats.error.code, 'not-hls');
    assert.match(seen.stats.error.remedy, /\.m3u8/);
  });

  test('without a signed manifest, the digest of the origin is enough to take bytes from peers', async () => {
    stage = await openStage({ signed: false, origin: { digest: true } });
    const first = await open();
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
    const second = await open();
    const seen = await second.until('takes from the first', ({ video, stats }) => video?.bufferedTo >= 20 && stats.p2pBytes > stats.httpBytes);
    assert.equal(seen.stats.integrity, 'digest');
  });

  test('when nobody can vouch for the bytes, none is taken from peers', async () => {
    stage = await openStage({ signed: false });
    const first = await open();
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
    const second = await open();
    const seen = await second.until('plays from the origin', ({ video }) => video?.at >= 4 && video.bufferedTo >= 20);
    assert.equal(seen.stats.p2pBytes, 0);
    assert.equal(seen.stats.integrity, 'http-only');
  });
});
