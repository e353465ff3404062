// Proves that a gateway gives what nobody has: a sealed share whose sender is gone, a public file from the server's
// own store, and that a person chooses it, once; that public shares are what IPFS tools make and read; that CARs go
// out and come in, and a bad one is refused in words; that a server which may ask peers answers plain HTTP with what a
// tab shares.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, test } from 'node:test';
import { starling } from '../rig/starling.mjs';
import { cidOf, expected } from './files.mjs';
import { MIB, PATIENT_MS, added, withPeople, written } from './people.mjs';
import { eventually } from './stage.mjs';

describe('public shares and gateways', () => {
  const { stage, arrive } = withPeople();

  test('a public share has the CID that the command line gives it, and is got by that CID alone', async () => {
    const file = { name: 'open data.bin', size: 3 * MIB + 5, seed: 31 };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file], { isPublic: true, withinMs: PATIENT_MS });
    const cid = cidOf(link);
    const named = await starling('add', '--only-name', '--data', stage.server.data, await written(stage, file));
    assert.ok(named.includes(cid), `${named} is not ${cid}`);
    assert.ok(!link.includes('k='), 'no key');
    await receiver.get(`${stage.server.url}/#/get/${cid}`, { withinMs: PATIENT_MS });
    await receiver.done(PATIENT_MS);
    assert.deepEqual(await receiver.save(), { name: cid, size: file.size, sha256: await expected(file) });
    const late = await arrive();
    await sender.closeTab();
    await late.get(link, { withinMs: PATIENT_MS });
    await late.done(PATIENT_MS);
    assert.deepEqual(await late.save(), { name: file.name, size: file.size, sha256: await expected(file) });
  });

  test('what the server holds comes from its gateway when nobody is online, and the choice is remembered', async () => {
    const file = { name: 'kept.bin', size: 5 * MIB, seed: 37 };
    const cid = await added(stage, file);
    const receiver = await arrive();
    const link = `${stage.server.url}/#/get/${cid}?n=kept.bin`;
    await receiver.open(link);
    await receiver.until('nobody is there', ({ stage: shown, text }) => shown === 'finding' && text.includes('Another source'));
    await receiver.page.click('.other-source summary');
    await receiver.page.type('#gateway', 'not an address');
    await receiver.page.keyboard.press('Enter');
    await receiver.until('it says what is wrong', ({ text }) => text.includes('not an address of a gateway'));
    await receiver.page.click('[data-do=own-gateway]');
    await receiver.until('names and sizes come from it', ({ stage: shown }) => shown === 'offered', PATIENT_MS);
    await receiver.page.click('[data-do=get]');
    const { gatewayBytes } = await receiver.done(PATIENT_MS);
    assert.ok(gatewayBytes >= file.size, `${gatewayBytes} from the gateway`);
    assert.equal((await receiver.save()).sha256, await expected(file));
    await receiver.go('/library');
    await receiver.until('it stands there', ({ text }) => text.includes(stage.server.url));
    await receiver.page.click('[data-do=no-gateway]');
    await receiver.until('it is taken away', ({ text }) => text.includes('Use this site'));
  });

  test('a sealed share is completed by a gateway that has its blocks, after the sender gave some of it', async () => {
    const file = { name: 'sealed.bin', size: 12 * MIB, seed: 41 };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    const blocks = await eventually('its copy is kept', async () => {
      const found = await sender.page.evaluate(storedBlocks);
      return { value: found.length >= 14 && found, seen: found.length };
    });
    const car = path.join(stage.folder, 'sealed.car');
    await fs.writeFile(car, carOf(blocks));
    await starling('car', 'import', '--data', stage.server.data, car);
    await sender.limitUpload(16);
    await sender.page.reload({ waitUntil: 'domcontentloaded' });
    await receiver.page.evaluateOnNewDocument((url) => localStorage.setItem('starling.gateway', url), stage.server.url);
    await receiver.get(link, { withinMs: PATIENT_MS });
    const before = await receiver.until('a third is here, or nearly', ({ percent }) => percent >= 30, PATIENT_MS);
    assert.ok(before.gatewayBytes < MIB, 'whoever has it goes first');
    await sender.closeTab();
    const { gatewayBytes } = await receiver.done(PATIENT_MS);
    assert.ok(gatewayBytes > 0 && gatewayBytes < file.size, `${gatewayBytes} from the gateway`);
    assert.equal((await receiver.save()).sha256, await expected(file));
  });

  test('a gateway that lies is found out, and costs nothing', async () => {
    const liar = http.createServer((request, response) => {
      response.setHeader('access-control-allow-origin', '*');
      response.end(request.url.includes('bafkqaaa') ? '' : 'something else');
    });
    await new Promise((resolve) => liar.listen(0, '127.0.0.1', resolve));
    try {
      const file = { name: 'true.bin', size: 70_000, seed: 43 };
      const [sender, receiver] = [await arrive(), await arrive()];
      const link = await sender.share([file]);
      await sender.go('/watch');
      await sender.page.goto('about:blank');
      await receiver.page.evaluateOnNewDocument((url) => localStorage.setItem('starling.gateway', url), `http://127.0.0.1:${liar.address().port}`);
      await receiver.open(link);
      await receiver.until('it says so', ({ text }) => text.includes('sent something else'));
      await sender.go('/share');
      await receiver.until('the sender is back', ({ stage: shown }) => shown === 'offered', PATIENT_MS);
      await receiver.page.click('[data-do=get]');
      await receiver.done();
      assert.equal((await receiver.save()).sha256, await expected(file));
    } finally {
      liar.closeAllConnections();
      await new Promise((resolve) => liar.close(resolve));
    }
  });

  test('a CAR goes out, is read by the command line, and comes in again elsewhere', async () => {
    const files = [
      { name: 'one.txt', size: 9_000, seed: 47 },
      { name: 'two.bin', size: 2 * MIB, seed: 53 },
    ];
    const [sender, other, receiver] = [await arrive(), await arrive(), await arrive()];
    const link = await sender.share(files, { isPublic: true, withinMs: PATIENT_MS });
    const saved = await sender.saved(() => sender.page.click('[data-do=car]'), PATIENT_MS);
    assert.equal(saved.name, '2 files.car');
    const car = path.join(stage.folder, 'out.car');
    await fs.writeFile(car, Buffer.from(await sender.page.evaluate(lastSaved), 'base64'));
    const cid = cidOf(link);
    assert.ok((await starling('car', 'import', '--data', path.join(stage.folder, 'elsewhere'), car)).includes(cid));
    await sender.closeTab();
    await openCar(other, car);
    assert.equal(cidOf(await other.madeLink()), cid);
    await receiver.get(link, { withinMs: PATIENT_MS });
    await receiver.done(PATIENT_MS);
    assert.equal((await receiver.save(1)).sha256, await expected(files[1]));
  });

  test('a CAR that is none, is damaged or lacks something is refused in words', async () => {
    const person = await arrive();
    const [a, b] = [Buffer.from('one block'), Buffer.from('another')];
    const good = carOf([await blockOf(a)]);
    const cases = [
      [Buffer.from('{"json": true}'), 'expected a CAR file, found something else'],
      [Buffer.alloc(0), 'cut off'],
      [good.subarray(0, good.length - 3), 'cut off'],
      [carOf([{ ...(await blockOf(a)), bytes: b.toString('base64') }]), 'a block of the CAR is damaged'],
      [carOf([await blockOf(b)], await blockOf(a)), 'lacks block'],
    ];
    for (const [bytes, words] of cases) {
      const file = path.join(stage.folder, 'bad.car');
      await fs.writeFile(file, bytes);
      await openCar(person, file);
      await person.until(words, ({ text }) => text.toLowerCase().includes(words.toLowerCase()));
    }
    await person.go('/library');
    await person.until('nothing of it is kept', ({ text }) => text.includes('Nothing here yet'));
  });
});

