// Proves that what a tab earned and left is handed in by a neighbour, if it does not come back, and is there when it does.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Person } from './files.mjs';
import { BLOCKS_MS, press } from './ledger-pages.mjs';
import { openProxy } from './ledger-proxy.mjs';
import { STAR, agreeOn, ask, asked, balance, exact, openBy, pay, ready, withAccounts } from './payments-forms.mjs';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';
import { eventually } from './stage.mjs';

/** Somebody handed a promise in. */
const CLAIMED = 0x0304;
/** A neighbour waits 90 s for who left, looks every 20 s, and proves before and after. */
const HANDED_IN_MS = 300_000;

describe('what is left with neighbours', () => {
  const people = withPeople();
  const { stage, browser } = people;
  const { arriveRich, receiptsOf } = withAccounts(people);

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
});
