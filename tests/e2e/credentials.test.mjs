// Proves that what one browser issues another holds, and shows a part of to a third, which is told what that proves and
// by which blocks, with the issuer's tab closed; that a question is read off a screen; that a changed answer, one that
// was used, and one of a credential that was revoked are refused with their reasons; that the newest status list comes by
// itself, from the issuer's page or from a server that keeps it; and that an issuer who lost a browser goes on in another
// one, with 24 words and a file, and what was revoked since stays revoked.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../rig/browser.mjs';
import { PASSWORD, enabled, fund, make, put, register, setPassword } from './identity-forms.mjs';
import { PHONE, WIDE, picture, press, scan, text, until, withLedger } from './ledger-pages.mjs';

/** The place of "Person" among the types that pages offer. */
const PERSON = '1';
const CLAIMS = 'given_name = Ann\nbirthdate = 1990-05-01\nage_equal_or_over/18 = yes';

describe('credentials', () => {
  // A lone validator's blocks come every ten seconds otherwise.
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 300\n' });

  test('are shown in part, proved without their issuer, and refused when changed, used or revoked', async () => {
    const [issuer, holder, verifier] = await Promise.all([visit('/wallet'), visit('/identity', PHONE), visit('/identity')]);
    await fund(issuer);
    await press(issuer, 'a[href="/identity"]');
    for (const page of [issuer, holder, verifier]) {
      await until(page, 'there is none', /Make an identity/);
      await make(page);
    }
    const name = await register(issuer);
    for (const page of [issuer, holder, verifier]) {
      await press(page, 'a[href="/identity/credentials"]');
      await until(page, 'nothing is held', /Nothing here yet/);
    }

    // An offer, keys for it, and the credential.
    await press(issuer, 'a[href="/identity/issue"]');
    await until(issuer, 'the name signs', new RegExp(name), '#issuer');
    await choose(issuer, '#issue-kind', PERSON);
    await press(issuer, '#issue-offer');
    const offer = await link(issuer, '#issue-link', '#offer=');
    await put(holder, '#take-text', offer);
    await press(holder, '#take-go');
    await until(holder, 'the offer is read', /10\scopies of .Person.*did:starling:/s, '#offer');
    await press(holder, '#offer-go');
    const keys = await link(holder, '#keys-code', '#keys=');
    await put(issuer, '#issue-to', keys);
    await put(issuer, '#issue-claims', CLAIMS);
    await press(issuer, '#issue-go');
    const credential = await link(issuer, '#issue-link', '#credential=');
    await until(issuer, 'nothing is on the ledger yet', /Not on the ledger \(proved at block \d+\)/, '.list-state');
    await enabled(issuer, '.list-anchor');
    await press(issuer, '.list-anchor');
    await until(issuer, 'the list is on the ledger', /version 1, proved at block \d+/, '.list-state');
    await picture(issuer, 'credentials-issue');
    const office = issuer.browserContext();
    assert.deepEqual(issuer.errors, []);
    await issuer.close();

    await put(holder, '#take-text', credential);
    await press(holder, '#take-go');
    const held = await until(holder, 'it is held and holds', /Not revoked: version 1 of the status list, proved at block \d+/, '#cards');
    assert.match(held, /Ann[\s\S]*10 of 10\scopies/);
    const wide = await holder.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);
    await picture(holder, 'credentials-held');

    // Asked for one thing, one thing is shown. The link finds the identity locked.
    await press(verifier, 'a[href="/identity/verify"]');
    await until(verifier, 'the page is there', /Check an answer/);
    const question = await ask(verifier, '');
    await open(holder, question);
    const asking = await until(holder, 'the request is read', /The bar/, '#asking');
    assert.match(asking, /To sell you a beer[\s\S]*identity\/verify/);
    const shown = await text(holder, '.will-show');
    assert.match(shown, /18\s+yes/);
    assert.doesNotMatch(shown, /Ann|1990/);
    assert.match(await text(holder, '.stays-hidden'), /1990-05-01[\s\S]*Ann/);
    assert.ok(await holder.evaluate(() => document.querySelector('#answer').hidden), 'nothing is shown before the button');
    await picture(holder, 'credentials-present');
    const answer = await share(holder);
    const told = await until(holder, 'it is remembered for the holder', /The bar[\s\S]*To sell you a beer[\s\S]*Person: .*18/, '#told');
    assert.doesNotMatch(told.replaceAll(/did:\S+/g, ''), /yes|Ann|1990/, 'which claims, not what they say');
    const good = await judged(verifier, answer, /Good/);
    assert.match(good, /18\s+yes/);
    assert.doesNotMatch(good, /Ann|1990/);
    assert.match(good, /key of version 0 \(block \d+\), which held then; proved at block \d+/);
    assert.match(good, /not revoked: status list version 1 \(block \d+\) is the newest, proved at block \d+/);
    assert.ok(good.includes(name), 'the issuer is named');
    await picture(verifier, 'credentials-verdict');
    await judged(verifier, answer, /Refused[\s\S]*answered before/);

    // Another question, read off the verifier's screen, and an answer on whose way somebody changed it.
    await verifier.setViewport({ ...WIDE, deviceScaleFactor: 3 });
    await ask(verifier, question);
    await scan(holder, verifier, '#question-link svg.qr');
    const second = await share(holder, answer);
    await judged(verifier, changed(second), /Refused[\s\S]*a disclosure is not the issuer's/);

    // Revoked: what the holder brings along is not the newest list any more, and the newest says so.
    const back = await office.newPage();
    await back.setViewport(WIDE);
    await back.goto(`${stage.server.url}/identity/issue`, { waitUntil: 'domcontentloaded' });
    await unlock(back);
    await until(back, 'what was issued is remembered', /Person[\s\S]*Holds/, '#issued');
    await until(back, 'the name signs', new RegExp(name), '#issuer');
    await press(back, '.issued-revoke');
    await press(back, '.issued-revoke-sure');
    await until(back, 'it is revoked', /Revoked/, '#issued');
    await until(back, 'the ledger does not know', /an older one, version 1/, '.list-state');
    await enabled(back, '.list-anchor');
    await press(back, '.list-anchor');
    const known = await until(back, 'the ledger knows', /version 2, proved at block \d+/, '.list-state');
    await press(back, '.own-list .dialog-actions button');
    const list = await link(back, '.own-list', '#list=');
    await back.close();
    await reached(verifier, Number(/block (\d+)/.exec(known)[1]));
    await judged(verifier, second, /Refused[\s\S]*The newest status list is not here: the ledger names version 2/);
    await press(verifier, 'a[href="/identity/credentials"]');
    await until(verifier, 'the page is there', /Nothing here yet/);
    await put(verifier, '#take-text', list);
    await press(verifier, '#take-go');
    await until(verifier, 'the list is taken', /Taken/, '#said-take');
    await press(verifier, 'a[href="/identity/verify"]');
    await until(verifier, 'the page is there', /Check an answer/);
    await judged(verifier, second, /Refused[\s\S]*was revoked: status list version 2 \(block \d+\) is the newest, proved at block \d+/);
    for (const page of [holder, verifier]) assert.deepEqual(page.errors, []);
  });
});

