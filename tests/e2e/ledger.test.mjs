// Proves that two people pay each other in their tabs: the faucet gives, one sends, the other's balance is proved; that
// what is asked for is read off a screen; that a tab names a server that lies about a balance; and that a page at a
// host without a validator works wholly, and asks the hosts that this one names.

import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../rig/browser.mjs';
import { startStarling } from '../rig/starling.mjs';
import { fund, put } from './identity-forms.mjs';
import { PHONE, WIDE, accountOf, askToo, picture, press, scan, text, until, withLedger } from './ledger-pages.mjs';
import { openProxy } from './ledger-proxy.mjs';
import { eventually } from './stage.mjs';

describe('the ledger', () => {
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 1000\n' });

  test('the faucet gives, one tab sends, and the other proves what came', async () => {
    const [one, two] = [await visit('/wallet'), await visit('/wallet', PHONE)];
    await until(one, 'a balance of nothing is proved', /0\.00\s*STAR[\s\S]*|Proved at block/);
    await press(one, '#faucet');
    const rich = await until(one, 'the gift is proved', /10\.00\s*STAR/);
    assert.match(rich, /Proved at block \d+/);
    await until(two, 'the other wallet is open', /Receive/);
    const account = await two.evaluate(() => document.querySelector('.receive .copy-text').innerText.trim());
    assert.match(account, /^[0-9a-f]{64}$/);

    await one.type('#send-to', account);
    await one.type('#send-units', '2.5');
    await one.type('#send-note', 'Rent, June');
    await one.keyboard.press('Enter');
    await until(one, 'note and fee are shown before signing', /Sign and send\?[\s\S]*Note\s+Rent, June[\s\S]*Fee[\s\S]*Total/);
    await picture(one, 'wallet-review');
    await press(one, '#send-sign');
    await until(one, 'the transfer is done', /Done in [\s\S]*block \d+/);
    const came = await until(two, 'what came is proved', /2\.50\s*STAR/);
    assert.match(came, /Proved at block \d+/);
    assert.doesNotMatch(await until(two, 'who sent it is told', /From/), /Rent, June/, 'the ledger has its hash only');
    await picture(one, 'wallet-wide');
    await picture(two, 'wallet-phone');

    // The account and its history are there at the next visit.
    await one.reload({ waitUntil: 'domcontentloaded' });
    const again = await until(one, 'the balance is proved again', /7\.49\d*\s*STAR/);
    assert.match(again, /Rent, June[\s\S]*2\.50\s*STAR/);
    assert.deepEqual(one.errors, []);
    assert.deepEqual(two.errors, []);
  });

  test('a tab shows what it checked, and fits a phone', async () => {
    const page = await visit('/ledger');
    await until(page, 'a block was checked', /Newest block\s+\d+[\s\S]*certificate/);
    const who = /Validators\s+Proved by \d+\sblocks?\s[\s\S]*proposed \d+ of the last \d+\sblocks? seen, last at\s\d+[\s\S]*names 1\svalidator\./;
    await until(page, 'who proposed is proved, and whom the host names is told', who, '#validators');
    await page.evaluate(() => document.querySelector('.steps').setAttribute('open', ''));
    await until(page, 'the proof is shown', /The block.s header[\s\S]*Trust root/);
    await page.evaluate(() => document.querySelector('#proof-bytes').setAttribute('open', ''));
    const bytes = await until(page, 'all of it can be copied', /The certificate: [^\n]*\n[0-9a-f]{96,}/, '#proof-bytes .copy-text');
    assert.match(bytes, /The record.s key: [^\n]*\n[0-9a-f]+\n[\s\S]*\/ledger\/state\/[0-9a-f]+\n/);
    assert.match(bytes, /The block.s header, block \d+\n[0-9a-f]{100,}\n/);
    await picture(page, 'ledger-wide');
    // It begins anew as a phone.
    await page.setViewport(PHONE);
    await until(page, 'a block was checked there', /Newest block\s+\d+[\s\S]*certificate/);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);
    await picture(page, 'ledger-phone');
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await picture(page, 'ledger-phone-dark');
    assert.deepEqual(page.errors, []);
  });

  test('whom a host names and nobody saw is its word only, and a list without who proposed is not shown', async () => {
    const other = '7'.repeat(64);
    let named = (own) => [...own, other];
    const proxy = await openProxy(stage.server, (url, body, status) => {
      if (url !== '/ledger/status' || status !== 200) return body;
      const told = JSON.parse(body);
      const keys = named(told.keys);
      return Buffer.from(JSON.stringify({ ...told, keys, validators: keys.length }));
    });
    try {
      const page = await visit('/ledger', PHONE, proxy.url);
      const both = /proposed \d+ of[\s\S]*names 2\svalidators\./;
      const seen = await until(page, 'both are listed', both, '#validators');
      assert.match(seen, /7777\s7777\s+named by [\d.:]+, has proposed none of the blocks seen here \(not proved\)/);
      const proved = await page.evaluate(() =>
        [...document.querySelectorAll('#validators li')].map((one) => one.dataset.proved).sort());
      assert.deepEqual(proved, ['false', 'true']);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);
      await picture(page, 'ledger-validators-phone');

      named = () => [other];
      await page.reload({ waitUntil: 'domcontentloaded' });
      const doubted = await until(page, 'the list is doubted', /proposed[\s\S]*names others than who proposed/, '#validators');
      assert.doesNotMatch(doubted, /7777/);
      assert.deepEqual(page.errors, []);
    } finally {
      await proxy.close();
    }
  });

  test('a host that lies about a balance is named, and the balance is the one that another server proves', async () => {
    const liar = await openLiar(stage.server);
    try {
      const page = await visit('/wallet', WIDE, liar.url);
      await until(page, 'the wallet is open', /Proved at block \d+/);
      await press(page, '#faucet');
      await until(page, 'the gift is proved', /10\.00\s*STAR/);
      liar.lies = true;
      await page.evaluate(() => document.querySelector('a[href="/ledger"]').click());
      await until(page, 'servers are listed', /Servers asked/);
      await askToo(page, stage.server.url);
      const seen = await until(page, 'the liar is named', /lied: its proof does not prove what it said/);
      assert.match(seen, /Not asked any more/);
      await until(page, 'the honest server is heard', new RegExp(`${stage.server.url}\\s+at block`));
      await picture(page, 'ledger-liar');
      await page.evaluate(() => document.querySelector('a[href="/wallet"]').click());
      const wallet = await until(page, 'the balance stays proved', /10\.00\s*STAR/);
      assert.ok(!wallet.includes('99,999'), 'nothing of the lie is shown');
      assert.ok(liar.told > 0, 'it lied');
    } finally {
      await liar.close();
    }
  });

  test('an account and an amount are read off the screen of who asks, and sent', async () => {
    const [asks, pays] = [await visit('/wallet', { ...WIDE, deviceScaleFactor: 3 }), await visit('/wallet', PHONE)];
    await fund(pays);
    await until(asks, 'the wallet is open', /Proved at block \d+/);
    const account = await accountOf(asks);
    await press(asks, '.receive button[aria-haspopup=dialog]');
    await put(asks, '#ask-units', '1.25');
    await until(asks, 'the link asks for it', /units=1250000\s*$/, '#ask-link .copy-text');
    await scan(pays, asks, '#ask-link svg.qr');
    const form = await eventually('the form is filled in', async () => {
      const seen = await pays.evaluate(() => ['#send-to', '#send-units'].map((one) => document.querySelector(one).value));
      return { value: seen[1] && seen, seen };
    });
    assert.deepEqual(form, [account, '1.25']);
    await pays.focus('#send-units');
    await pays.keyboard.press('Enter');
    await until(pays, 'it is shown before signing', /Sign and send\?[\s\S]*1\.25\s*STAR[\s\S]*Total/);
    await press(pays, '#send-sign');
    await until(asks, 'it came, proved', /1\.25\s*STAR/);
    for (const page of [asks, pays]) assert.deepEqual(page.errors, []);
  });

  test('a page at a host without a validator works wholly, and asks the hosts that this one names', async () => {
    const folder = await temporaryFolder('ledger-host');
    const other = await openProxy(stage.server);
    const { root } = await (await fetch(`${stage.server.url}/ledger/status`)).json();
    const config = `[ledger]\nfrom = ["${stage.server.url}"]\nroot = "${root}"\nothers = ["${other.url}"]\n`;
    const host = await startStarling({ folder, config });
    try {
      const page = await visit('/wallet', WIDE, host.url);
      await until(page, 'the wallet is open', /Proved at block \d+/);
      await press(page, '#faucet');
      await until(page, 'the gift is proved', /10\.00\s*STAR/);
      await press(page, 'a[href="/ledger"]');
      const named = (url) => new RegExp(`${url}\\s+named by this host, at block \\d+`);
      await until(page, 'the host is heard', new RegExp(`${host.url}\\s+at block \\d+`), SERVERS);
      await until(page, 'so is another that it names', named(other.url), SERVERS);
      await until(page, 'and its source', named(stage.server.url), SERVERS);
      await picture(page, 'ledger-named');

      await press(page, `${SERVERS} [data-named="true"] button`);
      await eventually('the first of them is taken off', async () => {
        const seen = await text(page, SERVERS);
        return { value: !seen.includes(other.url), seen };
      });
      // A block later that is kept.
      const [, height] = /Newest block\s+(\d+)/.exec(await text(page));
      await eventually('a later block is seen', async () => {
        const seen = /Newest block\s+(\d+)/.exec(await text(page))[1];
        return { value: Number(seen) > Number(height), seen };
      });
      await page.reload({ waitUntil: 'domcontentloaded' });
      await until(page, 'the source is asked again', named(stage.server.url), SERVERS);
      assert.ok(!(await text(page, SERVERS)).includes(other.url), 'it stays away');
      assert.deepEqual(page.errors, []);
    } finally {
      await Promise.all([host.close(), other.close()]);
      await fs.rm(folder, { recursive: true, force: true });
    }
  });
});

/** Where the page lists whom it asks. */
const SERVERS = 'section[aria-labelledby="servers-title"]';

/** What the liar says every account holds: 99,999 STAR, as a record (CBOR). */
const RICHES = Buffer.from('821b000000174867a5c0f4', 'hex');

/** The real server, which lies about balances once it is told to, and about all else that is proved: what is asked twice is any of it. */
async function openLiar(honest) {
  const liar = await openProxy(honest, (url, body, status) => {
    if (!liar.lies || status !== 200 || !/^\/ledger\/state\//.test(url)) return body;
    liar.told += 1;
    return withRecord(body, RICHES);
  });
  return Object.assign(liar, { lies: false, told: 0 });
}

/** A state's proof (CBOR: record, proof, finality) with another record. */
function withRecord(body, record) {
  const end = body[1] === 0xf6 ? 2 : 2 + (body[1] & 0x1f);
  return Buffer.concat([body.subarray(0, 1), Buffer.from([0x40 + record.length]), record, body.subarray(end)]);
}
