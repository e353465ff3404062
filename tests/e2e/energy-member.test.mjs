// Proves that who has no meter sees the street of a community, and that a slot is read and corrected by hand and from a
// file, with what it changes told before it is signed.

import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../rig/browser.mjs';
import { SLOT_S, choose, householdOf, isOff, put, rowSays, sign } from './energy-forms.mjs';
import { BLOCKS_MS, PHONE, picture, press, text, until, withLedger } from './ledger-pages.mjs';
import { eventually } from './stage.mjs';

describe('a member of a community', () => {
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 300\n' });
  const household = householdOf(visit);

  test('shows the street to a member without a meter, who brings one, signs a slot by hand and corrects it', async () => {
    const operator = await household();
    await press(operator, '#communities a[href="/community"]');
    await operator.waitForSelector('#open-clock');
    await put(operator, '#open-clock', '1');
    await put(operator, '#open-loss', '2.5');
    const opened = await sign(operator, '[data-do="open"]');
    assert.match(opened, /Lost on the way\s*2\.5\s%[\s\S]*Clock\s*60 times as fast/);
    const shown = await until(operator, 'it is there', /Community \d+\s+Sharing[\s\S]*60 times as fast/, '#communities');
    const [, community] = shown.match(/Community (\d+)\s+Sharing/);
    await until(operator, 'nobody is in it', /^0\smembers: each of them is proved/, '#members-told');

    const page = await household();
    await page.goto(`${stage.server.url}/energy?community=${community}`, { waitUntil: 'domcontentloaded' });
    const [link] = (await until(page, 'the way in is told', /http\S+admit=[0-9a-f]{64}/, '#join')).match(/http\S+/);
    await until(page, 'a stranger may look', /Who joins needs no meter at first/, '#street-day');
    await operator.goto(link, { waitUntil: 'domcontentloaded' });
    await until(operator, 'the link fills it in', /Take somebody in/, '#admit');
    await sign(operator, '[data-do="admit"]');
    await until(page, 'the membership is proved', /You are a member/, '#membership');
    await until(page, 'who has no meter looks on', /You have no meter here[\s\S]*Among neighbours\s*0\sWh/, '#street-day');
    assert.equal(await text(page, '#day'), '', 'it has no day of its own');
    await until(operator, 'the operator sees it', /^1\smember, 1 without a meter: each of them is proved/, '#members-told');
    assert.match(await text(operator, '#members'), /no meter: trades nothing[\s\S]*End/);

    await page.waitForSelector('#purse-units');
    await page.type('#purse-units', '3');
    await sign(page, '#purse [data-do="pay-in"]');
    await until(page, 'what was paid in is proved', /^3\.00\s*STAR$/, '#purse-free');
    await sign(page, '[data-do="bring"]');
    await until(page, 'the meter is proved', /its key follows from this account/, '#meters');
    await until(operator, 'the operator sees that, too', /^1\smember: each of them is proved/, '#members-told');
    await eventually('it has a day of its own', async () => {
      const seen = await text(page, '#street-day');
      return { value: seen === '', seen };
    }, BLOCKS_MS);

    // A slot takes a quarter of a minute; nothing was read of three of them.
    const missing = () => page.evaluate(() => {
      document.querySelector('#day details.slots')?.setAttribute('open', '');
      const rows = [...document.querySelectorAll('#day [data-slot]')].filter((row) => /missing/.test(row.innerText));
      return rows.map((row) => Number(row.dataset.slot)).sort((one, next) => one - next);
    });
    const [first, between, last] = await eventually('three slots have ended', async () => {
      const seen = await missing();
      return { value: seen.length > 2 && seen, seen };
    }, 2 * BLOCKS_MS);
    await choose(page, first);
    await put(page, '#hand-taken', '400');
    await until(page, 'it would be the first reading', /Its first reading\. 0\.120002\s*STAR are set aside/, '#hand-told');
    assert.match(await sign(page, '#correct [data-do="hand"]'), /Taken\s*400\sWh[\s\S]*sealed for nobody/);
    await rowSays(page, '#day', first, /400\sWh/);
    await choose(page, last);
    await put(page, '#hand-taken', '600');
    await sign(page, '#correct [data-do="hand"]');
    await rowSays(page, '#day', last, /600\sWh/);

    // What was left out before stays out, and is told as missing.
    await rowSays(page, '#day', between, /missing/);
    await until(page, 'a missing reading is told', /missing: a silent meter trades nothing/, '#day-missing');
    await choose(page, between);
    await put(page, '#hand-taken', '5');
    await until(page, 'it can not come late', /left out before a later slot was read/, '#hand-told');
    assert.ok(await isOff(page, '#correct [data-do="hand"]'));

    await choose(page, first);
    await put(page, '#hand-taken', '500');
    await until(page, 'no more than was counted on', /it can only be less/, '#hand-told');
    await put(page, '#hand-taken', '250');
    await until(page, 'it would be a correction', /Correction 1/, '#hand-told');
    const money = /0\.12\s*STAR\s*→\s*0\.075\s*STAR/;
    await until(page, 'what it changes is told', new RegExp(`400\\sWh\\s*→\\s*250\\sWh[\\s\\S]*${money.source}`), '#hand-bill');
    await picture(page, 'energy-correct');
    const corrected = await sign(page, '#correct [data-do="hand"]');
    assert.match(corrected, new RegExp(`Taken\\s*400\\sWh → 250\\sWh[\\s\\S]*To pay, as it stands\\s*${money.source}`));
    await rowSays(page, '#day', first, /corrected[\s\S]*250\sWh/);

    // A file that differs from what was signed.
    const folder = await temporaryFolder('correct');
    const file = path.join(folder, 'day.csv');
    const rows = [[first, 0.2], [between, 0], [last, 0.6]].map(([slot, kwh]) => `${slot * SLOT_S},${kwh},0`);
    await fs.writeFile(file, ['timestamp,import_kwh,export_kwh', ...rows, ''].join('\n'));
    await (await page.$('#pick-meter-file')).uploadFile(file);
    await until(page, 'what differs is told', /1\sslot can be corrected[\s\S]*250\sWh → 200\sWh/, '#corrections');
    assert.match(await sign(page, '[data-do="correct-file"]'), /Corrected\s*1\sslot/);
    await rowSays(page, '#day', first, /200\sWh/);
    await until(page, 'it was done', /Signed readings again[\s\S]*Done in/, '#deeds');
    await page.setViewport(PHONE);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);

    await rowSays(operator, '#settling', first, /1, 1 corrected/);
    await press(operator, `#settling [data-slot="${first}"] button`);
    await until(operator, 'by which correction', /meter 0, correction 2/, '#slot-corrected');
    await picture(operator, 'community-corrected');
    assert.deepEqual(page.errors, []);
    assert.deepEqual(operator.errors, []);
    await fs.rm(folder, { recursive: true, force: true });
  });
});