describe('status lists', () => {
  const { visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 300\n' });

  test('come from the issuer by their hash, to who checks an answer that brings an older one, and to who holds', async () => {
    const [issuer, holder, verifier] = await Promise.all([visit('/wallet'), visit('/identity'), visit('/identity')]);
    const { did } = (await office(issuer, [holder, verifier]))[0];
    await issueTo(issuer, did, 'Ann');
    const credential = await link(issuer, '#issue-link', '#credential=');
    await issueTo(issuer, did, 'Bob', credential);
    await anchored(issuer, 1);
    await until(issuer, 'the page gives it', /This page gives it to whoever asks/, '.list-given');
    await press(holder, 'a[href="/identity/credentials"]');
    await until(holder, 'nothing is held', /Nothing here yet/);
    await put(holder, '#take-text', credential);
    await press(holder, '#take-go');
    await until(holder, 'it is held and holds', /Not revoked: version 1 of the status list/, '#cards');

    // Two answers, each with that list.
    for (const href of ['/identity/credentials', '/identity/verify']) await go(verifier, href);
    await until(verifier, 'the page is there', /Check an answer/);
    const question = await ask(verifier, '');
    const first = await share(await open(holder, question));
    const second = await share(await open(holder, await ask(verifier, question)));

    // Somebody else's credential is revoked: there is a newer list, and this one still holds by it.
    await revokeNewest(issuer);
    await reached(verifier, await anchored(issuer, 2));
    await until(issuer, 'the page gives the new one', /This page gives it to whoever asks/, '.list-given');
    const good = await judged(verifier, first, /Good/);
    assert.match(good, /not revoked: status list version 2 \(block \d+\) is the newest, proved at block \d+/);
    assert.match(good, /fetched whole, by its hash/);
    await picture(verifier, 'credentials-fetched');

    // Then this one.
    await revokeNewest(issuer);
    await reached(verifier, await anchored(issuer, 3));
    await until(issuer, 'the page gives the last one', /This page gives it to whoever asks/, '.list-given');
    await judged(verifier, second, /Refused[\s\S]*was revoked: status list version 3 \(block \d+\) is the newest, proved at block \d+/);
    await go(holder, '/identity/credentials');
    await until(holder, 'the holder learns it', /Revoked: version 3 of the status list, proved at block \d+/, '#cards');
    for (const page of [issuer, holder, verifier]) assert.deepEqual(page.errors, []);
  });

  test('stay as they were when an issuer goes on in another browser, with the words and a backup', async () => {
    const [issuer, other, stranger] = await Promise.all([visit('/wallet'), visit('/wallet'), visit('/identity')]);
    const [{ did }] = await office(issuer, [stranger]);
    await issueTo(issuer, did, 'Ann');
    await issueTo(issuer, did, 'Bob', await link(issuer, '#issue-link', '#credential='));
    await anchored(issuer, 1);
    await until(issuer, 'nothing is saved', /No backup yet/, '#book-state');
    const file = await savedBook(issuer);
    await until(issuer, 'all is saved', /Last backup [\s\S]*Everything is in it/, '#book-state');
    assert.match(await text(issuer, '#issued-room'), /2\scredentials remembered here, with room for [\d,]+ more/);
    // What the backup does not know.
    await revokeNewest(issuer);
    await anchored(issuer, 2);
    await until(issuer, 'there is something new', /1\schange since/, '#book-state');
    await until(issuer, 'the page gives it', /This page gives it to whoever asks/, '.list-given');
    await picture(issuer, 'credentials-backup');

    for (const href of ['/identity/credentials', '/identity/issue']) await go(stranger, href);
    await bringIn(stranger, file);
    await until(stranger, 'it opens to nobody else', /of another identity, with other words/, '#said-book-file');

    await fund(other);
    await press(other, 'a[href="/identity"]');
    await until(other, 'there is none', /Bring yours back/);
    await put(other, '#recover-words', issuer.words.join(' '));
    await press(other, '#recover-go');
    await until(other, 'it wants a second way', /A way for every day/);
    await setPassword(other, PASSWORD);
    for (const href of ['/identity/credentials', '/identity/issue']) await go(other, href);
    await until(other, 'nothing is known', /Nothing to back up yet/, '#book-state');
    await bringIn(other, file);
    await until(other, 'it says what it brings', /2\scredentials that this browser does not know/, '#book-found');
    assert.equal((await text(other, '#issued')).trim(), '', 'a look brings nothing');
    await enabled(other, '#book-join');
    await press(other, '#book-join');
    await until(other, 'what was issued is back', /Ann[^\n]*Holds/, '#issued');
    await until(other, 'what was revoked since is learned', /Bob[^\n]*Revoked/, '#issued');
    await until(other, 'it is the same list', /The ledger names it: version 2/, '.list-state');
    await picture(other, 'credentials-restored');
    await revokeNewest(other);
    await anchored(other, 3);
    await bringIn(other, file);
    await until(other, 'it is known', /2\scredentials that it knows/, '#book-found');
    await enabled(other, '#book-join');
    await press(other, '#book-join');
    await until(other, 'nothing holds again', /It is in/, '#said-book-file');
    assert.match(await text(other, '#issued'), /Bob[^\n]*Revoked[\s\S]*Ann[^\n]*Revoked/);
    for (const page of [issuer, other, stranger]) assert.deepEqual(page.errors, []);
    await fs.rm(path.dirname(file), { recursive: true, force: true });
  });
});

describe('status lists and a server that fetches for others', () => {
  const config = '[ledger]\nheartbeat_ms = 300\n\n[gateway.swarm]\nenabled = true\n';
  const { stage, visit } = withLedger({ config });

  test('are kept by it, and the issuer may go', async () => {
    const [issuer, holder] = await Promise.all([visit('/wallet'), visit('/identity')]);
    const [{ did }] = await office(issuer, [holder]);
    await issueTo(issuer, did, 'Ann');
    await anchored(issuer, 1);
    await until(issuer, 'the server has it', /The server of this page keeps it too/, '.list-given');
    const shown = await issuer.evaluate(() => document.querySelector('.own-list details .copy-text').textContent.trim());
    const cid = /#\/get\/(\w+)/.exec(shown)[1];
    assert.deepEqual(issuer.errors, []);
    await issuer.close();
    const answer = await fetch(`${stage.server.url}/ipfs/${cid}?format=raw`, { headers: { 'cache-control': 'only-if-cached' } });
    assert.equal(answer.status, 200);
    const list = Buffer.from(await answer.arrayBuffer());
    assert.match(list.toString(), /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/, 'the signed list and nothing else');
    assert.equal(cid, cidOf(list), 'its name is its hash');
  });
});

/** An issuer with money and a key, on the page that issues; and others with keys. Gives what the others were made. */
async function office(issuer, others) {
  await fund(issuer);
  await press(issuer, 'a[href="/identity"]');
  const made = [];
  for (const page of [issuer, ...others]) {
    await until(page, 'there is none', /Make an identity/);
    made.push(await make(page));
  }
  issuer.words = made[0].words;
  for (const href of ['/identity/credentials', '/identity/issue']) await go(issuer, href);
  await until(issuer, 'the key signs', /did:key:/, '#issuer');
  return made.slice(1);
}

/** Issues a person's credential to a key; `before` is what was issued last. */
async function issueTo(page, did, label, before) {
  await choose(page, '#issue-kind', PERSON);
  await put(page, '#issue-to', did);
  await put(page, '#issue-claims', CLAIMS);
  await put(page, '#issue-label', label);
  await enabled(page, '#issue-go');
  await press(page, '#issue-go');
  await link(page, '#issue-link', '#credential=', before);
  await until(page, 'it is remembered', new RegExp(`${label}[^\\n]*Holds`), '#issued');
}

/** Revokes what was issued last of what holds. */
async function revokeNewest(page) {
  await press(page, '.issued[data-state=Holds] .issued-revoke');
  await enabled(page, '.issued[data-state=Holds] .issued-revoke-sure');
  await press(page, '.issued[data-state=Holds] .issued-revoke-sure');
  await until(page, 'it is said', /Your status list has changed/, '#said-issued');
}

/** Puts the list on the ledger; the block at which that is proved. */
async function anchored(page, version) {
  await until(page, 'the ledger is read', version === 1 ? /Not on the ledger/ : /an older one/, '.list-state');
  await enabled(page, '.list-anchor');
  await press(page, '.list-anchor');
  await until(page, 'it is sent', /Sent\. It is there with the next block/, '#said-list');
  // Pressed again: nothing is sent twice.
  await press(page, '.list-anchor');
  const seen = await until(page, `version ${version} is there`, new RegExp(`names it: version ${version}, proved at block \\d+`), '.list-state');
  assert.match(await text(page, '#said-list'), /^Sent\./, 'no second one was refused');
  return Number(/block (\d+)/.exec(seen)[1]);
}

/** Has the page save what was issued; the file. */
async function savedBook(page) {
  await page.evaluate(() => {
    const made = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      window.__book = blob;
      return made.call(URL, blob);
    };
  });
  await enabled(page, '#book-save');
  await press(page, '#book-save');
  await until(page, 'it is handed over', /Handed to the browser/, '#book-handed');
  const before = await text(page, '#book-state');
  assert.doesNotMatch(before, /Everything is in it/, 'nobody has the file yet');
  await enabled(page, '#book-have');
  await press(page, '#book-have');
  const bytes = await page.evaluate(async () => [...new Uint8Array(await window.__book.arrayBuffer())]);
  const file = path.join(await temporaryFolder('book'), 'issued.starling');
  await fs.writeFile(file, Buffer.from(bytes));
  return file;
}

