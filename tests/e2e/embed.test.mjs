// Proves that the tag works on another origin under a strict policy, that a site's own hls.js can have the swarm, and
// that playback never depends on us: without WebAssembly, WebRTC or the signaling server it is plain hls.js.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { freePort } from '../rig/starling.mjs';
import { eventually, openStage, Viewer } from './stage.mjs';

/** A browser without Media Source Extensions that plays HLS by itself, as far as a script can see. */
const NO_MEDIA_SOURCE = `
delete window.MediaSource; delete window.ManagedMediaSource; delete window.WebKitMediaSource;
const { canPlayType } = HTMLMediaElement.prototype;
HTMLMediaElement.prototype.canPlayType = function (type) {
  return type === 'application/vnd.apple.mpegurl' ? 'maybe' : canPlayType.call(this, type);
};`;
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

  test('a player of hls.js that the site has already takes most of its bytes from others', async () => {
    const first = await Viewer.open(chromium, stage);
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
    const context = await chromium.createBrowserContext();
    const page = await context.newPage();
    const query = new URLSearchParams({ server: stage.server.url, 'tag-src': stage.src });
    await page.goto(`http://own.localhost:${stage.pages.port}/attach?${query}`, { waitUntil: 'domcontentloaded' });
    const { stats, mode } = await eventually('it plays with others', async () => {
      const seen = await page.evaluate(() => ({ stats: window.attachment?.stats, mode: window.attachment?.mode, at: document.querySelector('video').currentTime }));
      return { value: seen.at >= 2 && seen.stats.p2pBytes > 1_000_000 && seen, seen };
    });
    assert.ok(stats.p2pBytes > stats.httpBytes, `${stats.p2pBytes} from others, ${stats.httpBytes} from the origin`);
    assert.equal(mode, 'starling');
    await page.evaluate(() => window.attachment.destroy());
    const at = await page.evaluate(() => document.querySelector('video').currentTime);
    await eventually('it plays on without', async () => {
      const seen = await page.evaluate(() => document.querySelector('video').currentTime);
      return { value: seen >= at + 2, seen };
    });
    await context.close();
  });

  test('is the browser itself where there are no Media Source Extensions', async () => {
    const viewer = await Viewer.open(chromium, stage, { inject: NO_MEDIA_SOURCE });
    const { stats } = await viewer.until('hands the address on', (seen) => seen.stats?.mode === 'native');
    assert.equal(await viewer.page.evaluate(() => document.querySelector('starling-player').video.src), stage.src);
    assert.equal(stats.p2pBytes, 0);
  });

  test('shows its figures when asked, and tells them to the site when the page is left', async () => {
    const told = [];
    const site = http.createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      told.push({ method: request.method, type: request.headers['content-type'], text: Buffer.concat(parts).toString() });
      response.writeHead(204).end();
    });
    await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
    try {
      const beacon = `http://127.0.0.1:${site.address().port}/stats`;
      const viewer = await Viewer.open(chromium, stage, { attributes: { beacon, debug: '' } });
      await viewer.until('plays', ({ video }) => video?.at >= 1);
      const readout = () => document.querySelector('starling-player').shadowRoot.querySelector('[part=overlay]').textContent;
      await eventually('the readout is there', async () => {
        const seen = await viewer.page.evaluate(readout);
        return { value: /mode +starling/.test(seen) && /startup +\d+ ms/.test(seen), seen };
      });
      await viewer.page.goto('about:blank');
      await eventually('the site was told', async () => ({ value: told.length > 0, seen: told }));
      const [{ method, type, text }] = told;
      assert.equal(method, 'POST');
      assert.match(type, /^text\/plain/);
      const stats = JSON.parse(text);
      assert.equal(stats.mode, 'starling');
      assert.ok(stats.httpBytes > 0 && stats.startupMs > 0);
    } finally {
      site.closeAllConnections();
      await new Promise((resolve) => site.close(resolve));
    }
  });
});
