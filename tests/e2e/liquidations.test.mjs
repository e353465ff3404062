// Proves that three people lend, borrow and liquidate, each in a browser of their own: one supplies, one owes; a price
// falls, the third sees the position below 1 and repays for it, half of it and then all; what its form says before is
// what the block does, all three pages show the proved result, and what nobody pays is booked and shown to who supplied.
// Who supplied covers a part of it: by the records, their claims and the deficit fall, and nothing else moves.
// On the way, that rounding favours nobody over the pool, to the unit, that wrong and double submission changes nothing,
// and that one tab signs. And that a stale price blocks what it must, and says so.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { begin, bill, isOff, pressTwice, replace, signable, tryOut } from './lend-forms.mjs';
import { BLOCKS_MS, PHONE, picture, press, text, until, withLedger } from './ledger-pages.mjs';
import { DOLLAR, RAY, WHOLE, openMarket } from './lending-market.mjs';
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

/** What is no amount of an asset with six decimals. */
const NO_AMOUNTS = ['0', '-1', '1e3', 'one', '1.2.3', '0.0000001'];

/** Types what can't be supplied, by who has 600 USDX: nothing of it may be signed, and each time it is said why. */
async function wrongAmounts(page) {
  await begin(page, USDX, 'Supply');
  const refused = async (typed, why) => {
    await replace(page, '#act-units', typed);
    await until(page, `${typed} is refused`, why, '#act-problem');
    assert.ok(await isOff(page, '#act-sign'), typed);
  };
  for (const typed of NO_AMOUNTS) await refused(typed, /That is no amount: expected digits, at most 6/);
  await refused('600.1', /holds less than that, with the fee\. \(refusal 261\)/);
  // Interest has come, so that a unit is less than one of what claims are counted in.
  await refused('0.000001', /Too little, or more than the reserve has\. \(refusal 1285\)/);
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog[open]', { hidden: true });
}

/** What rounding must leave true: claims of all suppliers are no more than what is here, owed and lost. */
function poolHolds({ index, debtIndex, accrued, available, deficit, supplied, owed }) {
  const claims = ((supplied + accrued) * index) / RAY;
  const debts = (owed * debtIndex + RAY - 1n) / RAY;
  assert.ok(claims <= available + debts + deficit, `${claims} of claims, ${available} here, ${debts} owed, ${deficit} lost`);
}

/**
 * Supplies and takes back all of it, twice, in amounts that round, each signed with two presses, while others pay
 * interest: by the proved records and exact arithmetic, no step gives more claims than its units buy or burns fewer, and
 * each time a unit stays in the pool. Then sends again what was signed.
 */
async function roundingGames({ page, account }, market) {
  const before = await market.look(account);
  const nonce = async () => (await market.ledger.ask(`accounts/${account}`)).nonce;
  const first = await nonce();
  let [last, steps] = [before, 0];
  const step = async (kind, type, units) => {
    await begin(page, USDX, kind);
    await type();
    await signable(page);
    await pressTwice(page, '#act-sign');
    await eventually(`a block does it: ${kind}`, async () => {
      const seen = await nonce();
      return { value: seen > first + steps, seen };
    }, BLOCKS_MS);
    const now = await market.look(account);
    const [moved, gained] = [now.units - last.units, now.claims - last.claims];
    assert.equal(moved, units, kind);
    assert.ok(now.index > RAY, 'interest has come');
    assert.ok(gained * now.index + moved * RAY <= 0n, `${moved} units moved, ${gained} claims came, at ${now.index}`);
    poolHolds(now);
    [last, steps] = [now, steps + 1];
  };
  const amount = (typed) => () => replace(page, '#act-units', typed);
  const all = async () => {
    await eventually('all may be taken back', async () => {
      const seen = await page.evaluate(() => {
        const { disabled, textContent } = document.querySelector('#act-max');
        return disabled ? 'off' : textContent.trim();
      });
      return { value: seen === 'All', seen };
    }, BLOCKS_MS);
    await press(page, '#act-max');
  };
  await step('Supply', async () => {
    await amount('0.000002')();
    await eventually('it is told before what it comes to', async () => {
      const seen = (await bill(page, '#act-told'))['You supplied'];
      return { value: seen?.becomes === '0.000001\u00a0USDX', seen };
    });
  }, -2n);
  await step('Withdraw', all, 1n);
  await step('Supply', amount('0.654321'), -654_321n);
  await step('Withdraw', amount('0.000001'), 1n);
  await step('Withdraw', all, 654_319n);
  assert.equal(last.claims, 0n);
  assert.equal(before.units - last.units, 2n, 'a unit each time: the interest of this while is less than one');
  assert.equal(await nonce(), first + steps, 'two presses sign once');
  const answers = await market.ledger.repeat(account);
  assert.ok(answers.length > 0);
  for (const { error } of answers) assert.deepEqual(error, { code: 'refused', refusal: 11 }, 'its number is used');
  assert.deepEqual(await market.look(account), last, 'nothing of it is done again');
}

