// Proves that a person lends and borrows in a tab: what a form says before is what a block does, what the ledger
// would refuse is not offered, and a price that falls warns and brings health under one. And that anybody opens a
// market of their own, with rules that are judged as they are typed, and others supply into it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { begin, isOff, pressTwice, replace, signable, tryOut } from './lend-forms.mjs';
import { BLOCKS_MS, PHONE, WIDE, picture, press, text, until, withLedger } from './ledger-pages.mjs';
import { DOLLAR, openMarket } from './lending-market.mjs';
import { eventually } from './stage.mjs';

const [USDX, STAR] = ['#reserve-0', '#reserve-1'];
/** How far the bar of health ends past the mark at one, in percent of its length. */
const barPast = (page) => page.evaluate(() => {
  const [end, one] = [document.querySelector('.gauge-fill').style.width, document.querySelector('.gauge-one').style.insetInlineStart];
  return Number.parseFloat(end) - Number.parseFloat(one);
});

describe('the markets', () => {
  // A lone validator's blocks come every ten seconds otherwise, and a market takes many.
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 300\n' });
  let market;

  test('a ledger without markets says so, and a new one is found and proved by itself', async () => {
    const page = await visit('/lend');
    await until(page, 'there are none', /No market was opened yet/);
    market = await openMarket(stage.server);
    const seen = await until(page, 'it is there', /Market 1[\s\S]*USDX[\s\S]*STAR[\s\S]*Proved at block/);
    assert.match(seen, /Supply APY/);
    const priced = await until(page, 'prices are proved', /4 of 4\s*reporters fresh/, STAR);
    assert.match(priced, /2\.00/);
    await until(page, 'that I have nothing is proved', /Nothing yet/, '.mine');
    await until(page, 'it says why nothing is offered', /Borrow: The account holds less than that, with the fee/, `${USDX} .why`);
    assert.ok(await isOff(page, `${USDX} [data-kind="Borrow"]`));
    await picture(page, 'lend-empty');
    assert.deepEqual(page.errors, []);
  });

  test('what a form says before is what a block does, and a falling price warns and goes under one', async () => {
    const page = await arrive();
    await until(page, 'what STAR is worth is proved', /4 of 4\sreporters\sfresh/, STAR);

    await begin(page, STAR, 'Supply');
    const supplied = await tryOut(page, '5');
    assert.deepEqual(supplied['You supplied'], { was: '0.00\u00a0STAR', becomes: '5.00\u00a0STAR' });
    assert.equal(supplied['You may borrow'].becomes, '7.50');
    await pressTwice(page, '#act-sign');
    await until(page, 'it is mine', /Supplied 5\.00\sSTAR/, '.mine');
    assert.match(await text(page, '.mine'), /Nothing is owed/);

    await begin(page, USDX, 'Borrow');
    const borrowed = await tryOut(page, '7');
    assert.deepEqual(borrowed.Health, { was: '\u221e', becomes: '1.1428' });
    assert.equal(borrowed['You owe'].becomes, '7.00\u00a0USDX');
    await picture(page, 'lend-preview');
    await pressTwice(page, '#act-sign');
    await until(page, 'health is what the form said', /^1\.1428$/, '#health');
    assert.match(await text(page, '#health-exact'), /^Exactly 1\.1428\d+\.$/, 'to the last digit');
    const mine = await until(page, 'what it stands for is told', /Liquidated if STAR falls 12\.\d+\s%/, '.mine');
    // Health is exactly one at 1.75, less a moment of interest.
    assert.match(mine, /to 1\.7(49999|5)/);
    const deeds = await until(page, 'both are done', /Borrowed 7\.00\sUSDX[\s\S]*Done in[\s\S]*Supplied 5\.00\sSTAR[\s\S]*Done in/, '#deeds');
    assert.deepEqual(deeds.match(/Borrowed|Supplied/g), ['Borrowed', 'Supplied'], 'pressing twice does it once');
    assert.equal(await text(page, '#health-alert'), '', 'nothing to warn of');

    await begin(page, USDX, 'Borrow');
    await tryOut(page, '0.7');
    await until(page, 'it says why not', /does not carry that much debt.*\(refusal 1297\)/, '#act-problem');
    assert.ok(await isOff(page, '#act-sign'));
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { hidden: true });

    await market.price(2, 1.9 * DOLLAR);
    await until(page, 'the limit warns', /is 1\.0857, under your limit of 1\.10/, '#health-alert');
    assert.equal(await page.evaluate(() => document.querySelector('.health--under')), null, 'no colour above one');
    assert.ok(await barPast(page) > 0, 'the bar ends past the mark at one');
    await market.price(2, 1.7 * DOLLAR);
    await until(page, 'it is under one', /is 0\.9714: anybody may liquidate/, '#health-alert');
    await until(page, 'the number says so', /^0\.9714$/, '#health');
    assert.ok(await page.evaluate(() => document.querySelector('.health--under') !== null));
    assert.ok(await barPast(page) < 0, 'and before it below one');
    await picture(page, 'lend-under');
    // This loads the page anew.
    await page.setViewport(PHONE);
    await until(page, 'the number is there again', /^0\.9714$/, '#health');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);
    await picture(page, 'lend-phone');
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await picture(page, 'lend-phone-dark');
    assert.equal(await page.evaluate(() => document.querySelectorAll('.tab-bar a').length), 5);
    await page.setViewport(WIDE);

    // Interest made the debt larger than what was borrowed: the most there is goes back.
    await begin(page, USDX, 'Repay');
    await eventually('the most is known', async () => ({ value: !(await isOff(page, '#act-max')), seen: await text(page, '#act-most') }));
    await press(page, '#act-max');
    assert.equal(await page.evaluate(() => document.querySelector('#act-units').value), '7');
    await signable(page);
    await press(page, '#act-sign');
    await until(page, 'there is nothing to warn of', /^$/, '#health-alert');
    await until(page, 'what was repaid is told', /Repaid 7\.00\sUSDX/, '#deeds');

    // What was done here and the limit stay.
    await page.reload({ waitUntil: 'domcontentloaded' });
    await until(page, 'it is remembered', /Repaid 7\.00\sUSDX[\s\S]*Borrowed 7\.00\sUSDX/, '#deeds');
    assert.deepEqual(page.errors, []);
  });

  test('anybody opens a market by the form, which tells what is wrong beside its field, and another one supplies into it', async () => {
    const page = await arrive();
    await until(page, 'what there is, is proved', /Market 1[\s\S]*Proved at block/);
    await press(page, '#open-market');
    await page.waitForSelector('dialog[open] #open-sign');
    const value = (selector) => page.evaluate((one) => document.querySelector(one).value, selector);
    await eventually('assets are offered with their issuers', async () => {
      const seen = await page.evaluate(() => document.querySelector('#open-asset-1').textContent);
      return { value: /USDX: asset 1, IOU of \w{4}/.test(seen), seen };
    }, BLOCKS_MS);
    assert.match(await text(page, '#open-asset-1-problem'), /Choose/);
    await page.select('#open-asset-1', '1');
    for (const [field, feed] of [['#open-feed-0', '2'], ['#open-feed-1', '1']]) {
      await eventually('the feed is the one that the other market takes', async () => {
        const seen = await value(field);
        return { value: seen === feed, seen };
      });
    }

    await replace(page, '#open-ltv-0', '80.5');
    await until(page, 'it is told beside its field', /at most 80\s%, at which it is liquidated/, '#open-ltv-0-problem');
    assert.equal(await page.evaluate(() => document.querySelector('#open-ltv-0').ariaInvalid), 'true');
    await until(page, 'it is told at the end, too', /^1\sfield\sabove/, '#open-problem');
    assert.ok(await isOff(page, '#open-sign'));
    await replace(page, '#open-ltv-0', '75');
    await until(page, 'it is taken', /^$/, '#open-ltv-0-problem');
    assert.match(await text(page, '#open-curve-1'), /64\.00\s%\swith\sall/);
    await replace(page, '#open-slope-2-1', '80');
    await until(page, 'the curve follows', /4\.00\s%\sat\s90\.00\s%,\s84\.00\s%\swith\sall/, '#open-curve-1');
    await until(page, 'what it costs is told', /Fee, at most\s+0\.\d+\sSTAR/, '#open-bill');
    await picture(page, 'lend-open');
    await eventually('it may be signed', async () => ({ value: !(await isOff(page, '#open-sign')), seen: await text(page, '#open-problem') }));
    await press(page, '#open-sign');
    await until(page, 'it is open, with proof and height', /Market 2 is open, proved at block \d+/, '#opened');
    await until(page, 'the list says whose it is', /Market 2[\s\S]*opened by you[\s\S]*Market 1/, '.markets');
    await until(page, 'what was signed is told', /Opened a market of STAR and USDX[\s\S]*block \d+/, '#deeds');

    const other = await arrive();
    await until(other, 'it is there for others', /Market 2[\s\S]*Market 1/, '.markets');
    await press(other, 'a[href="/lend?market=2"]');
    await begin(other, '#reserve-0', 'Supply');
    const supplied = await tryOut(other, '3');
    assert.deepEqual(supplied['You supplied'], { was: '0.00\u00a0STAR', becomes: '3.00\u00a0STAR' });
    await press(other, '#act-sign');
    await until(other, 'it lies in the new market', /in market 2[\s\S]*Supplied 3\.00\sSTAR/, '.mine');

    assert.equal(await other.evaluate(() => document.querySelector('#reserve-0 [data-stop]').hidden), true, 'not theirs to stop');
    await press(page, '#opened a');
    await eventually('who opened it may stop it', async () => {
      const value = await page.evaluate(() => document.querySelector('#reserve-0 [data-stop]')?.hidden === false);
      return { value, seen: await text(page, '#reserve-0') };
    }, BLOCKS_MS);
    await press(page, '#reserve-0 [data-stop]');
    await page.waitForSelector('dialog[open] #act-sign:not([disabled])');
    await press(page, '#act-sign');
    await until(other, 'nobody supplies any more, and is told why', /Supply: The market.s creator stopped new supply/, '#reserve-0 .why');
    assert.deepEqual([...page.errors, ...other.errors], []);
  });

  /** Somebody new on Lend, with ten units of the ledger's own asset. */
  async function arrive() {
    const page = await visit('/wallet');
    await until(page, 'the wallet is open', /Proved at block/);
    await press(page, '#faucet');
    await until(page, 'the gift is proved', /10\.00\s*STAR/);
    await press(page, 'a[href="/lend"]');
    return page;
  }
});
