// Proves that a wallet which this device can't keep sends nothing and shows no address until it can; and that what came is
// told a page at a time, gifts of hardly anything when they are wanted, and what a pool paid as such.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fund } from './identity-forms.mjs';
import { PHONE, WIDE, picture, press, until, withLedger } from './ledger-pages.mjs';
import { openProxy } from './ledger-proxy.mjs';
import { eventually } from './stage.mjs';

/** Before the worker's own code: the device's storage is full until it is told that there is room. */
const FULL = `{
  const put = IDBObjectStore.prototype.put;
  self.isFull = true;
  IDBObjectStore.prototype.put = function (...all) {
    if (self.isFull) throw new DOMException('no room', 'QuotaExceededError');
    return put.apply(this, all);
  };
}
`;

describe('a wallet', () => {
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 1000\n' });

  test('what this device can not keep is not sent, and no address is shown until it can', async () => {
    let posted = 0;
    const proxy = await openProxy(stage.server, (url, body, status) => {
      if (url.startsWith('/ledger/faucet/')) posted += 1;
      return url.startsWith('/wallet/worker.js') && status === 200 ? Buffer.concat([Buffer.from(FULL), body]) : body;
    });
    try {
      const page = await visit('/wallet', PHONE, proxy.url);
      await until(page, 'it is said', /Not kept on this device/);
      await until(page, 'the balance is proved all the same', /Proved at block \d+/);
      assert.equal(await page.$('.receive .copy-text'), null);
      await press(page, '#faucet');
      await until(page, 'nothing was asked for', /The faucet gave nothing/);
      assert.equal(posted, 0);
      await picture(page, 'wallet-unkept');

      const worker = page.workers().find((one) => one.url().includes('/wallet/worker.js'));
      await worker.evaluate(() => {
        self.isFull = false;
      });
      await page.waitForSelector('.receive .copy-text');
      const account = await accountOf(page);
      await fund(page);
      assert.ok(posted > 0);
      await page.reload({ waitUntil: 'domcontentloaded' });
      // Without room again, unless the page came out of what it keeps of itself.
      await until(page, 'it begins anew', /Not kept on this device|Give this name/);
      const again = page.workers().find((one) => one.url().includes('/wallet/worker.js'));
      await again.evaluate(() => {
        self.isFull = false;
      });
      await page.waitForSelector('.receive .copy-text');
      assert.equal(await accountOf(page), account, 'it is the same account');
      await until(page, 'with what it had', /10\.00\s*STAR/);
    } finally {
      await proxy.close();
    }
  });

  test('what came is told a page at a time, small gifts when they are wanted, and what pools paid as such', async () => {
    const asked = [];
    // A host may tell what it likes: this one tells of a history.
    const proxy = await openProxy(stage.server, (url, body, status) => {
      const events = /^\/ledger\/accounts\/([0-9a-f]{64})\/events(?:\?below=(\d+)&index=(\d+))?$/.exec(url);
      if (!events || status !== 200) return body;
      const [, account, below, index] = events;
      asked.push(`${below} ${index}`);
      return list(below === undefined ? newest(account) : older(account));
    });
    try {
      const page = await visit('/wallet', WIDE, proxy.url);
      const seen = await until(page, 'what a pool paid is told', /Paid from pool\s7/);
      assert.match(seen, /Show 49\sgifts of less than a fee/);
      assert.doesNotMatch(seen, /2\.50\s*STAR/);
      await press(page, '#older');
      const more = await until(page, 'what came before is told', /2\.50\s*STAR[\s\S]*What was left of your deposit, pool\s3/);
      assert.match(more, /Paid from pool\s7/, 'beside what was told before');
      // Before the last one of a full page, which may have ended within its block.
      assert.ok(asked.includes('1000 0'), String(asked));
      assert.equal(await page.$eval('#older', (button) => button.hidden), true, 'there is nothing before');
      await press(page, '#small-gifts');
      await eventually('all are shown', async () => {
        const count = await page.$$eval('.payments[aria-live] .payment[data-way=in]', (rows) => rows.length);
        return { value: count === 52, seen: count };
      });
      assert.deepEqual(page.errors, []);
    } finally {
      await proxy.close();
    }
  });
});

const accountOf = (page) => page.evaluate(() => document.querySelector('.receive .copy-text').innerText.trim());

const SOMEBODY = '9'.repeat(64);

/** A full page: what a pool paid in block 1049, and a gift of five units in each of the 49 before. */
const newest = (account) =>
  Array.from({ length: 50 }, (_, at) => {
    const height = 1049 - at;
    return at === 0
      ? receipt(height, 0x0304, [SOMEBODY, account], [7, 20_000, 20_000, 1])
      : receipt(height, 0x0100, [SOMEBODY, account], [0, 5]);
  });

const older = (account) => [
  receipt(5, 0x0100, [SOMEBODY, account], [0, 2_500_000]),
  receipt(4, 0x0307, [account], [3, 1_000_000]),
];

/** The least CBOR that says it: `docs/spec/ledger.md`, "Receipts". */
const receipt = (height, kind, accounts, numbers) => {
  const event = list([number(kind), list(accounts.map(name)), list(numbers.map(number))]);
  return list([name(height.toString(16).padStart(64, '0')), number(height), number(0), number(0), number(1), list([event])]);
};

const list = (parts) => Buffer.concat([head(4, parts.length), ...parts]);
const name = (hex) => Buffer.concat([head(2, 32), Buffer.from(hex, 'hex')]);
const number = (value) => head(0, value);

function head(major, value) {
  const type = major << 5;
  if (value < 24) return Buffer.from([type | value]);
  if (value < 0x100) return Buffer.from([type | 24, value]);
  if (value < 0x10000) return Buffer.from([type | 25, value >> 8, value & 255]);
  const long = Buffer.alloc(5);
  long[0] = type | 26;
  long.writeUInt32BE(value, 1);
  return long;
}
