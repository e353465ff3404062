// Proves that somebody issues an asset of their own in a tab: who holds it sees it proved and named as an IOU of its
// issuer, sends part of it on, burning lowers the supply, and what the ledger would refuse is said before it is signed.
// That a demo network's faucet gives test assets, which are named as such. And that whoever sends many assets hides none
// that was there.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { starlingBinary } from '../rig/starling.mjs';
import { enabled, put } from './identity-forms.mjs';
import { isOff } from './lend-forms.mjs';
import { PHONE, picture, press, until, withLedger } from './ledger-pages.mjs';
import { eventually } from './stage.mjs';

/** Deadline of what is proved after many assets were looked at. */
const PATIENT_MS = 60_000;
/** Of whom an IOU is, and that it is proved. */
const IOU = /IOU of [0-9a-f]{4}\s[0-9a-f]{4}, proved at blocks? \d+/;

describe('assets', () => {
  // A lone validator's blocks come every ten seconds otherwise, and an asset takes many.
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 300\n' });

  test('an asset is issued, held, sent on, burned and frozen, and is never told as money', async () => {
    const issuer = await rich();
    const holder = await rich();
    const third = await visit('/wallet', PHONE);
    await until(third, 'that nobody issued anything is proved', /Nobody issued an asset on this ledger yet/, '#assets-others');

    await put(issuer, '#create-symbol', 'hours');
    await put(issuer, '#create-cap', '1000');
    await press(issuer, '#create-freezable');
    await press(issuer, '#create-review');
    const made = await sign(issuer, /Symbol\s+HOURS\s+Decimals\s+2\s+Cap on the supply\s+1,000\.00\s+Can be frozen\s+by you/);
    assert.match(made, /STAR/, 'the fee is in the ledger\u2019s own');
    const mine = await until(issuer, 'it is there, proved', /HOURS\s+Asset \d+, at most 1,000\.00, can be frozen, open, proved at[\s\S]*0\.00\sHOURS issued/, '#issued');
    const number = /Asset (\d+)/.exec(mine)[1];
    await until(third, 'that one has none of it is proved', /You hold nothing of 1\sasset on this ledger, proved at/, '#assets-others');

    await issue(issuer, await accountOf(holder), '100');
    const held = await until(holder, 'who holds it sees it', /100\.00 there are in all, never more than 1,000\.00, its issuer may freeze it\s+100\.00\sHOURS/, '#assets');
    assert.match(held, IOU);
    await until(holder, 'who issued it is told', /Issued by [0-9a-f]{4}\s[0-9a-f]{4}[\s\S]*\+100\.00\sHOURS/);
    await picture(holder, 'wallet-assets');

    await holder.waitForSelector('#send-asset');
    await holder.select('#send-asset', number);
    await holder.type('#send-to', await accountOf(third));
    await holder.type('#send-units', '130');
    await holder.keyboard.press('Enter');
    await until(holder, 'more than there is is not taken', /more than there is: you hold 100\.00\sHOURS/, '#send-problem');
    await put(holder, '#send-units', '30');
    await holder.focus('#send-units');
    await holder.keyboard.press('Enter');
    await sign(holder, /Amount\s+30\.00\sHOURS\s+What\s+HOURS: asset \d+, IOU of/);
    assert.match(await until(third, 'the third one sees it', /30\.00\sHOURS/, '#assets'), IOU);
    await until(holder, 'what is left is proved', /70\.00\sHOURS/, '#assets');
    await until(holder, 'it is in the history', /\u221230\.00\sHOURS/);
    await picture(third, 'wallet-assets-phone');
    const wide = await third.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);

    await put(holder, '#burn-units', '20');
    await press(holder, '#burn-review');
    await sign(holder, /Amount\s+20\.00\sHOURS/);
    await until(holder, 'they are gone', /50\.00\sHOURS/, '#assets');
    await until(issuer, 'the supply is lower', /80\.00\sHOURS issued/, '#issued');

    await put(issuer, '#manage-who', await accountOf(holder));
    await put(issuer, '#manage-units', '1000');
    await press(issuer, '#manage-issue');
    await refused(issuer, /more than the cap[\s\S]*\(refusal 520\)/);
    await press(issuer, '#manage-freeze');
    await sign(issuer, /Account\s+[0-9a-f]{4}\s[0-9a-f]{4}/);
    await until(holder, 'it is said to be frozen', /Its issuer froze it: nothing can be sent or received/, '#assets');
    await put(holder, '#send-units', '1');
    await holder.focus('#send-units');
    await holder.keyboard.press('Enter');
    await refused(holder, /froze what this account or the other one holds[\s\S]*\(refusal 260\)/);
    for (const page of [issuer, holder, third]) assert.deepEqual(page.errors, []);
  });

  test('a link asks for an amount of an asset', async () => {
    const asking = await rich();
    await put(asking, '#create-symbol', 'TIME');
    await put(asking, '#create-decimals', '1');
    await press(asking, '#create-review');
    await sign(asking, /Symbol\s+TIME/);
    const mine = await until(asking, 'it is there', /TIME\s+Asset \d+/, '#issued');
    const number = /TIME\s+Asset (\d+)/.exec(mine)[1];
    await asking.select('#ask-asset', number);
    await put(asking, '#ask-units', '2.5');
    const link = await until(asking, 'the link names it', new RegExp(`asset=${number}&units=25\\s*$`), '#ask-link .copy-text');

    const asked = await visit(link.trim().slice(stage.server.url.length));
    const form = await eventually('the form is filled in', async () => {
      const seen = await asked.evaluate(() => {
        const value = (one) => document.querySelector(one)?.value;
        return { asset: value('#send-asset'), units: value('#send-units'), to: value('#send-to') };
      });
      return { value: seen.units && seen, seen };
    });
    assert.deepEqual(form, { asset: number, units: '2.5', to: await accountOf(asking) });
    assert.equal(await asked.evaluate(() => document.querySelector('#send-symbol').innerText), 'TIME');
    assert.deepEqual(asked.errors, []);
  });

  test('the faucet of a demo network gives test assets, and the command line proves what is held', async () => {
    const page = await visit('/wallet');
    await until(page, 'the wallet is open', /Proved at block \d+/);
    const faucet = path.join(stage.server.data, 'ledger', 'faucet.key');
    const { asset } = await starling('create', 'SUN', '--key', faucet);
    await until(page, 'it is offered', /Get test SUN/, '#test-assets');
    await press(page, '#test-assets [data-faucet]');
    const held = await until(page, 'it came, proved', /SUN[\s\S]*1,000\.00\sSUN/, '#assets');
    assert.match(held, /test asset, worth nothing, proved at blocks? \d+/);
    const told = await starling('held', await accountOf(page));
    const { units, symbol } = told.held.find((one) => String(one.asset) === String(asset));
    assert.deepEqual({ units, symbol }, { units: '1000000000', symbol: 'SUN' });
    assert.deepEqual(page.errors, []);
  });

  test('what strangers send hides nothing that was there, is counted, and shown when asked for', async () => {
    const page = await visit('/wallet');
    await until(page, 'the wallet is open', /Proved at block \d+/);
    const account = await accountOf(page);
    const faucet = path.join(stage.server.data, 'ledger', 'faucet.key');
    const give = async (symbol, units) => {
      const { asset } = await starling('create', symbol, '--key', faucet);
      await starling('issue', String(asset), account, String(units), '--key', faucet);
      return String(asset);
    };
    const real = await give('REAL', 5_000_000);
    await until(page, 'it is held', /REAL[\s\S]*5\.00\sREAL/, '#assets');
    // As many as are shown at once, and one more.
    for (let count = 0; count < 25; count += 1) await give(`DUST${count}`, 1);
    await until(page, 'the rest is counted', /You were given 2\sother assets/, '#assets-more');
    const shown = () => page.evaluate(() => [...document.querySelectorAll('#assets [data-asset]')].map((one) => one.dataset.asset));
    assert.equal((await shown()).length, 24);
    assert.ok((await shown()).includes(real), 'what was there is there');
    await press(page, '#assets-more-show');
    await until(page, 'they are shown', /DUST\d+[\s\S]*DUST\d+/, '#assets-given');
    const marked = await page.evaluate(() => document.querySelector('#assets-given [data-asset]').dataset.asset);
    await press(page, '#assets-given .asset-mark');
    await eventually('what was marked is in sight', async () => {
      const seen = await shown();
      return { value: seen.includes(marked) && seen.includes(real), seen };
    });
    await picture(page, 'wallet-dust');
    await page.reload({ waitUntil: 'domcontentloaded' });
    await eventually('so it is after a reload', async () => {
      const seen = await shown();
      return { value: seen.length === 24 && seen.includes(marked) && seen.includes(real), seen };
    }, PATIENT_MS);
    assert.deepEqual(page.errors, []);
  });

  /** Somebody with ten STAR, for fees. */
  async function rich() {
    const page = await visit('/wallet');
    await until(page, 'the wallet is open', /Proved at block \d+/);
    await press(page, '#faucet');
    await until(page, 'the gift is proved', /10\.00\s*STAR/);
    return page;
  }

  /** `starling ledger asset`, and what it says. */
  async function starling(...args) {
    const all = ['ledger', '--node', stage.server.url, 'asset', ...args];
    const { stdout } = await promisify(execFile)(starlingBinary(), all);
    return JSON.parse(stdout);
  }
});

const accountOf = (page) =>
  page.evaluate(() => document.querySelector('.receive .copy-text').innerText.trim());

async function issue(page, to, amount) {
  await page.waitForSelector('#manage-issue');
  await put(page, '#manage-who', to);
  await put(page, '#manage-units', amount);
  await press(page, '#manage-issue');
  await sign(page, /Amount\s+100\.00\sHOURS/);
}

/** Looks at what is about to be signed, with its fee, and signs it. */
async function sign(page, wanted) {
  await until(page, 'what is signed is told', wanted, '#asset-bill');
  const seen = await until(page, 'the fee is told before signing', /Fee, at most\s+0\.0\d+\sSTAR/, '#asset-bill');
  await enabled(page, '#asset-sign');
  await press(page, '#asset-sign');
  await page.waitForSelector('#asset-bill', { hidden: true });
  return seen;
}

/** Reads why it would be refused, sees that it can't be signed, and goes back. */
async function refused(page, why) {
  await until(page, 'it says why not', why, '#asset-problem');
  assert.ok(await isOff(page, '#asset-sign'));
  await page.keyboard.press('Escape');
  await page.waitForSelector('#asset-bill', { hidden: true });
}
