#!/usr/bin/env node
// The frozen bytes of the ledger, read by what `docs/spec/ledger.md` says of them and by what comes with Node: names,
// signatures, keys of records, vouchers, headers, proofs. Nothing of our program runs here. Closes with the line
// `N passed, M failed`. Not looked at: BLS signatures of certificates, and what transactions do.
//
//   node tests/interop/ledger.mjs

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../conformance/vectors/', import.meta.url);
/** The head of an Ed25519 public key as SPKI (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const MAGIC = 'starling-ledger-snapshot-1';

const FILES = readdirSync(FOLDER).filter((name) => /^ledger.*\.json$/.test(name)).sort();
const VECTORS = FILES.map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')).vectors);

/** All vectors of a kind, of which there is at least one. */
function all(kind, vectors = VECTORS.flat()) {
  const found = vectors.filter((vector) => vector.kind === kind);
  assert.ok(found.length > 0, `no ${kind}`);
  return found;
}

const unhex = (text) => Buffer.from(text, 'hex');
const sha256 = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest();

/** Whether the key signed it (Ed25519). */
function isSigned(bytes, key, signature) {
  const spki = crypto.createPublicKey({ key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' });
  return crypto.verify(null, bytes, spki, signature);
}

/** A whole number as so many bytes, big-endian. */
function wide(number, count) {
  return Buffer.from(BigInt(number).toString(16).padStart(2 * count, '0'), 'hex');
}

// CBOR (RFC 8949) in its one form: anything longer is refused.

/** The item at a place: its own bytes (`raw`), and what it is. */
function item(bytes, at) {
  const [major, info] = [bytes[at] >> 5, bytes[at] & 31];
  let [end, number] = [at + 1, BigInt(info)];
  if (major !== 7 && info >= 24) {
    assert.ok(info <= 27, 'a definite length');
    const count = 1 << (info - 24);
    number = BigInt(`0x${bytes.subarray(end, end + count).toString('hex')}`);
    const least = info === 24 ? 24n : 1n << BigInt(4 * count);
    assert.ok(number >= least, 'the shortest form');
    end += count;
  }
  const done = (last, found) => {
    assert.ok(last <= bytes.length, 'it ends within');
    return { raw: bytes.subarray(at, last), ...found };
  };
  const tail = () => bytes.subarray(end, end + Number(number));
  if (major === 0) return done(end, { number });
  if (major === 2) return done(end + Number(number), { bytes: tail() });
  if (major === 3) return done(end + Number(number), { text: tail().toString('utf8') });
  if (major === 4) {
    const items = [];
    for (let left = number; left > 0n; left -= 1n) {
      items.push(item(bytes, end));
      end += items.at(-1).raw.length;
    }
    return done(end, { items });
  }
  if (major === 6) {
    const inner = item(bytes, end);
    assert.ok(number === 2n && inner.bytes.length > 8 && inner.bytes.length <= 16 && inner.bytes[0] > 0, 'a bignum');
    return done(end + inner.raw.length, { number: BigInt(`0x${inner.bytes.toString('hex')}`) });
  }
  assert.ok(major === 7 && info >= 20 && info <= 22, 'false, true or null');
  return done(end, { simple: [false, true, null][info - 20] });
}

/** All of it as one item. */
function decode(bytes) {
  const found = item(bytes, 0);
  assert.equal(found.raw.length, bytes.length, 'nothing behind it');
  return found;
}

/** Reads numbers and digests of a header, a certificate or a proof. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
  }

  take(count) {
    assert.ok(count <= this.bytes.length, 'it ends within');
    const found = this.bytes.subarray(0, count);
    this.bytes = this.bytes.subarray(count);
    return found;
  }

  u64() {
    return this.take(8).readBigUInt64BE();
  }

  varint() {
    let [number, shift] = [0n, 0n];
    for (;;) {
      const [byte] = this.take(1);
      number |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return number;
    }
  }

  end(found) {
    assert.equal(this.bytes.length, 0, 'nothing behind it');
    return found;
  }
}

function header(bytes) {
  const reader = new Reader(bytes);
  const [epoch, view, leader] = [reader.varint(), reader.varint(), reader.take(32)];
  const [parentView, parentProposal, parent] = [reader.varint(), reader.take(32), reader.take(32)];
  const [height, time] = [reader.varint(), reader.u64()];
  const [state, log, start, end] = [reader.take(32), reader.take(32), reader.u64(), reader.u64()];
  const body = reader.take(32);
  return reader.end({
    epoch, view, leader, parentView, parentProposal, parent, height, time, state, log, start, end, body,
  });
}

function certificate(bytes) {
  const reader = new Reader(bytes);
  const found = { epoch: reader.varint(), view: reader.varint(), parentView: reader.varint(), name: reader.take(32) };
  reader.take(48);
  return reader.end(found);
}

/** Headers of a `finality`, each the parent of the next, the last named by the certificate. */
function finality({ items: [headers, signed] }) {
  const all = headers.items.map(({ bytes }) => ({ name: sha256(bytes), ...header(bytes) }));
  all.slice(1).forEach((next, at) => {
    assert.deepEqual(next.parent, all[at].name);
    assert.equal(next.height, all[at].height + 1n);
  });
  assert.deepEqual(certificate(signed.bytes).name, all.at(-1).name);
  return all;
}

// The engine's store, as "State proofs" has it.

function place(reader) {
  const [index, bits, updates, folded] = [reader.varint(), reader.take(32), reader.varint(), Number(reader.varint())];
  const digests = Array.from({ length: Number(reader.varint()) }, () => reader.take(32));
  const [flag] = reader.take(1);
  assert.ok(flag <= 1 && index < updates, 'a place');
  const partial = flag === 1 ? reader.take(32) : null;
  return { index, bits, updates, folded, digests, partial, log: reader.take(32) };
}

/** Perfect trees of a mountain range of so many updates, highest first. */
function peaks(updates) {
  const found = [];
  let first = 0n;
  for (let height = 63n; height >= 0n; height -= 1n) {
    if ((updates >> height) & 1n) {
      found.push({ height, first });
      first += 1n << height;
    }
  }
  return found;
}

const covers = ({ height, first }, index) => index >= first && index < first + (1n << height);

/** Where a tree's root is among the nodes as they come into being. */
function position({ height, first }) {
  const ones = [...first.toString(2)].filter((bit) => bit === '1').length;
  return wide(2n * first - BigInt(ones) + (2n << height) - 2n, 8);
}

/** Lefts are given from the top down, rights from the bottom up. */
function climb(tree, at, update, given) {
  if (tree.height === 0n) return sha256(position(tree), update);
  const height = tree.height - 1n;
  const [left, right] = [{ height, first: tree.first }, { height, first: tree.first + (1n << height) }];
  let digest;
  if (covers(right, at.index)) {
    const sibling = given.shift();
    digest = sha256(position(tree), sibling, climb(right, at, update, given));
  } else {
    const below = climb(left, at, update, given);
    digest = sha256(position(tree), below, given.shift());
  }
  return tree.height === 8n ? sha256(at.bits, digest) : digest;
}

function fold(list, count) {
  const front = list.slice(0, Math.max(count, 1)).reduce((one, two) => sha256(one, two));
  const rest = list.slice(Math.max(count, 1));
  if (rest.length === 0) return front;
  return sha256(front, rest.reduceRight((bag, peak) => sha256(peak, bag)));
}

/** The root of a state in which this update is at this place and holds. */
function rootOf(at, update) {
  const bit = Number(at.index % 256n);
  assert.ok((at.bits[bit >> 3] >> (bit & 7)) & 1, 'the bit is set');
  const rest = at.updates % 256n;
  assert.equal(at.partial !== null, rest !== 0n);
  if (at.index / 256n === at.updates / 256n) assert.deepEqual(at.partial, sha256(at.bits));
  const trees = peaks(at.updates);
  const own = trees.findIndex((tree) => covers(tree, at.index));
  const after = trees.length - own - 1;
  const before = Math.min(at.folded, own);
  const single = Math.min(Math.max(at.folded - own - 1, 0), after);
  const given = [...at.digests];
  const front = given.splice(0, (before > 0 ? 1 : 0) + own - before);
  const behind = given.splice(0, single + (after > single ? 1 : 0));
  const peak = climb(trees[own], at, update, given);
  assert.equal(given.length, 0, 'no digest too many');
  const all = fold([...front, peak, ...behind], before > 0 ? at.folded - before + 1 : at.folded);
  const range = sha256([0, 1], wide(at.updates, 8), at.folded > 0 ? wide(at.folded, 8) : '', all);
  return at.partial === null ? sha256(at.log, range) : sha256(at.log, range, wide(rest, 8), at.partial);
}

/** Checks a `state-proof` of a key; its header, and the record or null. */
function proved(key, { items: [record, proof, final] }) {
  const [first] = finality(final);
  const [name, reader] = [sha256(key), new Reader(proof.bytes)];
  let at, update;
  if (record.bytes) {
    at = place(reader);
    update = [name, sha256(record.bytes), reader.take(32)];
  } else {
    assert.equal(reader.take(1)[0], 0);
    at = place(reader);
    update = [reader.take(32), reader.take(32), reader.take(32)];
    const [before, , next] = update.map((hash) => hash.toString('hex'));
    const [text, last] = [name.toString('hex'), before >= next];
    assert.ok(last ? before < text || text < next : before < text && text < next, 'nothing between');
  }
  reader.end();
  assert.deepEqual(rootOf(at, Buffer.concat([Buffer.from([0xd2]), ...update])), first.state);
  return { header: first, record: record.bytes ?? null };
}

const CHECKS = {
  'transactions: names, accounts and signatures': () => {
    for (const vector of all('ledger-transaction')) {
      const { items: [body, policy, signatures] } = decode(unhex(vector.cbor));
      const said = Buffer.concat([Buffer.from('starling/transaction/1'), body.raw]);
      assert.equal(sha256(said).toString('hex'), vector.id, vector.name);
      const [version, , signer] = body.items;
      assert.deepEqual([version.number, body.items.length], [1n, 8]);
      assert.deepEqual(signer.bytes, sha256('starling/account/1', policy.raw), vector.name);
      const [threshold, keys] = policy.items;
      assert.equal(BigInt(signatures.items.length), threshold.number);
      for (const { items: [index, signature] } of signatures.items) {
        assert.ok(isSigned(said, keys.items[Number(index.number)].bytes, signature.bytes), vector.name);
      }
    }
  },

  'receipts: of the transactions beside them': () => {
    for (const vectors of VECTORS.filter((each) => each.some(({ kind }) => kind === 'ledger-receipt'))) {
      const names = all('ledger-transaction', vectors).map(({ id }) => id);
      for (const vector of all('ledger-receipt', vectors)) {
        const { items: [transaction, , , code, , events] } = decode(unhex(vector.cbor));
        assert.ok(names.includes(transaction.bytes.toString('hex')), vector.name);
        assert.equal(code.number, BigInt(vector.code));
        assert.ok(code.number === 0n || events.items.length === 0, 'a refusal tells nothing');
      }
    }
  },

  'records: hashes of their keys, and one form': () => {
    for (const { key, key_hash: hash, record } of all('ledger-record')) {
      assert.equal(sha256(unhex(key)).toString('hex'), hash);
      decode(unhex(record));
    }
  },

  'vouchers: what is signed, by the key': () => {
    for (const voucher of all('ledger-voucher')) {
      const signed = Buffer.concat([
        Buffer.from('p2p/paypool/v1'), unhex(voucher.chain), wide(voucher.pool, 8), unhex(voucher.payee),
        wide(voucher.epoch, 4), wide(voucher.cumulative, 16),
      ]);
      assert.equal(signed.toString('hex'), voucher.signed);
      assert.ok(isSigned(signed, unhex(voucher.key), unhex(voucher.signature)), voucher.name);
      const { items: [pool, payee, epoch, cumulative, signature] } = decode(unhex(voucher.cbor));
      assert.deepEqual(
        [pool.number, payee.bytes, epoch.number, cumulative.number, signature.bytes],
        [
          BigInt(voucher.pool), unhex(voucher.payee), BigInt(voucher.epoch), BigInt(voucher.cumulative),
          unhex(voucher.signature),
        ],
      );
    }
  },

  'headers: names, parents and what is in the blocks': () => {
    const [root] = all('ledger-root');
    assert.equal(root.text, `starling-ledger-1-${root.chain}${root.group_keys[0]}`);
    let parent = null;
    all('ledger-block').forEach((vector, at) => {
      const [bytes, block] = [unhex(vector.header), unhex(vector.block)];
      const found = header(bytes);
      assert.equal(sha256(bytes).toString('hex'), vector.name);
      const hex = ['parent', 'state', 'log', 'body'].map((member) => found[member].toString('hex'));
      assert.deepEqual(hex, [vector.parent, vector.state_root, vector.log_root, vector.body_root]);
      const numbers = [found.height, found.time, found.start, found.end];
      const said = [vector.height, vector.time_ms, vector.log_start, vector.log_end];
      assert.deepEqual(numbers, said.map(BigInt));
      assert.equal(found.height, BigInt(at + 1));
      if (parent !== null) assert.equal(vector.parent, parent);
      parent = vector.name;
      assert.equal(certificate(unhex(vector.certificate)).name.toString('hex'), vector.name);
      assert.equal(certificate(unhex(vector.certificate)).epoch, found.epoch);
      // The header, the count of transactions, and each behind its length: the body's root is of the latter.
      assert.deepEqual(block.subarray(0, bytes.length), bytes);
      assert.deepEqual(sha256(block.subarray(bytes.length + 4)), found.body);
    });
  },

  'finality: a header and the one that is signed': () => {
    const shown = all('ledger-finality').map(({ cbor }) => finality(decode(unhex(cbor))));
    const names = all('ledger-block').map(({ name }) => name);
    for (const { name } of shown.flat()) assert.ok(names.includes(name.toString('hex')));
  },

  'proofs: a record, and one that is not there': () => {
    const found = all('ledger-state-proof').map(({ key, cbor }) => proved(unhex(key), decode(unhex(cbor))).record);
    assert.deepEqual(found.map((record) => record !== null), [true, false]);
    decode(found[0]);
  },

  'successions: who is named, where the names are': () => {
    const [root] = all('ledger-root');
    for (const { cbor } of all('ledger-successions')) {
      decode(unhex(cbor)).items.forEach((proof, at) => {
        const key = Buffer.concat([Buffer.from([0, 2]), wide(at + 1, 4)]);
        const { header: last, record } = proved(key, proof);
        const { items: [height, named] } = decode(record);
        assert.deepEqual([height.number, named.bytes.toString('hex')], [last.height + 1n, root.group_keys[at + 1]]);
      });
    }
  },

  'a page of records: keys ascend': () => {
    for (const { cbor } of all('ledger-records')) {
      const { items: [, , records, more] } = decode(unhex(cbor));
      const keys = records.items.map(({ items: [key] }) => key.bytes.toString('hex'));
      assert.deepEqual(keys, [...keys].sort());
      assert.equal(more.simple, false);
    }
  },

  'a snapshot: its parts': () => {
    for (const vector of all('ledger-snapshot')) {
      const bytes = unhex(vector.bytes);
      assert.equal(sha256(bytes).toString('hex'), vector.sha256);
      const reader = new Reader(bytes);
      assert.equal(reader.take(MAGIC.length).toString(), MAGIC);
      const part = () => reader.take(reader.take(4).readUInt32BE());
      const { items: [final, block, successions] } = decode(part());
      const [shown] = finality(final);
      assert.deepEqual(sha256(block.bytes.subarray(0, final.items[0].items[0].bytes.length)), shown.name);
      assert.equal(successions.items.length, 1);
      while (part().length > 0);
      let before = '';
      for (let page = part(); page.length > 0; page = part()) {
        for (const { items: [key, record] } of decode(page).items) {
          assert.ok(before < key.bytes.toString('hex'));
          before = key.bytes.toString('hex');
          decode(record.bytes);
        }
      }
      reader.end();
    }
  },
};

let [passed, failed] = [0, 0];
for (const [name, check] of Object.entries(CHECKS)) {
  try {
    check();
    passed += 1;
    console.log(`✔ ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`✖ ${name}: ${error.stack}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
