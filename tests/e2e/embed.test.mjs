// Proves that the tag works on another origin under a strict policy, and that playback never depends on us: without
// WebAssembly, WebRTC or the signaling server it is plain hls.js.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { freePort } from '../rig/starling.mjs';
import { openStage, Viewer } from './stage.mjs';

const NO_WEBRTC = 'delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;';

describe('the tag on another origin', () => {
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

  test('works under a strict content security policy', async () => {
    const first = await Viewer.open(chromium, stage, { csp: 'strict' });
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
    const second = await Viewer.open(chromium, stage, { csp: 'strict' });
    const seen = await second.until('holds 20 s', ({ video }) => video?.bufferedTo >= 20 && video.at >= 1);
    assert.equal(seen.stats.mode, 'starling');
    assert.ok(seen.stats.p2pBytes > seen.stats.httpBytes);
    for (const viewer of [first, second]) {
      const broken = viewer.console.filter((text) => /content security policy/i.test(text));
      assert.deepEqual(broken, [], 'nothing of ours breaks the policy');
      await viewer.close();
    }
  });

  test('plays by plain hls.js when WebAssembly is blocked', async () => {
    const viewer = await Viewer.open(chromium, stage, { csp: 'no-wasm' });
    const seen = await viewer.until('plays', ({ video }) => video?.at >= 3 && video.bufferedTo >= 10);
    assert.equal(seen.stats.mode, 'hls');
    assert.equal(seen.stats.p2pBytes, 0);
    await viewer.close();
  });

  test('plays by plain hls.js when there is no WebRTC', async () => {
    const viewer = await Viewer.open(chromium, stage, { inject: NO_WEBRTC });
    const seen = await viewer.until('plays', ({ video }) => video?.at >= 3 && video.bufferedTo >= 10);
    assert.equal(seen.stats.p2pBytes, 0);
    assert.equal(seen.video.error, null);
    await viewer.close();
  });

  test('plays when the signaling server cannot be reached', async () => {
    const viewer = await Viewer.open(chromium, stage, { attributes: { signal: `ws://127.0.0.1:${await freePort()}/signal` } });
    const seen = await viewer.until('plays', ({ video }) => video?.at >= 3 && video.bufferedTo >= 10);
    assert.equal(seen.stats.p2pBytes, 0);
    assert.equal(seen.video.error, null);
    await viewer.close();
  });

  test('contacts nobody before consent when consent is required', async () => {
    const first = await Viewer.open(chromium, stage);
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
    const second = await Viewer.open(chromium, stage, { attributes: { 'require-consent': '' } });
    const seen = await second.until('plays', ({ video }) => video?.at >= 3 && video.bufferedTo >= 10);
    assert.equal(seen.probe.connections, 0, 'no peer connection was made');
    assert.equal(seen.stats.p2pBytes, 0);
    await first.close();
    await second.close();
  });
});