describe('a gateway that asks peers', () => {
  const { stage, arrive } = withPeople({ config: '[gateway.swarm]\nenabled = true\nwait_ms = 60000\n' });

  test('plain HTTP gets what a tab shares publicly, and still does when the tab has gone', async () => {
    const file = { name: 'from a tab.bin', size: 5 * MIB + 3, seed: 59 };
    const sender = await arrive();
    const link = await sender.share([file], { isPublic: true, withinMs: PATIENT_MS });
    const url = `${stage.server.url}/ipfs/${cidOf(link)}`;
    const cached = { headers: { 'cache-control': 'only-if-cached' } };
    assert.equal((await fetch(`${url}?format=raw`, cached)).status, 412, 'it is not in the store');
    const [whole, again] = await Promise.all([bytesAt(url), bytesAt(url)]);
    assert.equal(whole.length, file.size);
    assert.equal(sha256(whole), await expected(file));
    assert.equal(sha256(again), await expected(file));
    const car = path.join(stage.folder, 'from-http.car');
    await fs.writeFile(car, await bytesAt(`${url}?format=car`));
    assert.ok((await starling('car', 'import', '--data', path.join(stage.folder, 'by-http'), car)).includes(cidOf(link)));
    await sender.closeTab();
    assert.equal(sha256(await bytesAt(url, cached)), await expected(file));
  });
});

