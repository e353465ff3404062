// Proves that tabs pay each other for the bytes of files, and a tab pays `starling seed --earn`: nothing before a person
// agreed; what both show is the same; after settling, each proved balance is what it was, plus or minus what was paid,
// minus the fees, to the unit. That a payer who runs out, or has paid what an hour may cost, is told and gets what is
// free; that a reload on either side loses nothing; that what a tab earned and left is handed in by a neighbour, if it
// does not come back.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { starlingBinary } from '../rig/starling.mjs';
import { Person, expected } from './files.mjs';
import { BLOCKS_MS, press } from './ledger-pages.mjs';
import { openProxy } from './ledger-proxy.mjs';
import { place, seed, sha256Of } from './native.mjs';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';
import { eventually } from './stage.mjs';

/** What is asked: 20.48 STAR for a GiB are 20,000 units for a MiB. */
const PRICE = '20.48';
const PER_MIB = 20_000;
/** Units of one STAR. */
const STAR = 1_000_000;
/** Events of pools (`docs/spec/ledger.md`) that tell who signed: the payer, or the payee. */
const BY_PAYER = [0x0300, 0x0301, 0x0302, 0x0303, 0x0306, 0x0307];
const BY_PAYEE = [0x0304, 0x0305];
/** Somebody handed a promise in. */
const CLAIMED = 0x0304;
/** A neighbour waits 90 s for who left, looks every 20 s, and proves before and after. */
const HANDED_IN_MS = 300_000;

