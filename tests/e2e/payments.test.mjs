// Proves that tabs pay each other for the bytes of files, and a tab pays `starling seed --earn`: nothing before a person
// agreed; what both show is the same; after settling, each proved balance is what it was, plus or minus what was paid,
// minus the fees, to the unit. That a payer who runs out, or has paid what an hour may cost, is told and gets what is
// free; that a reload on either side loses nothing. `leaving.test.mjs`: who does not come back.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { expected } from './files.mjs';
import { BLOCKS_MS } from './ledger-pages.mjs';
import { place, seed, sha256Of } from './native.mjs';
import { BY_PAYEE, BY_PAYER, PER_MIB, STAR, accountOf, agreeOn, ask, asked, asks, closePool, deal, exact, fill, pay, ready, settleDue, stopAsking, untilDeal, withAccounts } from './payments-forms.mjs';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';
import { eventually } from './stage.mjs';

describe('payments for files', () => {
  const natives = [];
  afterEach(async () => {
    await Promise.all(natives.splice(0).map((native) => native.kill()));
  });
  const people = withPeople();
  const { stage } = people;
  const { arriveRich, fees } = withAccounts(people);

  /** Both settle: the payee first, so that the payer need not wait a day. */
  const settle = async (sender, receiver) => {
    await stopAsking(sender);
    const promised = await settleDue(sender);
    await closePool(receiver);
    return promised;
  };

  test('one tab asks, another pays as it comes, and both balances are exact after settling', async () => {
    const file = { name: 'film.bin', size: 8 * MIB + 77, seed: 71 };
    const [sender, receiver] = [await arriveRich(), await arriveRich()];
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    await ask(sender);

    await receiver.get(link, { withinMs: PATIENT_MS });
    await asked(receiver);
    const before = await deal(receiver);
    assert.equal(before.pays, 'none', 'nothing is agreed by itself');
    assert.match(before.text, /20\.48\sSTAR for a GiB/);
    await pay(receiver, '1');
    await receiver.done(PATIENT_MS);
    assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await expected(file));

    const paid = await agreeOn(sender, receiver);
    // A window of requests may overrun the credit before anybody counts: that much was free.
    const price = Math.floor((file.size / MIB) * PER_MIB);
    assert.ok(paid > price * 0.45 && paid < price * 1.3, `${paid} units for ${file.size} bytes`);
    await untilDeal(receiver, 'paying ends with the share', ({ pays, stopped }) => pays === 'off' && stopped === 'whole');
    const promised = await settle(sender, receiver);
    assert.equal(promised, paid);
    await exact(sender, 10 * STAR + paid - (await fees(sender.account, BY_PAYEE)));
    await exact(receiver, 10 * STAR - paid - (await fees(receiver.account, BY_PAYER)));
    for (const person of [sender, receiver]) assert.deepEqual((await person.look()).errors, []);
  });

  test('a payer whose limit is reached is told so, and gets the rest once it is free', async () => {
    const file = { name: 'long.bin', size: 12 * MIB, seed: 73 };
    const [sender, receiver] = [await arriveRich(), await arriveRich()];
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    await ask(sender);
    await receiver.get(link, { withinMs: PATIENT_MS });
    await asked(receiver);
    await pay(receiver, '0.08');
    const told = await untilDeal(receiver, 'the limit is reached', ({ stopped }) => stopped === 'limit');
    assert.equal(told.units, 80_000, 'not a unit more than agreed');
    assert.match(told.text, /Your limit is reached\. What is free still comes/);
    assert.notEqual((await receiver.look()).stage, 'done');
    await stopAsking(sender);
    await receiver.done(PATIENT_MS);
    assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await expected(file));
    assert.equal((await deal(receiver)).units, 80_000);
  });

  test('what is paid in an hour is capped in Settings, whatever was agreed for a file', async () => {
    const file = { name: 'hour.bin', size: 12 * MIB, seed: 97 };
    const [sender, receiver] = [await arriveRich(), await arriveRich()];
    await receiver.go('/settings');
    await receiver.page.waitForSelector('#pay-hour', { timeout: BLOCKS_MS });
    await fill(receiver, '#pay-hour', '0.06');
    await receiver.page.keyboard.press('Tab');
    assert.equal(await receiver.page.evaluate(() => localStorage.getItem('starling.pay-hour')), '60000');
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    await ask(sender);
    await receiver.get(link, { withinMs: PATIENT_MS });
    await asked(receiver);
    await pay(receiver, '1');
    const told = await untilDeal(receiver, 'the hour is used up', ({ stopped }) => stopped === 'hour');
    assert.equal(told.units, 60_000, 'not a unit more than allowed');
    assert.match(told.text, /You paid 0\.06\sSTAR within an hour.* It goes on by itself at \d\d:\d\d/s);
    await stopAsking(sender);
    await receiver.done(PATIENT_MS);
    assert.equal((await deal(receiver)).units, 60_000);
  });

  test('an account that holds too little is told before anything is signed', async () => {
    const file = { name: 'dear.bin', size: 6 * MIB, seed: 79 };
    const [sender, receiver] = [await arriveRich(), await arriveRich()];
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    await ask(sender);
    await receiver.get(link, { withinMs: PATIENT_MS });
    await asked(receiver);
    await receiver.page.click('[data-do=pay]');
    await receiver.page.waitForSelector('#pay-limit', { timeout: BLOCKS_MS });
    await fill(receiver, '#pay-limit', '10');
    await eventually('it is told', async () => {
      await receiver.page.click('[data-do=pay-review]');
      const { text } = await deal(receiver);
      return { value: /That is more than there is: .* can be set aside/.test(text), seen: text };
    }, BLOCKS_MS);
    await receiver.go('/wallet');
    await ready(receiver);
    await exact(receiver, 10 * STAR);
  });

  test('a reload of either side in the middle loses no money', async () => {
    const file = { name: 'middle.bin', size: 28 * MIB, seed: 83 };
    const [sender, receiver] = [await arriveRich(), await arriveRich()];
    await sender.limitUpload(8);
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    await ask(sender);
    await receiver.get(link, { withinMs: PATIENT_MS });
    await asked(receiver);
    await pay(receiver, '2');
    const first = await untilDeal(receiver, 'something is paid', ({ units }) => units > 3 * PER_MIB, PATIENT_MS);
    assert.notEqual((await receiver.look()).stage, 'done');
    await receiver.page.reload({ waitUntil: 'domcontentloaded' });
    const second = await untilDeal(receiver, 'it goes on paying', ({ units, pays }) => pays === 'on' && units > first.units + PER_MIB, PATIENT_MS);
    assert.notEqual((await receiver.look()).stage, 'done');
    await sender.page.reload({ waitUntil: 'domcontentloaded' });
    await untilDeal(receiver, 'it pays the one who is back', ({ units }) => units > second.units + PER_MIB, PATIENT_MS);
    await receiver.done(PATIENT_MS);
    assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await expected(file));
    const paid = await agreeOn(sender, receiver);
    const promised = await settle(sender, receiver);
    assert.equal(promised, paid);
    await exact(sender, 10 * STAR + paid - (await fees(sender.account, BY_PAYEE)));
    await exact(receiver, 10 * STAR - paid - (await fees(receiver.account, BY_PAYER)));
  });

  test('a tab pays starling seed, which says that it earned as much', async () => {
    const folder = await place(stage.folder);
    await fs.writeFile(path.join(folder, 'film.bin'), randomBytes(8 * MIB + 5));
    const account = await accountOf(folder);
    await eventually('the faucet gives', async () => {
      const { status } = await fetch(`${stage.server.url}/ledger/faucet/${account}`, { method: 'POST' });
      return { value: status < 300, seen: status };
    }, BLOCKS_MS);
    const words = ['film.bin', '--server', stage.server.url, '--earn', 'me.key', '--price', String(PER_MIB), '--must-pay'];
    const native = await seed(folder, words);
    natives.push(native);
    const receiver = await arriveRich();
    await receiver.get(native.link, { withinMs: PATIENT_MS });
    await asked(receiver);
    await pay(receiver, '1');
    await receiver.done(PATIENT_MS);
    assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await sha256Of(path.join(folder, 'film.bin')));
    const earned = await eventually('both say the same', async () => {
      const { units } = await deal(receiver);
      const told = native.lines.findLast(({ earned_units: each }) => each !== undefined);
      return { value: units > 8 * PER_MIB * 0.45 && told?.earned_units === String(units) && units, seen: [units, told] };
    }, PATIENT_MS);
    assert.ok(earned < 8 * PER_MIB * 1.3, `${earned} units`);
    await receiver.go('/wallet');
    await ready(receiver);
    const left = await eventually('the deposit is proved', async () => {
      const text = await receiver.page.evaluate(() => document.querySelector('[data-pool]')?.innerText ?? '');
      return { value: /Proved at block \d+/.test(text) && text, seen: text };
    }, BLOCKS_MS);
    assert.match(left, /set aside for 1\sperson/);
    assert.equal(await native.stop(), 0);
  });
});
