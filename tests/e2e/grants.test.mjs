// Proves that a sealed share is granted to one person: the link holds no key that anybody reads, a third person is told
// for whom it is, the one it is for sees who gives it and why, opens it and gets the same bytes; that a receipt comes
// back and a changed one does not count; and that revoking stops the share and says what it can't do.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cidOf, expected } from './files.mjs';
import { PASSWORD, enabled, make, put } from './identity-forms.mjs';
import { BLOCKS_MS, PHONE, picture, press, text, until } from './ledger-pages.mjs';
import { PATIENT_MS, withPeople } from './people.mjs';

const FILE = { name: 'x-ray.bin', size: 300_000, seed: 23 };
const PURPOSE = 'A second opinion';
/** The place of "30 days" among the times that the page offers. */
const MONTH = '2';

describe('grants', () => {
  const { arrive } = withPeople();

  test('a share goes to one person, with a receipt, and is revoked', async () => {
    const [ann, bob, cleo] = [await arrive(), await arrive({ viewport: PHONE }), await arrive()];
    const share = await ann.share([FILE]);
    const [cid, key] = [cidOf(share), new URLSearchParams(new URL(share).hash.split('?')[1]).get('k')];
    assert.equal(key.length, 43, 'the plain link holds the key');
    // By the page's own links: the share and the keys stay open.
    for (const href of ['/wallet', '/identity']) await go(ann.page, href);
    for (const person of [bob, cleo]) await person.go('/identity');
    for (const person of [ann, bob, cleo]) {
      await until(person.page, 'there is none', /Make an identity/);
      person.did = (await make(person.page)).did;
      await go(person.page, '/identity/shared');
    }
    const name = await until(bob.page, 'his name is shown', /did:key:/, '#my-name .copy-text');
    assert.equal(name.trim(), bob.did);

    // A grant without a purpose is none.
    await ann.page.waitForSelector(`#grant-share option[value="${cid}"]`, { timeout: BLOCKS_MS });
    await choose(ann.page, '#grant-share', cid);
    await put(ann.page, '#grant-to', bob.did);
    await choose(ann.page, '#grant-days', MONTH);
    await enabled(ann.page, '#grant-go');
    await press(ann.page, '#grant-go');
    await until(ann.page, 'a purpose is wanted', /Say what it is for/, '#said-grant');
    await put(ann.page, '#grant-purpose', PURPOSE);
    await enabled(ann.page, '#grant-go');
    await press(ann.page, '#grant-go');
    const grant = await link(ann.page, '#grant-link', '#grant=');
    const sealed = Buffer.from(grant.split('starling-access-1.')[1], 'base64url');
    for (const part of [Buffer.from(key, 'base64url'), cid, PURPOSE, FILE.name, ann.did.slice('did:key:'.length)]) {
      assert.equal(sealed.indexOf(part), -1, 'the link says for whom it is, and nothing more');
    }
    assert.ok(!grant.includes(key), 'the link holds no key');
    const listed = await until(ann.page, 'it is in the list', /Not known whether it was opened/, '#given');
    for (const part of [FILE.name, PURPOSE, bob.did]) assert.ok(listed.includes(part), `${part} is in the list`);
    await picture(ann.page, 'grants-given');

    // Somebody else who gets the link.
    await take(cleo.page, grant);
    const refused = await until(cleo.page, 'it is not for her', /not for you/, '#said-take');
    assert.ok(refused.includes(bob.did), 'she is told for whom it is');
    assert.equal(await text(cleo.page, '#reading'), '');

    // The one it is for. The link finds the identity locked.
    await bob.page.goto('about:blank');
    await bob.page.goto(grant, { waitUntil: 'domcontentloaded' });
    await until(bob.page, 'it is locked', /Locked/);
    await put(bob.page, '#unlock-password', PASSWORD);
    await press(bob.page, '#unlock-go');
    const reading = await until(bob.page, 'the grant is read', /A second opinion/, '#reading');
    for (const part of [FILE.name, ann.did, cid]) assert.ok(reading.includes(part), `${part} is shown`);
    assert.equal(await text(bob.page, '#opened'), '', 'nothing is opened before the button');
    await enabled(bob.page, '#open-go');
    await press(bob.page, '#open-go');
    const receipt = await link(bob.page, '#receipt', '#receipt=');
    const wide = await bob.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);
    await picture(bob.page, 'grants-opened');
    await press(bob.page, '#get-files');
    await bob.until('names and sizes are shown', ({ stage }) => ['offered', 'fetching', 'done'].includes(stage), PATIENT_MS);
    const offered = await bob.page.$('[data-do=get]');
    if (offered) await offered.click();
    await bob.done(PATIENT_MS);
    assert.deepEqual(await bob.save(), { name: FILE.name, size: FILE.size, sha256: await expected(FILE) });

    // What he hands back counts; what somebody changed does not.
    await take(ann.page, changed(receipt));
    await until(ann.page, 'a changed receipt is refused', /signature is not theirs/, '#said-take');
    assert.match(await text(ann.page, '#given'), /Not known whether it was opened/);
    await take(ann.page, receipt);
    await until(ann.page, 'the receipt is taken', /Taken/, '#said-take');
    const history = await until(ann.page, 'it stands in the history', /signed receipt says \d{4}-\d\d-\d\d/, '#given');
    assert.doesNotMatch(history, /Not known/);

    await press(ann.page, '.given-revoke');
    await until(ann.page, 'she is told what it does', /Nobody can take a key back/, '#given');
    await enabled(ann.page, '.given-revoke-sure');
    await press(ann.page, '.given-revoke-sure');
    await until(ann.page, 'it is revoked, and stopped', /Revoked, and the share is stopped/, '#said-given');
    const after = await until(ann.page, 'the list says so', /Revoked \d{4}-\d\d-\d\d.*Who has the key keeps it/, '#given');
    assert.match(after, /signed receipt says/, 'what was is not forgotten');
    await picture(ann.page, 'grants-revoked');
    await go(ann.page, '/library');
    await until(ann.page, 'it is shared no more', /Go on/, `.shelf-row[data-cid="${cid}"]`);
    for (const person of [ann, bob, cleo]) assert.deepEqual((await person.look()).errors, []);
  });
});

/** Has a page look at a link. */
async function take(page, what) {
  await put(page, '#take-text', what);
  await enabled(page, '#take-go');
  await press(page, '#take-go');
}

/** A link with one letter of its signature changed. */
function changed(receipt) {
  const at = receipt.length - 10;
  return `${receipt.slice(0, at)}${receipt[at] === 'A' ? 'B' : 'A'}${receipt.slice(at + 1)}`;
}

/** Follows a link once it is there. */
async function go(page, href) {
  await page.waitForSelector(`a[href="${href}"]`);
  await press(page, `a[href="${href}"]`);
  await page.waitForFunction((wanted) => location.pathname === wanted, {}, href);
}

/** The link that a page hands on there, once it has this in it. */
async function link(page, place, part) {
  const wanted = { test: (seen) => seen.includes(part) };
  return (await until(page, `there is a link with ${part}`, wanted, `${place} .copy-text`)).trim();
}

/** Chooses one of a list. */
const choose = (page, selector, value) =>
  page.evaluate((one, chosen) => {
    const list = document.querySelector(one);
    list.value = chosen;
    list.dispatchEvent(new Event('change', { bubbles: true }));
  }, selector, value);