/** Covers two USDX of the deficit, signed with two presses: the records say which claims are burned, and that no unit moves. */
async function coverTwo({ page, account }, market) {
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog[open]', { hidden: true });
  const before = await market.look(account);
  await begin(page, USDX, 'Cover deficit');
  await until(page, 'it is said that it is a gift', /burns what you supplied[\s\S]*You get nothing back/, '#act-gives');
  await until(page, 'the most is all of it', /^All of it: 5\.\d+\sUSDX$/, '#act-most');
  const told = await tryOut(page, '2');
  assert.match(told.Deficit.was, /^5\.\d+\sUSDX$/);
  assert.match(told.Deficit.becomes, /^3\.\d+\sUSDX$/);
  assert.match(told['You supplied'].becomes, /^998\.\d+\sUSDX$/);
  await signable(page);
  await picture(page, 'lend-cover');
  await pressTwice(page, '#act-sign');
  await until(page, 'less is lost', /Deficit\s+3\.\d+\sUSDX/, USDX);
  await until(page, 'it is told what was covered', /Covered 2\.00\sUSDX of the deficit, market 1\s*Done in/, '#deeds');
  await until(page, 'less is theirs', /Supplied 998\.\d+\sUSDX/, '.mine');
  const units = 2n * BigInt(WHOLE);
  const burned = (units * RAY + before.index - 1n) / before.index;
  const after = await market.look(account);
  assert.deepEqual(after, {
    ...before, deficit: before.deficit - units, supplied: before.supplied - burned, claims: before.claims - burned,
  });
  poolHolds(after);
}

