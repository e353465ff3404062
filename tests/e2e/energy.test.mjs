// Proves that a community is opened and joined in tabs, that money and meters in it are proved, that a meter's file is
// understood before anything is signed and nothing is signed that the ledger would refuse, that a meter that contradicts
// itself is shown cut, that an order is met at the price that the page said before, that other rules are announced, and
// that a household trades with twelve others whose meters run, also while its tab is closed; what it signed is sealed for
// whom it named, who hold it against the ledger.

import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../rig/browser.mjs';
import { SLOT_S, householdOf, isOff, onItsDay, put, rowSays, sign } from './energy-forms.mjs';
import { openWithBook, openWithLiar } from './energy-street.mjs';
import { Native } from './native.mjs';
import { starling } from '../rig/starling.mjs';
import { BLOCKS_MS, PHONE, WIDE, picture, press, text, until, withLedger } from './ledger-pages.mjs';
import { eventually } from './stage.mjs';

/** A slot takes so much less: a reading is signed by hand within four of them. */
const PACE = 90;

describe('a community of energy', () => {
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 300\n' });

  const household = householdOf(visit);

  test('is opened, joined by a link, paid into and given a meter, and every step is proved', async () => {
    const operator = await household();
    await until(operator, 'there is none', /No community was opened yet/, '#communities');
    await press(operator, '#communities a[href="/community"]');
    await until(operator, 'it can be opened', /Open a community/, '#open');
    const told = await sign(operator, '[data-do="open"]');
    assert.match(told, /From the grid\s*0\.30/);
    await until(operator, 'it is there', /Community 1[\s\S]*Proved at block[\s\S]*From the grid\s*0\.30/, '#communities');
    await operator.waitForSelector('#grid-units');
    await operator.type('#grid-units', '2');
    await sign(operator, '#funds .move:has(#grid-units) [data-do="pay-in"]');
    await until(operator, 'the retailer has it', /Retailer, free\s*2\.00/, '#funds');
    await operator.evaluate(() => {
      const field = document.querySelector('#next-retail');
      field.value = '0.28';
      field.dispatchEvent(new Event('input', { bubbles: true }));
    });
    assert.match(await sign(operator, '[data-do="announce"]'), /From the grid\s*0\.28/);
    await until(operator, 'what will hold is proved', /From \d{4}-\d\d-\d\d \d\d:\d\d: Sharing[^;]*; grid 0\.28/, '#communities');

    const page = await household();
    const asked = await until(page, 'the way in is told', /You are not a member[\s\S]*\/community\?community=1&admit=[0-9a-f]{64}/, '#join');
    const [link] = asked.match(/http\S+/);
    await operator.goto(link, { waitUntil: 'domcontentloaded' });
    await until(operator, 'the link fills it in', /Take somebody in/, '#admit');
    await sign(operator, '[data-do="admit"]');
    await until(page, 'the membership is proved', /You are a member, with 0\.00/, '#membership');

    await page.waitForSelector('#purse-units');
    await page.type('#purse-units', '3');
    await sign(page, '#purse [data-do="pay-in"]');
    await until(page, 'what was paid in is proved', /^3\.00\s*STAR$/, '#purse-free');
    await until(page, 'meters are proved', /None yet/, '#meters');
    await sign(page, '[data-do="bring"]');
    const meter = await until(page, 'the meter is proved', /Meter 0[\s\S]*self-reported[\s\S]*no reading yet/, '#meter-0');
    assert.match(meter, /its key follows from this account/);
    assert.match(await until(page, 'no slot is missing before it came', /none missing on this day/, '#meter-0'), /Meter 0/);

    // A file is understood, and nothing of it is signed that the ledger would not take.
    const folder = await temporaryFolder('energy');
    const file = path.join(folder, 'day.csv');
    const now = Math.floor(Date.now() / 1000 / SLOT_S);
    const rows = [-40, -39, -38, -36, -35].map((at) => `${(now + at) * SLOT_S},0.${100 - at},0.01`);
    await fs.writeFile(file, ['timestamp,import_kwh,export_kwh', ...rows, rows[4], ''].join('\n'));
    await page.waitForSelector('#pick-meter-file');
    const input = await page.$('#pick-meter-file');
    await input.uploadFile(file);
    const read = await until(page, 'what was understood is told', /Understood of day\.csv[\s\S]*1\sgap/, '#understood');
    assert.match(read, /csv, times of/);
    assert.match(read, /1 twice, alike/);
    const plan = await until(page, 'what can be signed is told', /Nothing of it can be signed now/, '#plan');
    assert.match(plan, /5\sslots are from before this meter came/);
    assert.ok(await isOff(page, '[data-do="sign-readings"]'));
    await fs.writeFile(file, 'neither this nor that\n');
    await input.uploadFile(file);
    await until(page, 'what is no file of a meter is said', /Export NEM12, Green Button XML or CSV/, '#understood');

    // Limits hold from the next slot.
    await page.evaluate(() => {
      const slider = document.querySelector('#buy-0');
      slider.value = '250800';
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await sign(page, '#limits-0 [data-do="limits"]');
    await until(page, 'the limits are proved', /From \d\d:\d\d: pay at most 0\.25/, '#holding-0');
    await until(page, 'no slot is settled yet', /None of its slots is settled yet/, '#what-if-0');
    await until(page, 'all is done', /Set limits of meter 0[\s\S]*Done in[\s\S]*Brought a meter[\s\S]*Done in[\s\S]*Paid in 3\.00/, '#deeds');
    await picture(page, 'energy');
    await page.setViewport(PHONE);
    await until(page, 'the number is there again', /^3\.00\s*STAR$/, '#purse-free');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);
    await picture(page, 'energy-phone');
    await page.setViewport(WIDE);

    // The account is the meter's owner after a reload as well: nothing but the seed is kept.
    await page.reload({ waitUntil: 'domcontentloaded' });
    await until(page, 'the key is known again', /its key follows from this account/, '#meter-0');
    assert.deepEqual(page.errors, []);
    assert.deepEqual(operator.errors, []);
    await fs.rm(folder, { recursive: true, force: true });
  });

  test('shows a meter cut that said two things of one slot', async () => {
    await openWithLiar(stage.server, 2);
    const page = await visit('/community?community=2');
    await until(page, 'the dispute is told', /1\smeter was cut/, '#all-meters');
    await until(page, 'at the meter, too', /Cut: it said two things of one slot/, '#meter-0');
    await picture(page, 'community-cut');
    assert.deepEqual(page.errors, []);
  });

  test('meets an order at the price that was told, lets another wait and takes it back, and has a neighbour first', async () => {
    const book = await openWithBook(stage.server, 3);
    const page = await household();
    await page.goto(`${stage.server.url}/energy?community=3`, { waitUntil: 'domcontentloaded' });
    const [, account] = (await until(page, 'the way in is told', /admit=[0-9a-f]{64}/, '#join')).match(/admit=([0-9a-f]{64})/);
    await book.admit(account);
    await until(page, 'the membership is proved', /You are a member/, '#membership');
    await page.waitForSelector('#purse-units');
    await page.type('#purse-units', '3');
    await sign(page, '#purse [data-do="pay-in"]');
    await until(page, 'what was paid in is proved', /^3\.00\s*STAR$/, '#purse-free');
    await until(page, 'meters are proved', /None yet/, '#meters');
    await sign(page, '[data-do="bring"]');
    await until(page, 'the meter is proved', /Meter 1/, '#meter-1');

    const type = (selector, value) => put(page, selector, value);
    await page.waitForSelector(`#order-slot option[value="${book.slot}"]`);
    await type('#order-slot', String(book.slot));
    await until(page, 'what is offered is proved', /Best offer 0\.12\s*STAR\/kWh; nobody bids/, '#book-depth');
    await type('#order-energy', '0.4');
    await type('#order-limit', '0.04');
    await until(page, 'a bid below the fee is no order', /less than the fee/, '#order-told');
    assert.ok(await isOff(page, '[data-do="order"]'));
    await type('#order-limit', '0.2');
    // 400 Wh at 12 and 5 cents; the grid asks 30.
    await until(page, 'what it would meet is told', /400\sWh at once for 0\.068\s*STAR; the grid asks 0\.12\s*STAR/, '#order-told');
    const told = await sign(page, '[data-do="order"]');
    assert.match(told, /Pay at most, fee included\s*0\.20/);
    await until(page, 'it was met, which is proved', /Meter 1 bought 400\sWh for 0\.068\s*STAR/, '#booked');
    await until(page, 'who sold is told', /Meter 0 to meter 1: 400\sWh at 0\.12/, '#deals');

    await type('#order-limit', '0.1');
    await until(page, 'a low bid waits', /Nothing at once\. 400\sWh would wait/, '#order-told');
    await sign(page, '[data-do="order"]');
    await until(page, 'it waits, which is proved', /Buy 400\sWh at 0\.10\s*STAR\/kWh/, '#my-orders');
    await picture(page, 'energy-orders');
    await sign(page, '#my-orders [data-do="take-back"]');
    await eventually('it is gone', async () => {
      const seen = await text(page, '#my-orders');
      return { value: !/400\sWh/.test(seen), seen };
    }, BLOCKS_MS);

    await type('#friend-of-1', '0');
    await sign(page, '#friend-1 [data-do="friend"]');
    await until(page, 'the neighbour is proved', /meter 0 first/, '#meter-1');
    await page.setViewport(PHONE);
    await until(page, 'the book is there again', /Best offer|Nobody bids/, '#orders');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);
    await picture(page, 'energy-orders-phone');
    assert.deepEqual(page.errors, []);
  });

  test('trades with twelve others whose meters run, and settles while its tab is closed', async () => {
    const folder = await temporaryFolder('street');
    const words = ['demo', 'energy', '--node', stage.server.url, '--key', path.join(stage.server.data, 'ledger', 'faucet.key'), '--speed', `${PACE}x`];
    const street = Native.start(folder, [...words, '--run']);
    try {
      const { community } = await street.until('the street is there', ({ event }) => event === 'community', 3 * BLOCKS_MS);
      const page = await household();
      await page.goto(`${stage.server.url}/energy?community=${community}`, { waitUntil: 'domcontentloaded' });
      const [, account] = (await until(page, 'the way in is told', /admit=[0-9a-f]{64}/, '#join')).match(/admit=([0-9a-f]{64})/);
      await starling(...words, '--data', path.join(folder, 'store'), '--admit', account);
      await until(page, 'the membership is proved', /You are a member/, '#membership');
      await page.waitForSelector('#purse-units');
      await page.type('#purse-units', '500');
      await sign(page, '#purse [data-do="pay-in"]');
      await until(page, 'what was paid in is proved', /^500\.00\s*COIN$/, '#purse-free');
      await until(page, 'meters are proved', /None yet/, '#meters');
      await sign(page, '[data-do="bring"]');
      await until(page, 'the meter is proved', /its key follows from this account/, '#meters');

      // A quarter of a kWh in each slot to come, by the community's clock.
      const { slot } = await street.until('a slot is settled', ({ event }) => event === 'settled', BLOCKS_MS);
      const file = path.join(folder, 'day.csv');
      const rows = Array.from({ length: 400 }, (_, at) => `${(slot + at) * SLOT_S},0.25,0`);
      await fs.writeFile(file, ['timestamp,import_kwh,export_kwh', ...rows, ''].join('\n'));
      await page.waitForSelector('#pick-meter-file');
      await (await page.$('#pick-meter-file')).uploadFile(file);
      await until(page, 'some have ended', /\d+\sslots? can be signed/, '#plan');
      const key = path.join(folder, 'group.key');
      const did = (await starling('id', 'key', key)).trim();
      await until(page, 'nobody can read more', /Nobody can read it/, '#group-told');
      await page.evaluate((named) => {
        const field = document.querySelector('#group-readers');
        field.value = named;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      }, did);
      await eventually('the group can be named', async () => ({ value: !(await isOff(page, '[data-do="group"]')), seen: await text(page, '#group') }), BLOCKS_MS);
      await press(page, '[data-do="group"]');
      await until(page, 'who can read it is told', /One can read it: did:key:z6Mk/, '#group-told');
      assert.match(await sign(page, '[data-do="sign-readings"]'), /sealed for 1\sperson/);
      await until(page, 'they are on the ledger', /Done in[\s\S]*Brought a meter/, '#deeds');
      await until(page, 'letters are ready', /\d+\sletters? (is|are) ready/, '#letters');
      await picture(page, 'energy-letters');

      // The group gets them by the link, and holds each against the ledger.
      await press(page, '[data-do="share-letters"]');
      const link = await eventually('the letters have a link', async () => {
        const value = await page.evaluate(() => document.querySelector('.made .copy-text')?.textContent.trim() ?? '');
        return { value: value.includes('#/get/') && value, seen: await text(page) };
      }, BLOCKS_MS);
      const reader = path.join(folder, 'reader');
      await fs.mkdir(reader);
      const got = Native.start(reader, ['get', link, '-o', 'letters']);
      await got.got(BLOCKS_MS);
      const told = await starling('meter', 'check', path.join(reader, 'letters'), '--key', key, '--node', stage.server.url, '--json');
      const verdicts = told.trim().split('\n').map((line) => JSON.parse(line));
      assert.ok(verdicts.length > 0 && verdicts.every(({ verdict }) => verdict === 'matches'), told);
      const context = page.browserContext();
      assert.deepEqual(page.errors, []);
      await page.close();

      const settled = await street.until('a slot with thirteen meters is settled', ({ event, meters }) => event === 'settled' && meters === 13, BLOCKS_MS);
      const again = await context.newPage();
      again.errors = [];
      again.on('pageerror', (error) => again.errors.push(String(error)));
      await again.setViewport(WIDE);
      await again.goto(`${stage.server.url}/energy?community=${community}`, { waitUntil: 'domcontentloaded' });
      await rowSays(again, '#day', settled.slot, /(?<!to be )settled/);
      await onItsDay(again, '#day', settled.slot, /^(250|500|750)\sWh$|^[1-9]\d*\.\d{3}\skWh$/, '#day-taken');
      await onItsDay(again, '#day', settled.slot, /of [1-9]\d* settled slots/, '#day');
      await until(again, 'it was paid', /^(499|49\d)\.\d+\s*COIN$/, '#purse-free');
      await picture(again, 'energy-day');
      await again.goto(`${stage.server.url}/community?community=${community}`, { waitUntil: 'domcontentloaded' });
      await rowSays(again, '#settling', settled.slot, /(?<!to be )settled[\s\S]*13/);
      await picture(again, 'community-day');
      assert.deepEqual(again.errors, []);
    } finally {
      await street.stop();
      await fs.rm(folder, { recursive: true, force: true });
    }
  });
});