async function bringIn(page, file) {
  await enabled(page, '#book-choose');
  await (await page.waitForSelector('#pick-book')).uploadFile(file);
}

/** The CID of bytes as they are: version 1, raw, SHA-256. */
function cidOf(bytes) {
  const all = Buffer.concat([Buffer.from([1, 0x55, 0x12, 0x20]), createHash('sha256').update(bytes).digest()]);
  const bits = [...all].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.match(/.{1,5}/g).map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five.padEnd(5, '0'), 2)]);
  return `b${letters.join('')}`;
}

/** Asks for proof of age; the link, which is another than `before`. */
async function ask(page, before) {
  await choose(page, '#question-kind', PERSON);
  await put(page, '#question-name', 'The bar');
  await put(page, '#question-purpose', 'To sell you a beer');
  await press(page, '#question-go');
  return link(page, '#question-link', '#request=', before);
}

/** Opens a request in a tab, whose identity that locks. */
async function open(page, request) {
  await page.goto('about:blank');
  await page.goto(request, { waitUntil: 'domcontentloaded' });
  await unlock(page);
  await until(page, 'the request is read', /To sell you a beer/, '#asking');
  return page;
}

async function unlock(page) {
  await until(page, 'it is locked', /Locked/);
  await put(page, '#unlock-password', PASSWORD);
  await press(page, '#unlock-go');
}