describe('payments for files', () => {
  const natives = [];
  afterEach(async () => {
    await Promise.all(natives.splice(0).map((native) => native.kill()));
  });
  const { stage, browser, arrive } = withPeople();

  /** Somebody with 10 STAR. */
  const arriveRich = async (somebody) => {
    const person = somebody ?? (await arrive());
    await person.go('/wallet');
    await ready(person);
    await person.page.click('#faucet');
    await eventually('the gift is proved', async () => {
      const units = await balance(person);
      return { value: units === 10 * STAR, seen: units };
    }, BLOCKS_MS);
    person.account = await person.page.evaluate(() => document.querySelector('.receive .copy-text').innerText.trim());
    assert.match(person.account, /^[0-9a-f]{64}$/);
    return person;
  };

  /** Receipts that name an account, as the ledger keeps them. */
  const receiptsOf = async (account) => {
    const { receipts } = await (await fetch(`${stage.server.url}/ledger/accounts/${account}/events`)).json();
    return receipts;
  };

  /** Units of fees that an account paid for transactions with such events, as the ledger keeps them. */
  const fees = async (account, kinds) => {
    const mine = (await receiptsOf(account)).filter(({ events }) => events.some(({ kind }) => kinds.includes(kind)));
    assert.ok(mine.every(({ code }) => code === 0), 'no transaction was refused');
    return mine.reduce((sum, { fee }) => sum + Number(fee), 0);
  };

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

  test('what a closed tab had earned is handed in by a neighbour, and is there when it comes back', async () => {
    // Less than is handed in at once.
    const file = { name: 'left.bin', size: 8 * MIB, seed: 101 };
    const proxy = await openProxy(stage.server);
    const sender = await Person.arrive(await browser(), proxy);
    try {
      const [receiver, keeper] = [await arriveRich(), await arriveRich()];
      await arriveRich(sender);
      const link = await sender.share([file], { withinMs: PATIENT_MS });
      await ask(sender, '4.608');
      await keeper.open(link);
      await keeper.until('they are neighbours', ({ stage: at }) => at === 'offered', PATIENT_MS);
      // Within the page: its shares stay open.
      await press(keeper.page, 'a[href="/wallet"]');
      await ready(keeper);
      await receiver.get(link, { withinMs: PATIENT_MS });
      await asked(receiver);
      await pay(receiver, '1');
      await receiver.done(PATIENT_MS);
      const paid = await agreeOn(sender, receiver);
      // It can't hand it in itself while it goes.
      proxy.cut();
      await sender.page.goto('about:blank');
      await eventually('the neighbour has all that was promised', async () => {
        const kept = await keeper.page.evaluate(() => Number(document.querySelector('[data-kept]')?.dataset.kept ?? 0));
        return { value: kept === paid, seen: [kept, paid, keeper.console.slice(-5)] };
      }, BLOCKS_MS);

      // Its pool would end in a week; this way it ends in a day.
      await receiver.go('/wallet');
      await ready(receiver);
      await openBy(receiver, '[data-pool] [data-do=close]', '#close-agree');
      const handedIn = await eventually('it is handed in', async () => {
        const claims = (await receiptsOf(sender.account)).filter(({ events }) => events.some(({ kind }) => kind === CLAIMED));
        return { value: claims.length > 0 && claims, seen: [claims, keeper.console.slice(-5)] };
      }, HANDED_IN_MS);
      assert.deepEqual(handedIn.map(({ code }) => code), [0]);
      await exact(keeper, 10 * STAR - Number(handedIn[0].fee));
      await eventually('nothing is kept any more', async () => {
        const kept = await keeper.page.evaluate(() => document.querySelector('[data-kept]') !== null);
        return { value: !kept, seen: kept };
      }, BLOCKS_MS);

      proxy.isCut = false;
      await sender.go('/wallet');
      await ready(sender);
      // It may have signed a claim of its own as it went, which no server took: told again now, that is refused for its
      // fee (ADR 0083).
      await eventually('all of it is in its balance', async () => {
        const vain = (await receiptsOf(sender.account)).filter(({ code }) => code !== 0);
        const units = 10 * STAR + paid - vain.reduce((sum, { fee }) => sum + Number(fee), 0);
        const seen = await balance(sender);
        return { value: vain.length <= 1 && seen === units, seen: [seen, units, vain] };
      }, BLOCKS_MS);
      const due = await eventually('its row says so', async () => {
        const seen = await sender.page.evaluate(() => ({ ...document.querySelector('[data-due]')?.dataset }));
        return { value: seen.redeemed === String(paid) && seen, seen };
      }, BLOCKS_MS);
      assert.equal(due.promised, due.redeemed);
      assert.equal((await receiptsOf(sender.account)).filter(({ events }) => events.some(({ kind }) => kind === CLAIMED)).length, 1);
    } finally {
      await sender.leave();
      await proxy.close();
    }
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

/** Waits for the wallet of the page. */
async function ready(person) {
  await eventually('the wallet is open', async () => {
    const seen = await person.page.evaluate(() => document.querySelector('main')?.innerText ?? '');
    return { value: /Proved at block \d+/.test(seen), seen: [seen.slice(0, 400), person.console.slice(-5)] };
  }, BLOCKS_MS);
}

/** Units that the wallet shows, proved; NaN: not yet. */
async function balance(person) {
  const [text, badge] = await person.page.evaluate(() => [
    document.querySelector('#balance')?.innerText.match(/[\d.,]+/)?.[0] ?? '',
    document.querySelector('.balance .badge')?.innerText ?? '',
  ]);
  if (!/Proved at block \d+/.test(badge)) return Number.NaN;
  return Math.round(Number(text.replaceAll(',', '')) * STAR);
}

/** Waits until exactly that is proved. */
async function exact(person, units) {
  await eventually(`${units} units are proved`, async () => {
    const seen = await balance(person);
    return { value: seen === units, seen };
  }, BLOCKS_MS);
}

async function fill(person, selector, text) {
  await person.page.evaluate((one) => (document.querySelector(one).value = ''), selector);
  await person.page.type(selector, text);
}

/** Turns asking on, below the share that was made. */
async function ask(sender, price = PRICE) {
  await sender.page.waitForSelector('.asking summary', { timeout: BLOCKS_MS });
  await sender.page.click('.asking summary');
  await sender.page.waitForSelector('.asking [name=price]', { timeout: BLOCKS_MS });
  await fill(sender, '.asking [name=price]', price);
  await sender.page.click('.asking [data-do=ask]');
  await asks(sender, true);
}

/** Waits until the share is asked payment for, and counted; or is not. */
async function asks(sender, on) {
  await eventually(on ? 'payment is asked' : 'nothing is asked', async () => {
    const seen = await sender.page.evaluate(() => document.querySelector('.asking')?.dataset.asks);
    return { value: seen === String(on), seen: [seen, sender.console.slice(-5)] };
  }, BLOCKS_MS);
}

async function stopAsking(sender) {
  const open = await sender.page.evaluate(() => document.querySelector('.asking').open);
  if (!open) await sender.page.click('.asking summary');
  await sender.page.waitForSelector('.asking [data-do=ask]', { timeout: BLOCKS_MS });
  await sender.page.click('.asking [data-do=ask]');
  await asks(sender, false);
}

/** What the page of a link says of payment. */
async function deal(receiver) {
  return receiver.page.evaluate(() => {
    const card = document.querySelector('.asks');
    const { pays = '', units = '0', stopped = '' } = card?.dataset ?? {};
    return { pays, units: Number(units), stopped, text: card?.innerText ?? '' };
  });
}

async function untilDeal(receiver, what, wanted, withinMs = BLOCKS_MS) {
  return eventually(what, async () => {
    const seen = await deal(receiver);
    return { value: wanted(seen) && seen, seen: [seen, receiver.console.slice(-5)] };
  }, withinMs);
}

/** Waits until the terms of whoever has the share are shown. */
async function asked(receiver) {
  await untilDeal(receiver, 'what is asked is shown', ({ text }) => /STAR for a GiB/.test(text), PATIENT_MS);
}

/** Agrees to pay so much at most. */
async function pay(receiver, limit) {
  await receiver.page.click('[data-do=pay]');
  await receiver.page.waitForSelector('#pay-limit', { timeout: BLOCKS_MS });
  await fill(receiver, '#pay-limit', limit);
  // The balance is proved a moment after the wallet opens.
  await eventually('the last look is there', async () => {
    await receiver.page.click('[data-do=pay-review]');
    const seen = await receiver.page.evaluate(() => document.querySelector('.asks dialog')?.open ?? false);
    return { value: seen, seen: await deal(receiver) };
  }, BLOCKS_MS);
  await receiver.page.click('#pay-agree');
  await untilDeal(receiver, 'it is set aside', ({ pays, stopped }) => pays === 'on' || stopped === 'limit' || stopped === 'hour', BLOCKS_MS);
}

/** Waits until both sides show the same, and it stays so for two looks; those units. */
async function agreeOn(sender, receiver) {
  let last = 0;
  return eventually('both sides show the same', async () => {
    const { units: paid } = await deal(receiver);
    const earned = Number(await sender.page.evaluate(() => document.querySelector('.asking').dataset.units));
    const same = paid > 0 && paid === earned && paid === last;
    last = paid;
    return { value: same && paid, seen: { paid, earned } };
  }, PATIENT_MS);
}

/** Settles what is owed on the Wallet page; units that were promised, all paid into the account. */
async function settleDue(sender) {
  await sender.go('/wallet');
  await ready(sender);
  const due = () => sender.page.evaluate(() => {
    const { promised, redeemed, closed } = document.querySelector('[data-due]')?.dataset ?? {};
    const button = document.querySelector('[data-due] [data-do=settle]');
    return { promised: Number(promised), redeemed: Number(redeemed), closed, ready: button !== null && !button.disabled };
  });
  await eventually('it can be settled', async () => {
    const seen = await due();
    return { value: seen.ready, seen };
  }, BLOCKS_MS);
  await openBy(sender, '[data-due] [data-do=settle]', '#settle-agree');
  const settled = await eventually('it is settled', async () => {
    const seen = await due();
    return { value: seen.closed === 'true' && seen, seen };
  }, BLOCKS_MS);
  assert.equal(settled.redeemed, settled.promised);
  return settled.promised;
}

/** Presses what opens a dialog until it is open, for rows are drawn anew with each proof; then agrees. */
async function openBy(person, selector, agree) {
  await eventually(`${agree} can be pressed`, async () => {
    const open = await person.page.evaluate((one, two) => {
      const dialog = document.querySelector(two)?.closest('dialog');
      if (!dialog?.open) document.querySelector(one)?.click();
      return dialog?.open ?? false;
    }, selector, agree);
    return { value: open, seen: open };
  }, BLOCKS_MS);
  await person.page.click(agree);
}

/** Closes the deposit on the Wallet page: nobody has a part of it any more, so it comes back at once. */
async function closePool(receiver) {
  await receiver.go('/wallet');
  await ready(receiver);
  await eventually('nothing is set aside any more', async () => {
    const seen = await receiver.page.evaluate(() => document.querySelector('[data-pool]')?.innerText ?? '');
    return { value: /nothing set aside for anybody/.test(seen), seen };
  }, BLOCKS_MS);
  await openBy(receiver, '[data-pool] [data-do=close]', '#close-agree');
  await eventually('the deposit is back', async () => {
    const seen = await receiver.page.evaluate(() => document.querySelector('[data-pool]')?.innerText ?? null);
    return { value: seen === null, seen };
  }, BLOCKS_MS);
}

/** The account of a key file, which is made. */
async function accountOf(folder) {
  const { stdout } = await promisify(execFile)(starlingBinary(), ['keys', 'show', 'me.key', '--json'], { cwd: folder });
  return JSON.parse(stdout).account;
}