describe('liquidations', () => {
  const { stage, visit } = withLedger({ config: CONFIG });

  test('one supplies, one owes and falls below 1, one liquidates half, then all, and what is lost is shown', async () => {
    const [market, supplier, debtor, keeper] = await Promise.all([
      openMarket(stage.server, { prices: [10, 1_500], lent: 0 }), arrive(visit), arrive(visit), arrive(visit),
    ]);
    await market.issue(supplier.account, 1_000 * WHOLE);
    await press(supplier.page, 'a[href="/lend"]');
    await begin(supplier.page, USDX, 'Supply');
    const lent = await tryOut(supplier.page, '1000');
    assert.deepEqual(lent['Left to supply'], { was: '5,000.00\u00a0USDX', becomes: '4,000.00\u00a0USDX' });
    await press(supplier.page, '#act-sign');
    await until(supplier.page, 'it is theirs', /Supplied 1,000\.00\sUSDX \(10,000\.00\)/, '.mine');

    await press(debtor.page, 'a[href="/lend"]');
    await begin(debtor.page, STAR, 'Supply');
    await tryOut(debtor.page, '5');
    await press(debtor.page, '#act-sign');
    await until(debtor.page, 'it is theirs', /Supplied 5\.00\sSTAR/, '.mine');
    await begin(debtor.page, USDX, 'Borrow');
    await tryOut(debtor.page, '500.1');
    await until(debtor.page, 'the cap holds in the form', /The borrow cap is reached.* \(refusal 1289\)/, '#act-problem');
    assert.ok(await isOff(debtor.page, '#act-sign'));
    await replace(debtor.page, '#act-units', '495');
    await signable(debtor.page);
    await press(debtor.page, '#act-sign');
    await until(debtor.page, 'they owe', /^1\.212/, '#health');
    const seen = await until(supplier.page, 'who supplied sees what is lent out', /Lent out\s+49\.50\s%/, USDX);
    assert.match(seen, /Left to supply\s+(4,000\.00|3,999\.99\d*)\sUSDX[\s\S]*Left to borrow\s+(5\.00|4\.99\d*)\sUSDX/);
    assert.match(seen, /Deficit\s+none/);
    await until(supplier.page, 'and how old the price is, by whom', /4 of 4\sreporters\sfresh, newest report .* ago/, USDX);
    const spot = await supplier.page.evaluate(() => Number(document.querySelector('#reserve-0 .curve-spot').getAttribute('cx')));
    assert.ok(Math.abs(spot - 300 * 0.495) < 0.1, `the curve's point is at ${spot} of 300`);

    await market.issue(keeper.account, 600 * WHOLE);
    await press(keeper.page, 'a[href="/lend"]');
    await wrongAmounts(keeper.page);
    await roundingGames(keeper, market);
    const second = await keeper.page.browserContext().newPage();
    await second.goto(`${stage.server.url}/lend`, { waitUntil: 'domcontentloaded' });
    await until(second, 'one tab at a time signs', /The wallet is open in another tab/);
    assert.equal(await second.evaluate(() => document.querySelectorAll('[data-kind], #act-sign').length), 0);
    await second.close();
    await keeper.page.bringToFront();
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
    await replace(keeper.page, '#seize-units', '0');
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
    await replace(keeper.page, '#seize-units', '200');
    await until(keeper.page, 'dust is refused', /too little for the next one[\s\S]*\(refusal 1302\)/, '#seize-problem');
    assert.ok(await isOff(keeper.page, '#seize-sign'));
    await press(keeper.page, '#seize-best');
    await eventually('the best is', async () => ({ value: !(await isOff(keeper.page, '#seize-sign')), seen: await text(keeper.page, '#seize-problem') }));
    await press(keeper.page, '#seize-sign');
    await until(keeper.page, 'nobody is left', /^$/, '#targets');
    await until(debtor.page, 'the debtor owes nothing', /Nothing yet/, '.mine');
    const told = await until(debtor.page, 'what is lost is shown', /Deficit\s+5\.\d+\sUSDX/, USDX);
    assert.match(told, /Debts that nobody pays any more/);
    await until(supplier.page, 'who supplied sees it', /Deficit\s+5\.\d+\sUSDX\s+Debts that nobody pays any more/, USDX);
    assert.match(await text(supplier.page, '.mine'), /Supplied 1,000\.00\d*\sUSDX/, 'nobody is made to pay for it');
    await begin(supplier.page, USDX, 'Withdraw');
    await until(supplier.page, 'and takes back no more than there is', /At most 994\.\d+\sUSDX, with a margin/, '#act-most');
    await picture(supplier.page, 'lend-deficit');
    poolHolds(await market.look(supplier.account));
    assert.ok(
      await debtor.page.evaluate(() => document.querySelector('#reserve-0 [data-kind="Cover deficit"]').hidden),
      'who supplied nothing is not asked to cover',
    );
    await coverTwo(supplier, market);
    for (const { page } of [supplier, debtor, keeper]) assert.deepEqual(page.errors, []);
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

  test('lends and liquidates nothing and says why, and takes what is supplied and repaid', async () => {
    // Long enough to borrow in, short enough to wait for.
    const [market, { page }] = await Promise.all([openMarket(stage.server, { ageS: 40 }), arrive(visit)]);
    const name = await market.borrower({ pledge: 5 * WHOLE, owe: 7 * WHOLE });
    await press(page, 'a[href="/lend"]');
    const act = async (reserve, kind, amount, becomes) => {
      await begin(page, reserve, kind);
      await tryOut(page, amount);
      await signable(page);
      await press(page, '#act-sign');
      await until(page, `${kind} is done`, becomes, '.mine');
    };
    await act(STAR, 'Supply', '2', /Supplied 2\.00\sSTAR/);
    await market.price(1, DOLLAR);
    await market.price(2, 2 * DOLLAR);
    await act(USDX, 'Borrow', '1', /Owed 1\.00\d*\sUSDX/);
    await until(page, 'the price is stale', /stale: 0 of 4\s*reporters fresh, it takes 3/, STAR);
    await until(page, 'health is not guessed', /^no price$/, '#health');
    for (const [reserve, kind] of [[USDX, 'Borrow'], [STAR, 'Withdraw']]) {
      await until(page, `${kind} says why not`, new RegExp(`${kind}: A price is stale`), `${reserve} .why`);
      assert.ok(await isOff(page, `${reserve} [data-kind="${kind}"]`), kind);
    }
    await act(STAR, 'Supply', '1', /Supplied 3\.00\sSTAR/);
    await act(USDX, 'Repay', '0.4', /Owed 0\.60\d*\sUSDX/);
    await press(page, '#to-liquidations');
    await until(page, 'nobody can be liquidated', /2 can.t be valued: a price is stale/, '#targets-told');
    await market.price(1, DOLLAR);
    await market.price(2, 2 * DOLLAR);
    await until(page, 'they can be valued again', /health 1\.142/, '#targets');
    assert.equal(await page.evaluate(() => document.querySelector('#targets .target').dataset.borrower), name);
    assert.deepEqual(page.errors, []);
  });
});
