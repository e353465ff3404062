// A market for the tests of the Lend page: people with keys of their own make an asset, two feeds and a market
// through the ledger's HTTP, as anybody may. Bytes: `docs/spec/ledger.md`.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { eventually } from './stage.mjs';

/** Units of one whole: both assets have six decimals. */
export const WHOLE = 1_000_000;
/** A price of one, with 8 decimals. */
export const DOLLAR = 100_000_000;
/** What a transaction offers: more than any here costs. */
const FEE = 100_000;
/** Seconds for which a report counts: longer than a test takes. */
const AGE_S = 3_600;
const [ASSETS, ORACLE, LENDING] = [2, 4, 5];
/** The ledger's own asset. */
const STAR = 0;
/** 1 with 27 decimals: an index of claims or debts on which no interest came yet. */
export const RAY = 10n ** 27n;

/**
 * Opens market 1 on a fresh demo ledger: reserve 0 is USDX (asset 1, feed 1, at one dollar), reserve 1 the ledger's own
 * asset (feed 2, at two), unless `prices` says other ones. The creator `lent` so many USDX. Gives `price(feed, price)`, by which
 * all reporters say a price; `issue(account, units)`, which makes USDX for somebody (hexadecimal name);
 * `borrower({ pledge, owe })`, somebody who pledges units of the ledger's own asset for units of USDX: their name;
 * `look(account)`, the records of reserve 0 and of what somebody has of it; `ledger`.
 */
export async function openMarket(server, { prices = [1, 2], ageS = AGE_S, lent = 1_000 } = {}) {
  const ledger = await Ledger.of(server);
  const [creator, ...reporters] = await Promise.all(Array.from({ length: 5 }, () => ledger.person()));
  const ascending = [...reporters].sort((one, next) => Buffer.compare(one.account, next.account));
  await ledger.act(creator, ASSETS, [0, 'USDX', 6, null, false]);
  const price = (feed, worth) => Promise.all(reporters.map(async (one) => {
    one.reports += 1;
    await ledger.act(one, ORACLE, [1, feed, Math.round(worth), Math.floor(Date.now() / 1000), one.reports]);
  }));
  for (const feed of [1, 2]) {
    await ledger.act(creator, ORACLE, [0, ascending.map(({ account }) => account), ageS]);
    await price(feed, prices[feed - 1] * DOLLAR);
  }
  const rules = (asset, feed) => [
    asset, feed, 6, 7_500, 8_000, 10_500, 1_000, 1_000, 5_000 * WHOLE, 500 * WHOLE, true, [9_000, 100, 400, 6_000],
  ];
  await ledger.act(creator, LENDING, [0, creator.account, [rules(1, 1), rules(STAR, 2)]]);
  const issue = (account, units) => ledger.act(creator, ASSETS, [1, 1, Buffer.from(account, 'hex'), units]);
  if (lent > 0) {
    await issue(creator.name, lent * WHOLE);
    await ledger.act(creator, LENDING, [2, 1, 0, lent * WHOLE]);
  }
  const borrower = async ({ pledge, owe }) => {
    const person = await ledger.person();
    await ledger.act(person, LENDING, [2, 1, 1, pledge]);
    await price(1, prices[0] * DOLLAR);
    await price(2, prices[1] * DOLLAR);
    await ledger.act(person, LENDING, [4, 1, 0, owe]);
    return person.name;
  };
  const look = async (account) => {
    const records = ['05010000000100', `050200000001${account}`, `0101${account}00000001`];
    const [reserve, position, balance] = await Promise.all(records.map((key) => ledger.record(key)));
    const [, index, debtIndex, , , , accrued, available, deficit, supplied, owed] = reserve;
    const claims = position?.[0].find(([place]) => place === 0n)?.[1] ?? 0n;
    return { index, debtIndex, accrued, available, deficit, supplied, owed, claims, units: balance?.[0] ?? 0n };
  };
  return { price, issue, borrower, look, ledger };
}

/** A demo ledger behind a server. */
export class Ledger {
  static async of(server) {
    const ledger = new Ledger();
    ledger.base = `${server.url}/ledger`;
    const chain = await eventually('the ledger has started', async () => {
      const seen = await ledger.ask('status');
      return { value: seen.chain, seen };
    });
    ledger.chain = Buffer.from(chain, 'hex');
    return ledger;
  }