async function bytesAt(url, options) {
  const answer = await fetch(url, options);
  assert.equal(answer.status, 200, url);
  return Buffer.from(await answer.arrayBuffer());
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

async function openCar(person, file) {
  await person.go('/share');
  await person.page.waitForSelector('#pick-car + button:not([disabled])');
  const input = await person.page.$('#pick-car');
  await input.uploadFile(file);
}

/** In the page: what was saved last, in base64. */
async function lastSaved() {
  const { href } = window.__saved.at(-1);
  const bytes = new Uint8Array(await window.__blobs.get(href).arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}

/** In the page: all blocks of the store, `{ cid, bytes }` with bytes in base64. */
async function storedBlocks() {
  const settled = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await settled(indexedDB.open('starling-files'));
  const store = database.transaction('blocks').objectStore('blocks');
  const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
  database.close();
  return keys.map(([, cid], at) => {
    const bytes = new Uint8Array(values[at]);
    let text = '';
    for (let from = 0; from < bytes.length; from += 32_768) text += String.fromCharCode(...bytes.subarray(from, from + 32_768));
    return { cid, bytes: btoa(text) };
  });
}

/** A CARv1 of blocks as {@link storedBlocks} gives them; its root is the first. */
function carOf(blocks, root = blocks[0]) {
  const header = Buffer.concat([
    Buffer.from([0xa2, 0x65]), Buffer.from('roots'), Buffer.from([0x81, 0xd8, 0x2a, 0x58, 37, 0]), cidBytes(root.cid),
    Buffer.from([0x67]), Buffer.from('version'), Buffer.from([0x01]),
  ]);
  const frames = blocks.map(({ cid, bytes }) => frame(Buffer.concat([cidBytes(cid), Buffer.from(bytes, 'base64')])));
  return Buffer.concat([frame(header), ...frames]);
}

function frame(bytes) {
  const length = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

function cidBytes(cid) {
  let [bits, count] = [0, 0];
  const bytes = [];
  for (const letter of cid.slice(1)) {
    bits = (bits << 5) | ALPHABET.indexOf(letter);
    count += 5;
    if (count >= 8) {
      count -= 8;
      bytes.push((bits >>> count) & 255);
      bits &= (1 << count) - 1;
    }
  }
  return Buffer.from(bytes);
}

async function blockOf(bytes) {
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', bytes));
  const all = Buffer.concat([Buffer.from([1, 0x55, 0x12, 0x20]), digest]);
  let [bits, count, text] = [0, 0, 'b'];
  for (const byte of all) {
    bits = (bits << 8) | byte;
    count += 8;
    while (count >= 5) {
      count -= 5;
      text += ALPHABET[(bits >>> count) & 31];
      bits &= (1 << count) - 1;
    }
  }
  if (count > 0) text += ALPHABET[(bits << (5 - count)) & 31];
  return { cid: text, bytes: bytes.toString('base64') };
}
