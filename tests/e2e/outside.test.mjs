// Proves that a credential of an issuer whose keys lie with a web server is taken, shown and checked by pages: that its
// web server is asked by the page's server, once the person agreed and not before; that the verdict says that nothing but
// that web server vouches; and that a key that it shows no more signs nothing.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../rig/browser.mjs';
import { starlingBinary } from '../rig/starling.mjs';
import { newKey } from './did-key.mjs';
import { PASSWORD, enabled, make, put } from './identity-forms.mjs';
import { picture, press, text, until, withLedger } from './ledger-pages.mjs';

const ISSUER = 'did:web:town.example';
const AGE = { vct: 'urn:starling:vct:age:1', age_equal_or_over: { 18: true } };

/** The web server of the issuer: its document, and how often it was asked. */
const town = { document: '', asked: 0 };
const site = http.createServer((request, response) => {
  town.asked += 1;
  const found = request.url === '/.well-known/did.json';
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(found ? town.document : '');
});
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));

describe('an issuer whose keys lie with a web server', () => {
  const instead = `{ "town.example" = "http://127.0.0.1:${site.address().port}" }`;
  const { visit } = withLedger({ config: `[resolver]\nkept_ms = 0\ninstead = ${instead}\n` });
  after(() => new Promise((resolve) => site.close(resolve)));

  test('is asked once the person agrees, and the verdict says that nothing else vouches', async () => {
    const folder = await temporaryFolder('town');
    const key = await id(folder, 'key', 'town.key');
    town.document = documentOf(key.slice('did:key:'.length));
    const [holder, verifier] = await Promise.all([visit('/identity'), visit('/identity')]);
    for (const page of [holder, verifier]) {
      await until(page, 'there is none', /Make an identity/);
      page.did = (await make(page)).did;
    }
    await fs.writeFile(path.join(folder, 'claims.json'), JSON.stringify(AGE));
    const credential = await id(folder, 'issue', 'claims.json', '--key', 'town.key', '--as', `${ISSUER}#key`, '--to', holder.did);

    // Nobody is asked unasked.
    await go(holder, '/identity/credentials');
    await until(holder, 'nothing is held', /Nothing here yet/);
    await take(holder, credential);
    await until(holder, 'the person is asked', /keys of that name lie at town\.example/, '#web-ask');
    await press(holder, '#web-leave');
    await until(holder, 'it is left', /nobody was asked/, '#said-take');
    assert.equal(town.asked, 0);
    await take(holder, credential);
    await until(holder, 'the person is asked again', /town\.example/, '#web-ask');
    await picture(holder, 'credentials-web-ask');
    await press(holder, '#web-go');
    const held = await until(holder, 'it is held', /1\sof\s1\scopy/, '#cards');
    assert.ok(held.includes(ISSUER));
    assert.equal(town.asked, 1);

    for (const href of ['/identity/credentials', '/identity/verify']) await go(verifier, href);
    await until(verifier, 'the page is there', /Check an answer/);
    const answer = await share(holder, await question(verifier, ''), '');
    await check(verifier, answer);
    await until(verifier, 'the verifier is asked', /town\.example/, '#web-ask');
    await press(verifier, '#web-go');
    const good = await until(verifier, 'the verdict says by whose word', /Good, by the word of a web server/, '#verdict');
    assert.match(good, /Signed by a key that town\.example shows now\. Nothing proves it/);
    await picture(verifier, 'credentials-web');

    // Whoever has the web server has the issuer: another key there, and what the old one signed is nothing.
    const before = await text(verifier, '#question-link .copy-text');
    const second = await share(holder, await question(verifier, before.trim()), answer);
    town.document = documentOf(newKey().multikey);
    await check(verifier, second);
    await until(verifier, 'the old key is none', /Refused[\s\S]*the issuer did not sign this/, '#verdict');
    assert.equal(town.asked, 3, 'the same name is agreed to once a visit');
    for (const page of [holder, verifier]) assert.deepEqual(page.errors, []);
    await fs.rm(folder, { recursive: true, force: true });
  });
});

function documentOf(publicKeyMultibase) {
  const method = { id: `${ISSUER}#key`, type: 'Multikey', controller: ISSUER, publicKeyMultibase };
  return JSON.stringify({ id: ISSUER, assertionMethod: [method.id], verificationMethod: [method] });
}

/** What `starling id` prints. */
async function id(folder, ...words) {
  const { stdout } = await promisify(execFile)(starlingBinary(), ['id', ...words], { cwd: folder });
  return stdout.trim();
}

async function take(page, what) {
  await put(page, '#take-text', what);
  await enabled(page, '#take-go');
  await press(page, '#take-go');
}

async function check(page, answer) {
  await put(page, '#check-text', answer);
  await enabled(page, '#check-go');
  await press(page, '#check-go');
}

/** A question about age; the link, which is another than `before`. */
async function question(page, before) {
  await put(page, '#question-purpose', 'To sell you a beer');
  await enabled(page, '#question-go');
  await press(page, '#question-go');
  return link(page, '#question-link', '#request=', before);
}

/** Opens a question in a tab, whose identity that locks, and shares what is marked; the link with the answer. */
async function share(page, request, before) {
  await page.goto('about:blank');
  await page.goto(request, { waitUntil: 'domcontentloaded' });
  await until(page, 'it is locked', /Locked/);
  await put(page, '#unlock-password', PASSWORD);
  await press(page, '#unlock-go');
  await until(page, 'the request is read', /To sell you a beer/, '#asking');
  await enabled(page, '#share-go');
  await press(page, '#share-go');
  return link(page, '#answer', '#vp_token=', before);
}

/** The link that a page hands on there, once it has this in it and is another than before. */
async function link(page, place, part, before) {
  const wanted = { test: (seen) => seen.includes(part) && seen.trim() !== before };
  return (await until(page, `there is a link with ${part}`, wanted, `${place} .copy-text`)).trim();
}

/** Follows a link once it is there. */
async function go(page, href) {
  await page.waitForSelector(`a[href="${href}"]`);
  await press(page, `a[href="${href}"]`);
  await page.waitForFunction((wanted) => location.pathname === wanted, {}, href);
}
