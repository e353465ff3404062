// Proves that anybody liquidates in a tab: a price falls, another browser sees the position below 1 and repays for it,
// half of it and then all; what its form says before is what the block does, both people's pages show the proved
// result, and what nobody pays is booked and shown. And that a stale price blocks what it must, and says so.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { begin, bill, isOff, tryOut } from './lend-forms.mjs';
import { PHONE, picture, press, text, until, withLedger } from './ledger-pages.mjs';
import { DOLLAR, WHOLE, openMarket } from './lending-market.mjs';
import { eventually } from './stage.mjs';

const [USDX, STAR] = ['#reserve-0', '#reserve-1'];
// A lone validator's blocks come every ten seconds otherwise, and a market takes many.
const CONFIG = '[ledger]\nheartbeat_ms = 300\n';

/** A tab with ten units of the ledger's own asset; its account's name. */
async function arrive(visit) {
  const page = await visit('/wallet');
  await until(page, 'the wallet is open', /Proved at block/);
  await press(page, '#faucet');
  await until(page, 'the gift is proved', /10\.00\s*STAR/);
  const account = (await text(page, '.receive .copy-text')).trim();
  assert.match(account, /^[0-9a-f]{64}$/);
  return { page, account };
}

/** Opens the form of the one position that may be liquidated, and waits until it may be signed. */
async function seize(page) {
  await eventually('it is offered', async () => {
    const value = await page.evaluate(() => document.querySelector('#targets .target button')?.hidden === false);
    return { value, seen: await text(page, '#targets') };
  }, 60_000);
  await press(page, '#targets .target button');
  await page.waitForSelector('dialog[open] #seize-units');
  await eventually('it may be signed', async () => ({
    value: !(await isOff(page, '#seize-sign')), seen: await text(page, '#seize-problem'),
  }));
  return bill(page, '#seize-told');
}

/** Types another amount over what stands there. */
async function retype(page, amount) {
  await page.click('#seize-units', { count: 3 });
  await page.type('#seize-units', amount);
}