/** Shares what is marked; the link with the answer, which is another than `before`. */
async function share(page, before) {
  await enabled(page, '#share-go');
  await press(page, '#share-go');
  return link(page, '#answer', '#vp_token=', before);
}

/** Has an answer checked; the verdict. */
async function judged(page, answer, wanted) {
  await put(page, '#check-text', answer);
  await enabled(page, '#check-go');
  await press(page, '#check-go');
  return until(page, `a verdict like ${wanted}`, wanted, '#verdict');
}

/** Waits on the ledger's page until this tab has that block, and comes back to the page that checks answers. */
async function reached(page, height) {
  for (const href of ['/wallet', '/ledger']) await go(page, href);
  const wanted = { test: (seen) => Number(/Newest block\s+(\d+)/i.exec(seen)?.[1]) >= height };
  await until(page, `block ${height} is here`, wanted);
  for (const href of ['/wallet', '/identity', '/identity/credentials', '/identity/verify']) await go(page, href);
  await until(page, 'the page is there', /Check an answer/);
}

/** Follows a link once it is there. */
async function go(page, href) {
  await page.waitForSelector(`a[href="${href}"]`);
  await press(page, `a[href="${href}"]`);
  await page.waitForFunction((wanted) => location.pathname === wanted, {}, href);
}

