// Proves that a page that was open once opens again while its host is down: Lend shows the market, proved by another
// host that the wallet knows, and says who is read. That a host which answers comes first, so that its new version is
// there at once and takes the place of the one before, whole. And that a person who forgets it has none any more.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { BLOCKS_MS, WIDE, picture, press, text, until, withLedger } from './ledger-pages.mjs';
import { openProxy } from './ledger-proxy.mjs';
import { openMarket } from './lending-market.mjs';
import { eventually } from './stage.mjs';

const MARKET = /Market 1[\s\S]*USDX[\s\S]*STAR[\s\S]*Proved at blocks? \d+/;
const SIZE = /[\d.]+\sMB/;

describe('a page whose host is down', () => {
  // A lone validator's blocks come every ten seconds otherwise, and a market takes many.
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 300\n' });
  let host;
  let page;
  after(() => host?.close());

  const go = (route) => page.goto(`${host.url}${route}`, { waitUntil: 'domcontentloaded' });
  const isSecond = () => page.evaluate(() => document.querySelector('meta[name="second"]') !== null);

  test('opens again, and shows the market proved by another host, which it names', async () => {
    await openMarket(stage.server);
    host = await openHost(stage.server);
    page = await visit('/ledger', WIDE, host.url);
    await until(page, 'servers are listed', /Servers asked/);
    await page.type('#add-server', stage.server.url);
    await page.keyboard.press('Enter');
    await until(page, 'another host is asked', new RegExp(`${stage.server.url}\\s+at block`));
    assert.equal(await text(page, '#away'), '', 'its own answers');
    assert.deepEqual(await page.evaluate(keptVersions), [], 'a visit needs nothing of it');

    await go('/settings');
    await until(page, 'it is kept whole', SIZE, '#kept-page');
    assert.deepEqual(await page.evaluate(keptVersions), [{ version: host.first, isWhole: true }]);
    await picture(page, 'settings-kept');
    assert.deepEqual(page.errors, []);

    await host.down();
    await go('/lend');
    await until(page, 'the market is proved', MARKET);
    const other = new URL(stage.server.url).host;
    const told = await until(page, 'who is read is named', /read from/, '#away');
    assert.equal(told, `Your host does not answer; read from ${other}.`);
    await picture(page, 'lend-kept');
    // Parts that nobody opened before are here as well.
    await press(page, 'a[href="/settings"]');
    await until(page, 'another page opens', SIZE, '#kept-page');
    await go('/liquidations?market=1');
    await until(page, 'the list comes from the other host', /0 of 0\sdebtors below 1/, '#targets-told');
  });

  test('takes the new version as soon as the host is back, and keeps that one', async () => {
    host.isSecond = true;
    await host.back();
    await go('/settings');
    assert.ok(await isSecond(), 'a host that answers comes first');
    await eventually('the new version is whole, and the one before is gone', async () => {
      const seen = await page.evaluate(keptVersions);
      return { value: seen.length === 1 && seen[0].version === host.second && seen[0].isWhole, seen };
    }, BLOCKS_MS);
    await host.down();
    await go('/lend');
    await until(page, 'the market is proved again', MARKET);
    assert.ok(await isSecond(), 'what opens is what was kept last');
  });

  test('is gone when a person forgets it, and kept again when they want it', async () => {
    await host.back();
    await go('/settings');
    await until(page, 'it says that it is kept', SIZE, '#kept-page');
    await press(page, '#forget-page');
    await until(page, 'it is not kept any more', /Not kept[\s\S]*Keep it/, '#kept-page');
    assert.deepEqual(await page.evaluate(keptVersions), []);
    // Wanted again at once, by the page that it answered for.
    await press(page, '#forget-page');
    await until(page, 'it is kept again at once', SIZE, '#kept-page');
    await press(page, '#forget-page');
    await until(page, 'it is not kept, once more', /Not kept[\s\S]*Keep it/, '#kept-page');
    // The worker goes with the last page that it answered for.
    await page.goto('about:blank');
    await host.down();
    await assert.rejects(go('/lend'), /ERR_CONNECTION_REFUSED/);

    await host.back();
    await go('/settings');
    await until(page, 'it stays forgotten', /Not kept[\s\S]*Keep it/, '#kept-page');
    await press(page, '#forget-page');
    await until(page, 'it is kept again', SIZE, '#kept-page');
    await host.down();
    await go('/lend');
    await until(page, 'the market is proved', MARKET);
  });
});

/** In the page: versions of it on this device. */
async function keptVersions() {
  const names = (await caches.keys()).filter((name) => name.startsWith('starling-page-'));
  return Promise.all(names.map(async (name) => {
    const list = await (await caches.open(name)).match('/kept.json');
    return { version: name.slice('starling-page-'.length), isWhole: list !== undefined };
  }));
}

/**
 * A host of the page, with its ledger, that can go down while the server behind it stays up. `isSecond`: from then on it
 * serves another version of the page, whose document differs. `first`, `second`: what the versions are called.
 */
async function openHost(server) {
  const list = await (await fetch(`${server.url}/kept.json`)).json();
  const document = await (await fetch(`${server.url}/`)).text();
  const second = sha256(list.version).slice(0, 16);
  const changed = document.replace(list.version, second).replace('</head>', '<meta name="second"></head>');
  const entry = ['/', Buffer.byteLength(changed), sha256(changed)];
  const files = list.files.map((file) => (file[0] === '/' ? entry : file));
  const bytes = files.reduce((sum, [, size]) => sum + size, 0);
  const change = (url, body) => {
    if (!host.isSecond) return body;
    if (url === '/kept.json') return Buffer.from(JSON.stringify({ version: second, bytes, files }));
    return body.includes('<meta name="starling-version"') ? Buffer.from(changed) : body;
  };
  const host = Object.assign(await openProxy(server, change), { isSecond: false, first: list.version, second });
  return host;
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}
