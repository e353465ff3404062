// Proves that viewers who connect by relay only exchange the video through the server's own relay, by UDP and by
// TCP, and that the page says so.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { eventually, openStage, Viewer } from './stage.mjs';

const HEAD_START_S = 20;
const WIDE = { width: 1280, height: 800 };
/** Leaves a page's connections one way to the relay: those of its URLs that hold `transport`. */
const onlyBy = (transport) => `{
  const Plain = window.RTCPeerConnection;
  const fits = (server) => ({ ...server, urls: [server.urls].flat().filter((url) => url.includes('transport=${transport}')) });
  window.RTCPeerConnection = class extends Plain {
    constructor(configuration, ...rest) {
      super({ ...configuration, iceServers: (configuration?.iceServers ?? []).map(fits) }, ...rest);
    }
  };
}`;

describe('the relay', () => {
  let chromium;
  before(async () => {
    chromium = await launchChromium();
  });
  after(() => chromium?.close());

  /** One figure of the server's metrics. */
  const metric = async (stage, name) => {
    const line = (await stage.server.metrics()).split('\n').find((found) => found.startsWith(`starling_relay_${name} `));
    assert.ok(line, `${name} is in the metrics`);
    return Number(line.split(' ')[1]);
  };

  for (const transport of ['udp', 'tcp']) {
    test(`two viewers by relay only share the video, by ${transport}`, async () => {
      const stage = await openStage();
      try {
        const options = { attributes: { ice: 'relay' }, inject: onlyBy(transport) };
        const first = await Viewer.open(chromium, stage, options);
        await first.until('has a head start', ({ video }) => video?.bufferedTo >= HEAD_START_S);
        const second = await Viewer.open(chromium, stage, options);
        const seen = await second.until('takes from the first', ({ stats, video }) => stats?.peers === 1 && stats.p2pBytes > 500_000 && video.at >= 2);
        assert.ok(seen.probe.receivedBytes >= seen.stats.p2pBytes, 'data channels carried at least that much');
        assert.ok((await metric(stage, 'to_clients_bytes_total')) >= seen.stats.p2pBytes, 'all of it went through the relay');
        const [inside, from] = [await metric(stage, 'inside_datagrams_total'), await metric(stage, 'from_clients_datagrams_total')];
        assert.ok(inside > 0 && inside <= from, `${inside} of ${from} stayed inside`);
        const streams = await metric(stage, 'streams');
        assert.equal(streams > 0, transport === 'tcp', `${streams} streams`);
        assert.equal(seen.video.error, null);
      } finally {
        await stage.close();
      }
    });
  }

  test('a person who wants relays only sees that the path is relayed', async () => {
    const stage = await openStage({ serveMedia: true });
    const contexts = [];
    try {
      const visit = async () => {
        const context = await chromium.createBrowserContext();
        contexts.push(context);
        const page = await context.newPage();
        await page.setViewport(WIDE);
        await page.evaluateOnNewDocument(`localStorage.setItem('starling.relay-only', 'yes')`);
        await page.goto(`${stage.server.url}/`, { waitUntil: 'domcontentloaded' });
        return page;
      };
      const bufferedTo = () => {
        const buffered = document.querySelector('starling-player')?.video?.buffered;
        return buffered?.length ? buffered.end(buffered.length - 1) : 0;
      };
      const first = await visit();
      await eventually('the first has a head start', async () => {
        const seen = await first.evaluate(bufferedTo);
        return { value: seen >= HEAD_START_S, seen };
      });
      const second = await visit();
      await eventually('the second has a neighbour', async () => {
        const seen = await second.evaluate(() => document.querySelector('starling-player')?.stats ?? null);
        return { value: seen?.peers === 1 && seen.p2pBytes > 0, seen };
      });
      // By its own link, so that the video goes on.
      await second.click('a[href="/network"]');
      await eventually('the table says how the bytes travel', async () => {
        const seen = await second.evaluate(() => [...document.querySelectorAll('table.peers td[data-label="Path"]')].map((cell) => cell.textContent));
        return { value: seen.length === 1 && seen[0] === 'Relayed', seen };
      });
    } finally {
      for (const context of contexts) await context.close();
      await stage.close();
    }
  });

  test('a host without a relay: by relay only nobody connects, and the video plays', async () => {
    const stage = await openStage({ config: '[relay]\nenabled = false\n' });
    try {
      const options = { attributes: { ice: 'relay' } };
      const first = await Viewer.open(chromium, stage, options);
      await first.until('has a head start', ({ video }) => video?.bufferedTo >= HEAD_START_S);
      const second = await Viewer.open(chromium, stage, options);
      const seen = await second.played(4);
      assert.equal(seen.stats.peers, 0);
      assert.equal(seen.probe.receivedBytes, 0);
    } finally {
      await stage.close();
    }
  });
});
