// Proves that a person is told while no page is open: a server sees that health fell after a block, a push service
// carries what it sealed, Firefox opens it and wakes the worker, and the worker shows a notification with the right
// words. And that turning it off ends it at both ends.

import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launchFirefox, temporaryFolder } from '../rig/browser.mjs';
import { startPushService } from '../rig/push-service.mjs';
import { startStarling } from '../rig/starling.mjs';
import { begin, tryOut } from './lend-forms.mjs';
import { WIDE, picture, press, text, until } from './ledger-pages.mjs';
import { DOLLAR, openMarket } from './lending-market.mjs';
import { eventually } from './stage.mjs';

const [USDX, STAR] = ['#reserve-0', '#reserve-1'];
/** What Firefox says of a message that a worker got. */
const DELIVERED = 100;

describe('alerts while the page is closed', () => {
  let folder;
  let service;
  let server;
  let firefox;
  let market;
  let page;

  before(async () => {
    service = await startPushService();
    firefox = await launchFirefox({
      preferences: {
        ...service.preferences,
        // Shown by Firefox itself: a machine for tests has no desktop to show it.
        'alerts.useSystemBackend': false,
        'dom.webnotifications.requireinteraction.enabled': true,
      },
    });
    folder = await temporaryFolder('push');
    // A lone validator's blocks come every ten seconds otherwise, and a market takes many.
    const config = `[ledger]\nheartbeat_ms = 300\n[push]\nservices = ["${service.origin}"]\n`;
    server = await startStarling({ folder, config });
    market = await openMarket(server);
    page = await firefox.newPage();
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(String(error)));
    await page.setViewport(WIDE);
  });
  after(async () => {
    await firefox?.close();
    await server?.close();
    await service?.close();
    if (folder) await fs.rm(folder, { recursive: true, force: true });
  });

  /** What this server counts. */
  const counted = async (line) => {
    const seen = await server.metrics();
    return { value: seen.split('\n').includes(line), seen: seen.split('\n').filter((one) => one.startsWith('starling_push')) };
  };
  /** Waits until the browser has given its worker so many messages. */
  const delivered = (count) => eventually(`${count} messages reached the worker`, async () => {
    const seen = { acks: service.acks, statuses: service.messages.map(({ status }) => status) };
    return { value: service.acks.filter(({ code }) => code === DELIVERED).length >= count, seen };
  });
  /** Waits for a notification that the worker shows. */
  const shown = (title) => eventually(`"${title}" is shown`, async () => {
    const seen = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration('/alerts/');
      const all = (await registration?.getNotifications()) ?? [];
      return all.map(({ title, body, tag, data }) => ({ title, body, tag, data }));
    });
    return { value: seen.find((one) => one.title === title), seen: { seen, acks: service.acks } };
  });

  test('somebody who owes turns them on, and the browser says so', async () => {
    await page.goto(`${server.url}/wallet`, { waitUntil: 'domcontentloaded' });
    await until(page, 'the wallet is open', /Proved at block/);
    await press(page, '#faucet');
    await until(page, 'the gift is proved', /10\.00\s*STAR/);
    await press(page, 'a[href="/lend"]');
    await until(page, 'what STAR is worth is proved', /4 of 4\sreporters\sfresh/, STAR);
    await begin(page, STAR, 'Supply');
    await tryOut(page, '5');
    await press(page, '#act-sign');
    await until(page, 'it is mine', /Supplied 5\.00\sSTAR/, '.mine');
    await begin(page, USDX, 'Borrow');
    await tryOut(page, '7');
    await press(page, '#act-sign');
    await until(page, 'there is a health to watch', /^1\.1428$/, '#health');

    await until(page, 'it is offered', /Also when this page is closed/, '.limit');
    await press(page, '#health-push');
    await delivered(1);
    const on = await shown('Alerts are on');
    assert.match(on.body, /^Account [0-9a-f]{4}\s[0-9a-f]{4}: this browser is told when health falls under 1\.10, with the page closed too\.$/);
    await until(page, 'it says what it is', /What it says is checked when you open the page/, '.limit');
    assert.equal(await text(page, '#health-push-wrong'), '');
    await picture(page, 'lend-push');
    await eventually('the server keeps it', () => counted('starling_push_subscriptions 1'));
    assert.deepEqual([...service.channels.values()].map(({ key }) => typeof key), ['string'], 'nobody else may send');
    // Health is looked at as it is, before it falls.
    await eventually('it was looked at', async () => {
      const seen = await server.metrics();
      return { value: /^starling_push_looks_total [1-9]/m.test(seen), seen: seen.match(/^starling_push_looks.*$/m) };
    });
    assert.deepEqual(page.errors, []);
  });

  test('the page is closed, the price falls, and the worker shows it', async () => {
    await page.goto(`${server.url}/settings`, { waitUntil: 'domcontentloaded' });
    await market.price(2, 1.9 * DOLLAR);
    await delivered(2);
    const low = await shown('Health is low');
    assert.match(
      low.body,
      /^Account [0-9a-f]{4}\s[0-9a-f]{4}, market 1: health is 1\.08\d*, under your limit of 1\.10\. The server says so; open the page to check it\.$/,
    );
    assert.deepEqual([low.tag, low.data], ['starling-health-1', { market: 1 }]);
    await market.price(2, 1.7 * DOLLAR);
    await delivered(3);
    const under = await shown('Health is under 1');
    assert.match(under.body, /, market 1: health is 0\.97\d*, anybody may liquidate it now\./);
    // What the service saw: sealed, all of one length, and nothing of what is in it.
    const bodies = service.messages.map(({ bytes }) => bytes);
    assert.equal(new Set(bodies.map(({ length }) => length)).size, 1);
    assert.ok(bodies.every((bytes) => !bytes.includes('health') && !bytes.includes('market')));
    assert.deepEqual(service.messages.map(({ status }) => status), [201, 201, 201]);
    assert.deepEqual(service.acks.map(({ code }) => code), [DELIVERED, DELIVERED, DELIVERED]);
  });

  test('turned off, it ends at both ends', async () => {
    await page.goto(`${server.url}/lend`, { waitUntil: 'domcontentloaded' });
    await until(page, 'it is as it was left', /What it says is checked when you open the page/, '.limit');
    await eventually('it may be pressed', async () => {
      const seen = await page.evaluate(() => {
        const { checked, disabled } = document.querySelector('#health-push');
        return { checked, disabled };
      });
      return { value: seen.checked && !seen.disabled, seen };
    });
    await press(page, '#health-push');
    await eventually('the server forgot it', () => counted('starling_push_subscriptions 0'));
    await eventually('the browser forgot it', async () => ({ value: service.channels.size === 0, seen: service.channels.size }));
    const left = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration('/alerts/');
      return (await registration.pushManager.getSubscription()) === null;
    });
    assert.ok(left, 'the page has none either');
    assert.equal(await text(page, '#health-push-wrong'), '');
    assert.deepEqual(page.errors, []);
  });
});
