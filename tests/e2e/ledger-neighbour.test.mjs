// Proves that a tab whose server is out of reach asks the tab that it shares a file with: it shows its balance proved by
// that neighbour, of new blocks too, pays through it, and says where the proofs come from.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Person } from './files.mjs';
import { picture, press, until } from './ledger-pages.mjs';
import { openProxy } from './ledger-proxy.mjs';
import { PATIENT_MS, withPeople } from './people.mjs';

describe('the ledger by a neighbour', () => {
  const { stage, browser, arrive } = withPeople();

  test('a tab that reaches no server proves its balance, and pays, through the tab it shares a file with', async () => {
    const proxy = await openProxy(stage.server);
    const lone = await Person.arrive(await browser(), proxy);
    try {
      const first = await arrive();
      await first.go('/wallet');
      await until(first.page, 'the wallet is open', /Proved at block \d+/);
      await press(first.page, '#faucet');
      await until(first.page, 'the gift is proved', /10\.00\s*STAR/);
      const theirs = await accountOf(first);
      // At the first visit its server is there: it says which ledger, and that is pinned.
      await lone.go('/wallet');
      await until(lone.page, 'the wallet is open', /Proved at block \d+/);
      const mine = await accountOf(lone);

      const link = await first.share([{ name: 'together.bin', size: 70_000, seed: 91 }], { withinMs: PATIENT_MS });
      await openWallet(first);
      await until(first.page, 'the wallet is open beside the share', /Proved at block \d+/);
      proxy.cut();
      await lone.open(link);
      await lone.until('they are neighbours', ({ stage: at }) => at === 'offered', PATIENT_MS);
      await openWallet(lone);
      const seen = await until(lone.page, 'the balance is proved by a neighbour', /Proved at block \d+, by a neighbour/);
      const began = Number(/Proved at block (\d+)/.exec(seen)[1]);

      await send(first, mine, '2.5');
      const rich = await until(lone.page, 'what came is proved', /2\.50\s*STAR/);
      const later = /Proved at block (\d+), by a neighbour/.exec(rich);
      assert.ok(later && Number(later[1]) > began, `a later block than ${began}: ${later?.[0]}`);
      await send(lone, theirs, '1');
      await until(lone.page, 'what it pays is in a block, or done, by what neighbours prove', /In a block, proved|your balance fell by it, proved at block \d+/);
      await until(lone.page, 'who sent something is said to be untold', /No server can be asked now, only neighbours/);
      await until(first.page, 'and came', /8\.4\d*\s*STAR/);

      await press(lone.page, 'a[href="/ledger"]');
      const sources = await until(lone.page, 'the neighbour is listed', /a neighbour,[\s\S]*at block \d+/);
      assert.ok(sources.includes('not connected'), 'the server is not there');
      assert.match(sources, /No server is of use now/);
      await picture(lone.page, 'ledger-neighbour');
      for (const person of [first, lone]) assert.deepEqual((await person.look()).errors, []);
    } finally {
      await lone.leave();
      await proxy.close();
    }
  });
});

/** Goes to the wallet within the page: its shares stay open. */
async function openWallet(person) {
  await press(person.page, 'a[href="/wallet"]');
}

async function accountOf(person) {
  await person.page.waitForSelector('.receive .copy-text');
  const account = await person.page.evaluate(() => document.querySelector('.receive .copy-text').innerText.trim());
  assert.match(account, /^[0-9a-f]{64}$/);
  return account;
}

/** Signs and sends, as a person does on the Wallet page. */
async function send(person, account, units) {
  await person.page.type('#send-to', account);
  await person.page.type('#send-units', units);
  await person.page.keyboard.press('Enter');
  await until(person.page, 'the fee is shown before signing', /Sign and send\?[\s\S]*Total/);
  await press(person.page, '#send-sign');
}