/** The link that a page hands on there, once it has this in it and is another than before. */
async function link(page, place, part, before = '') {
  const wanted = { test: (seen) => seen.includes(part) && seen.trim() !== before };
  return (await until(page, `there is a link with ${part}`, wanted, `${place} .copy-text`)).trim();
}

/** Chooses one of a list. */
const choose = (page, selector, value) =>
  page.evaluate((one, chosen) => {
    const list = document.querySelector(one);
    list.value = chosen;
    list.dispatchEvent(new Event('change', { bubbles: true }));
  }, selector, value);

/** The answer of a link with its one hidden claim turned round, under the same salt and the same signatures. */
function changed(answer) {
  const [page, fragment] = answer.split('#');
  const members = new URLSearchParams(fragment);
  const token = JSON.parse(members.get('vp_token'));
  const parts = token.credential[0].split('~').map((part) => {
    const said = Buffer.from(part, 'base64url').toString();
    return said.endsWith(',"18",true]') ? Buffer.from(said.replace('true]', 'false]')).toString('base64url') : part;
  });
  assert.notEqual(parts.join('~'), token.credential[0], 'something was changed');
  token.credential[0] = parts.join('~');
  const pairs = [...members].map(([name, value]) => `${name}=${encodeURIComponent(name === 'vp_token' ? JSON.stringify(token) : value)}`);
  return `${page}#${pairs.join('&')}`;
}