  async ask(path, options) {
    const answer = await fetch(`${this.base}/${path}`, options);
    return answer.json();
  }

  /**
   * The record under a key, after the last final block; null where there is none. It comes with the proof that a page
   * checks; numbers are BigInt.
   */
  async record(key) {
    const { record } = await eventually(`what is under ${key} is proved`, async () => {
      // A host that makes blocks meanwhile may be busy.
      const seen = await this.ask(`state/${key}`);
      return { value: seen.proof && seen, seen };
    });
    return record && read(Buffer.from(record, 'hex'));
  }

  /** Sends again all that is in the newest block that tells of an account: signed bytes, which anybody finds there. */
  async repeat(account) {
    const { receipts } = await this.ask(`accounts/${account}/events`);
    const { transactions } = await this.ask(`blocks/${receipts[0].height}`);
    const send = (signed) => this.ask('transactions', { method: 'POST', body: Buffer.from(signed, 'hex') });
    return Promise.all(transactions.map(send));
  }

  /** Somebody whom the faucet gave ten units of the ledger's own asset. */
  async person() {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
    const policy = [1, [key]];
    const account = sha256(Buffer.from('starling/account/1'), cbor(policy));
    const name = account.toString('hex');
    await eventually('the faucet gives', async () => {
      const seen = await this.ask(`faucet/${name}`, { method: 'POST' });
      return { value: seen.transaction, seen };
    });
    await eventually('the gift is there', async () => {
      const seen = await this.ask(`accounts/${name}`);
      return { value: BigInt(seen.units ?? 0) > 0n, seen };
    });
    return { privateKey, policy, account, name, reports: 0 };
  }

  /** Signs and sends an action, and waits until a block has done it. */
  async act(person, domain, action) {
    const { nonce } = await this.ask(`accounts/${person.name}`);
    const body = [1, this.chain, person.account, nonce, 2 ** 40, FEE, null, [domain, [action]]];
    const signature = sign(null, Buffer.concat([Buffer.from('starling/transaction/1'), cbor(body)]), person.privateKey);
    const bytes = cbor([body, person.policy, [[0, signature]]]);
    const { transaction, error } = await this.ask('transactions', { method: 'POST', body: bytes });
    assert.ok(transaction, `refused before a block: ${JSON.stringify(error)}`);
    const receipt = await eventually('a block takes it', async () => {
      const seen = await this.ask(`receipts/${transaction}`);
      return { value: seen.height && seen, seen };
    });
    assert.equal(receipt.code, 0, `refused in a block: ${JSON.stringify(receipt)}`);
  }
}

function sha256(...parts) {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/** The one form that the ledger reads: definite lengths, shortest integers. */
function cbor(value) {
  if (value === null) return Buffer.from([0xf6]);
  if (typeof value === 'boolean') return Buffer.from([value ? 0xf5 : 0xf4]);
  if (typeof value === 'number') return head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
}

function head(major, number) {
  if (number < 24) return Buffer.from([(major << 5) | number]);
  for (const [code, bytes] of [[24, 1], [25, 2], [26, 4]]) {
    if (number < 2 ** (8 * bytes)) {
      const written = Buffer.alloc(1 + bytes);
      written[0] = (major << 5) | code;
      written.writeUIntBE(number, 1, bytes);
      return written;
    }
  }
  const written = Buffer.alloc(9);
  written[0] = (major << 5) | 27;
  written.writeBigUInt64BE(BigInt(number), 1);
  return written;
}

/** What bytes of that form say: whole numbers as BigInt. */
function read(bytes) {
  let at = 0;
  const take = (count) => bytes.subarray(at, (at += count));
  const number = (written) => BigInt(`0x${written.toString('hex')}`);
  const next = () => {
    const [first] = take(1);
    const [major, small] = [first >> 5, first & 31];
    if (major === 7) return { 20: false, 21: true, 22: null }[small];
    const counted = small < 24 ? BigInt(small) : number(take(2 ** (small - 24)));
    if (major === 0) return counted;
    if (major === 2) return take(Number(counted));
    if (major === 3) return take(Number(counted)).toString();
    if (major === 4) return Array.from({ length: Number(counted) }, next);
    assert.deepEqual([major, counted], [6, 2n], 'a number above 64 bits');
    return number(next());
  };
  const value = next();
  assert.equal(at, bytes.length, 'nothing is behind it');
  return value;
}
