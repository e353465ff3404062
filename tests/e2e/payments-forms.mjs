// What tests of payments do on the pages, and read on the ledger.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { starlingBinary } from '../rig/starling.mjs';
import { BLOCKS_MS } from './ledger-pages.mjs';
import { PATIENT_MS } from './people.mjs';
import { eventually } from './stage.mjs';

/** What is asked: 20.48 STAR for a GiB are 20,000 units for a MiB. */
export const PRICE = '20.48';
export const PER_MIB = 20_000;
/** Units of one STAR. */
export const STAR = 1_000_000;
/** Events of pools (`docs/spec/ledger.md`) that tell who signed: the payer, or the payee. */
export const BY_PAYER = [0x0300, 0x0301, 0x0302, 0x0303, 0x0306, 0x0307];
export const BY_PAYEE = [0x0304, 0x0305];
/** People with accounts: who has 10 STAR, and what the ledger keeps of theirs. */
export function withAccounts({ stage, arrive }) {
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

  return { arriveRich, receiptsOf, fees };
}

/** Waits for the wallet of the page. */
export async function ready(person) {
  await eventually('the wallet is open', async () => {
    const seen = await person.page.evaluate(() => document.querySelector('main')?.innerText ?? '');
    return { value: /Proved at block \d+/.test(seen), seen: [seen.slice(0, 400), person.console.slice(-5)] };
  }, BLOCKS_MS);
}

/** Units that the wallet shows, proved; NaN: not yet. */
export async function balance(person) {
  const [text, badge] = await person.page.evaluate(() => [
    document.querySelector('#balance')?.innerText.match(/[\d.,]+/)?.[0] ?? '',
    document.querySelector('.balance .badge')?.innerText ?? '',
  ]);
  if (!/Proved at block \d+/.test(badge)) return Number.NaN;
  return Math.round(Number(text.replaceAll(',', '')) * STAR);
}

/** Waits until exactly that is proved. */
export async function exact(person, units) {
  await eventually(`${units} units are proved`, async () => {
    const seen = await balance(person);
    return { value: seen === units, seen };
  }, BLOCKS_MS);
}

export async function fill(person, selector, text) {
  await person.page.evaluate((one) => (document.querySelector(one).value = ''), selector);
  await person.page.type(selector, text);
}

/** Turns asking on, below the share that was made. */
export async function ask(sender, price = PRICE) {
  await sender.page.waitForSelector('.asking summary', { timeout: BLOCKS_MS });
  await sender.page.click('.asking summary');
  await sender.page.waitForSelector('.asking [name=price]', { timeout: BLOCKS_MS });
  await fill(sender, '.asking [name=price]', price);
  await sender.page.click('.asking [data-do=ask]');
  await asks(sender, true);
}

/** Waits until the share is asked payment for, and counted; or is not. */
export async function asks(sender, on) {
  await eventually(on ? 'payment is asked' : 'nothing is asked', async () => {
    const seen = await sender.page.evaluate(() => document.querySelector('.asking')?.dataset.asks);
    return { value: seen === String(on), seen: [seen, sender.console.slice(-5)] };
  }, BLOCKS_MS);
}

export async function stopAsking(sender) {
  const open = await sender.page.evaluate(() => document.querySelector('.asking').open);
  if (!open) await sender.page.click('.asking summary');
  await sender.page.waitForSelector('.asking [data-do=ask]', { timeout: BLOCKS_MS });
  await sender.page.click('.asking [data-do=ask]');
  await asks(sender, false);
}

/** What the page of a link says of payment. */
export async function deal(receiver) {
  return receiver.page.evaluate(() => {
    const card = document.querySelector('.asks');
    const { pays = '', units = '0', stopped = '' } = card?.dataset ?? {};
    return { pays, units: Number(units), stopped, text: card?.innerText ?? '' };
  });
}

export async function untilDeal(receiver, what, wanted, withinMs = BLOCKS_MS) {
  return eventually(what, async () => {
    const seen = await deal(receiver);
    return { value: wanted(seen) && seen, seen: [seen, receiver.console.slice(-5)] };
  }, withinMs);
}

/** Waits until the terms of whoever has the share are shown. */
export async function asked(receiver) {
  await untilDeal(receiver, 'what is asked is shown', ({ text }) => /STAR for a GiB/.test(text), PATIENT_MS);
}

/** Agrees to pay so much at most. */
export async function pay(receiver, limit) {
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
export async function agreeOn(sender, receiver) {
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
export async function settleDue(sender) {
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
export async function openBy(person, selector, agree) {
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
export async function closePool(receiver) {
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
export async function accountOf(folder) {
  const { stdout } = await promisify(execFile)(starlingBinary(), ['keys', 'show', 'me.key', '--json'], { cwd: folder });
  return JSON.parse(stdout).account;
}