describe('liquidations', () => {
  const { stage, visit } = withLedger({ config: CONFIG });

  test('who falls below 1 is liquidated in another browser, first half, then all, and what is lost is shown', async () => {
    const market = await openMarket(stage.server, { prices: [10, 1_500] });
    const debtor = await arrive(visit);
    await press(debtor.page, 'a[href="/lend"]');
    await begin(debtor.page, STAR, 'Supply');
    await tryOut(debtor.page, '5');
    await press(debtor.page, '#act-sign');
    await until(debtor.page, 'it is theirs', /Supplied 5\.00\sSTAR/, '.mine');
    await begin(debtor.page, USDX, 'Borrow');
    await tryOut(debtor.page, '495');
    await press(debtor.page, '#act-sign');
    await until(debtor.page, 'they owe', /^1\.212/, '#health');

    const keeper = await arrive(visit);
    await market.issue(keeper.account, 600 * WHOLE);
    await press(keeper.page, 'a[href="/lend"]');
    await keeper.page.waitForSelector('#to-liquidations');
    await until(keeper.page, 'the market is proved', /Proved at block/, USDX);
    await press(keeper.page, '#to-liquidations');
    const near = await until(keeper.page, 'they are near 1', /health 1\.212[\s\S]*falls 17\.\d+\s%/, '#targets');
    assert.match(near, /Owes 495\.00\d*\sUSDX, worth 4,950\.\d\d\s*Pledged 5\.00\sSTAR, worth 7,500\.00/);
    await until(keeper.page, 'and counted', /0 of 1\sdebtor below 1, 1 near it/, '#targets-told');
    assert.equal(await keeper.page.evaluate(() => document.querySelector('.target--under')), null, 'no colour above one');
    assert.equal(await keeper.page.evaluate(() => document.querySelector('#targets .target').dataset.borrower), debtor.account);

    // It falls by 18 %.
    await market.price(2, 1_230 * DOLLAR);
    await until(debtor.page, 'the debtor is warned', /is 0\.9939: anybody may liquidate/, '#health-alert');
    await until(keeper.page, 'and listed below 1', /health 0\.9939[\s\S]*Repay 247\.5\d*\sUSDX for 2\.\d+\sSTAR/, '#targets');
    await picture(keeper.page, 'liquidations-below');
    const half = await seize(keeper.page);
    assert.equal(half['Their health'].was, '0.9939');
    assert.match(half['Their health'].becomes, /^1\.1/);
    assert.match(half['You repay'].was, /^247\.5\d*\sUSDX$/);
    assert.match(await text(keeper.page, '#seize-rules'), /half while health is above 0\.95[\s\S]*bonus is 5\s%[\s\S]*takes 10\s%/);
    await retype(keeper.page, '0');
    await eventually('nothing is no amount', async () => ({ value: await isOff(keeper.page, '#seize-sign'), seen: '' }));
    await press(keeper.page, '#seize-best');
    await eventually('the best is', async () => ({ value: !(await isOff(keeper.page, '#seize-sign')), seen: await text(keeper.page, '#seize-problem') }));
    await picture(keeper.page, 'liquidations-preview');
    await press(keeper.page, '#seize-sign');
    await until(keeper.page, 'the receipt tells what changed hands', /Liquidated [0-9a-f]{4}\s[0-9a-f]{4}: repaid 247\.5\d*\sUSDX for 2\.\d+\sSTAR[\s\S]*Done in/, '#deeds');
    await until(keeper.page, 'it is above 1 again, and near', /health 1\.1/, '#targets');
    await until(debtor.page, 'the debtor sees it proved', /^1\.1/, '#health');
    await until(debtor.page, 'and owes half', /Owed 247\.5\d*\sUSDX/, '.mine');
    await until(debtor.page, 'who did it is told', /repaid 247\.5\d*\sUSDX for you and took 2\.\d+\sSTAR, market 1/, '#losses');

    // By more than a quarter: it counts when a quorum has seen it again.
    await market.price(2, 880 * DOLLAR);
    await until(keeper.page, 'nobody can be valued meanwhile', /1 can.t be valued: a price is stale, or jumped/, '#targets-told');
    // Only what was seen in a later second than the jump confirms it.
    await eventually('a quorum that saw it again is believed', async () => {
      await market.price(2, 880 * DOLLAR);
      const seen = await text(keeper.page, '#targets');
      return { value: /health 0\.8/.test(seen), seen };
    }, 60_000);
    const rest = await seize(keeper.page);
    assert.equal(rest['Their health'].becomes, '\u221e');
    const lost = await text(keeper.page, '#seize-lost');
    assert.match(lost, /does not pay for all of it: 5\.\d+\sUSDX is booked as the market.s deficit/);
    // Less than all leaves dust on one side.
    await retype(keeper.page, '200');
    await until(keeper.page, 'dust is refused', /too little for the next one[\s\S]*\(refusal 1302\)/, '#seize-problem');
    assert.ok(await isOff(keeper.page, '#seize-sign'));
    await press(keeper.page, '#seize-best');
    await eventually('the best is', async () => ({ value: !(await isOff(keeper.page, '#seize-sign')), seen: await text(keeper.page, '#seize-problem') }));
    await press(keeper.page, '#seize-sign');
    await until(keeper.page, 'nobody is left', /^$/, '#targets');
    await until(debtor.page, 'the debtor owes nothing', /Nothing yet/, '.mine');
    const told = await until(debtor.page, 'what is lost is shown', /Deficit\s+5\.\d+\sUSDX/, USDX);
    assert.match(told, /Debts that nobody pays any more/);
    assert.deepEqual([debtor.page.errors, keeper.page.errors], [[], []]);
  });

  test('a phone shows the list without scrolling sideways', async () => {
    const page = await visit('/liquidations', { ...PHONE, width: 360 });
    await until(page, 'the list is there', /0 of 0\sdebtors below 1/, '#targets-told');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${wide} px wide`);
    await picture(page, 'liquidations-phone');
    assert.deepEqual(page.errors, []);
  });
});

describe('a market whose prices are stale', () => {
  const { stage, visit } = withLedger({ config: CONFIG });

  test('lends and liquidates nothing and says why, and takes what is supplied', async () => {
    // Long enough to borrow in, short enough to wait for.
    const market = await openMarket(stage.server, { ageS: 30 });
    const name = await market.borrower({ pledge: 5 * WHOLE, owe: 7 * WHOLE });
    const { page } = await arrive(visit);
    await press(page, 'a[href="/lend"]');
    await until(page, 'the price is stale', /stale: 0 of 4\s*reporters fresh, it takes 3/, STAR);
    await begin(page, STAR, 'Supply');
    await tryOut(page, '1');
    await press(page, '#act-sign');
    await until(page, 'it was supplied', /Supplied 1\.00\sSTAR/, '.mine');
    await until(page, 'borrowing says why not', /Borrow: A price is stale/, `${USDX} .why`);
    assert.ok(await isOff(page, `${USDX} [data-kind="Borrow"]`));
    await press(page, '#to-liquidations');
    await until(page, 'nobody can be liquidated', /1 can.t be valued: a price is stale/, '#targets-told');
    await market.price(1, DOLLAR);
    await market.price(2, 2 * DOLLAR);
    await until(page, 'they can be valued again', /health 1\.142/, '#targets');
    assert.equal(await page.evaluate(() => document.querySelector('#targets .target').dataset.borrower), name);
    assert.deepEqual(page.errors, []);
  });
});
