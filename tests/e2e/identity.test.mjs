// Proves that a person's identity lives in their browser and outlives it: made, backed up, wiped, brought back by words
// and by shares; locked and opened; registered, its keys changed while what the old one signed stays good; and that
// guardians' new keys are stopped by the owner's no.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PASSWORD, didOf, enabled, fund, make, put, register, setPassword } from './identity-forms.mjs';
import { BLOCKS_MS, PHONE, picture, press, text, until, withLedger } from './ledger-pages.mjs';
import { eventually } from './stage.mjs';

const OTHER_PASSWORD = 'staple of another day';

describe('an identity', () => {
  // A lone validator's blocks come every ten seconds otherwise.
  const { visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 300\n' });

  test('is made, wiped, and brought back by its words; a wrong word and a wrong password are told', async () => {
    const page = await visit('/identity');
    await until(page, 'there is none', /Make an identity/);
    const { words, did } = await make(page);
    assert.equal(words.length, 24);
    assert.match(did, /^did:key:z6Mk/);
    await picture(page, 'identity-open');
    const shown = (await page.evaluate(() => document.body.textContent)).split(/[^a-z]+/);
    assert.ok(!words.slice(0, 3).every((word) => shown.includes(word)), 'the words are not on the page any more');

    await press(page, '#identity-lock');
    await until(page, 'it is locked', /Locked/);
    await put(page, '#unlock-password', 'not the password');
    await press(page, '#unlock-go');
    await until(page, 'a wrong password is told', /does not open it: a wrong password/, '#said-unlock');
    await put(page, '#unlock-password', PASSWORD);
    await press(page, '#unlock-go');
    await until(page, 'it is open', /Keys and devices/);

    // The next visit finds it locked; a wiped browser finds nothing.
    await page.reload({ waitUntil: 'domcontentloaded' });
    await until(page, 'it is locked at the next visit', /Locked/);
    await wipe(page);
    await until(page, 'nothing is left', /Bring yours back/);
    await put(page, '#recover-words', ['starlings', ...words.slice(1)].join(' '));
    await press(page, '#recover-go');
    await until(page, 'the wrong word is named', /Word 1 is not in the list/, '#said-recover');
    await put(page, '#recover-words', words.join(' '));
    await press(page, '#recover-go');
    await until(page, 'it is kept only with a second way', /Nothing is kept yet/);
    await setPassword(page, OTHER_PASSWORD);
    assert.equal(await didOf(page), did);
    await press(page, '#identity-lock');
    await until(page, 'it is locked', /Locked/);
    await put(page, '#unlock-password', PASSWORD);
    await press(page, '#unlock-go');
    await until(page, 'the old password opens nothing here', /does not open it/, '#said-unlock');
    assert.deepEqual(page.errors, []);
  });

  test('is brought back by shares of guardians, and not by too few', async () => {
    const page = await visit('/identity', PHONE);
    await until(page, 'there is none', /Make an identity/);
    const { did } = await make(page);
    await press(page, '#share-make');
    await until(page, 'shares are there', /For guardian 3/, '#share-list');
    const shares = await page.evaluate(() =>
      [...document.querySelectorAll('#share-list .copy-text')].map((one) => one.innerText.trim()));
    assert.equal(shares.length, 3);
    const ways = await text(page, '#ways');
    assert.doesNotMatch(ways, /Shares of guardians/, 'nobody has them yet');
    await press(page, '#share-handed');
    await until(page, 'they count', /Shares of guardians/, '#ways');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${wide} px wide on a screen of ${PHONE.width}`);
    await picture(page, 'identity-phone');

    await wipe(page);
    await until(page, 'nothing is left', /Bring yours back/);
    await put(page, '#shares-lines', shares[1]);
    await press(page, '#shares-go');
    await until(page, 'one is not enough', /not enough shares/, '#said-shares');
    await put(page, '#shares-lines', `${shares[2]}\n${shares[0]}`);
    await press(page, '#shares-go');
    await until(page, 'two are', /A way for every day/);
    await setPassword(page, PASSWORD);
    assert.equal(await didOf(page), did);
    assert.deepEqual(page.errors, []);
  });

  test('is as it was when a device can keep nothing more, and says so', async () => {
    const page = await visit('/identity');
    await until(page, 'there is none', /Make an identity/);
    const { did } = await make(page);
    const worker = page.workers().find((one) => new URL(one.url()).pathname === '/identity/worker.js');
    await worker.evaluate(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('no room', 'QuotaExceededError');
      };
    });
    await put(page, '#password-one', OTHER_PASSWORD);
    await put(page, '#password-two', OTHER_PASSWORD);
    await press(page, '#password-set');
    await until(page, 'it is told', /did not keep it/, '#said-keys');
    await put(page, '#unlock-password', PASSWORD);
    await press(page, '#unlock-go');
    await until(page, 'the password before still opens it', /Keys and devices/);
    assert.equal(await didOf(page), did);
  });

  test('has a name on the ledger whose keys change, and what the old key signed stays good at its height', async () => {
    const page = await visit('/wallet');
    await fund(page);
    await press(page, 'a[href="/identity"]');
    await until(page, 'there is none', /Make an identity/);
    await make(page);
    await register(page);

    await put(page, '#sign-text', 'I was here before');
    await press(page, '#sign-go');
    const signed = await until(page, 'it is signed', /\./, '#signed .copy-text');
    // Both times are told in seconds.
    const signedS = Math.floor(Date.now() / 1000);
    await eventually('the second is over', async () => ({ value: Date.now() / 1000 > signedS + 1, seen: signedS }), BLOCKS_MS);
    await enabled(page, '#did-rotate');
    await press(page, '#did-rotate');
    await press(page, '#did-rotate-sure');
    await until(page, 'the keys are new', /Version 1, proved at block \d+/, '#did-state');

    await put(page, '#check-text', signed.trim());
    await press(page, '#check-go');
    const verdict = await until(page, 'the old signature is good', /Good/, '#checked');
    assert.match(verdict, /I was here before.*by the key of version 0 \(block \d+\)/s);
    await put(page, '#sign-text', 'and after');
    await press(page, '#sign-go');
    const again = await eventually('the new key signs', async () => {
      const seen = await text(page, '#signed .copy-text');
      return { value: seen.trim() !== signed.trim() && seen.trim(), seen };
    }, BLOCKS_MS);
    await put(page, '#check-text', again);
    await press(page, '#check-go');
    await until(page, 'the new signature is good', /and after.*version 1/s, '#checked');
    const [head, payload, signature] = again.split('.');
    const other = Buffer.from(payload, 'base64url').toString().replace('after', 'never');
    await put(page, '#check-text', `${head}.${Buffer.from(other).toString('base64url')}.${signature}`);
    await press(page, '#check-go');
    await until(page, 'a changed text is refused', /Refused: the signature is not/, '#checked');
    await picture(page, 'identity-ledger');
    assert.deepEqual(page.errors, []);
  });

  test('keeps its name when guardians ask for new keys and the owner says no', async () => {
    const [owner, bob, carol, thief] = await Promise.all(['/wallet', '/identity', '/identity', '/wallet'].map((route) => visit(route)));
    await Promise.all([fund(owner), fund(thief)]);
    for (const page of [owner, thief]) await press(page, 'a[href="/identity"]');
    for (const page of [owner, bob, carol, thief]) {
      await until(page, 'there is none', /Make an identity/);
      await make(page);
    }
    const name = await register(owner);
    await put(owner, '#guardian-dids', `${await didOf(bob)}\n${await didOf(carol)}`);
    await enabled(owner, '#guardian-set');
    await press(owner, '#guardian-set');
    await until(owner, 'they guard it', /2 of 2 guardians are enough, proved/, '#guardians-state');

    await put(thief, '#lost-did', name);
    await press(thief, '#lost-look');
    await until(thief, 'it is looked up', /2 of 2 guardians are enough/, '#lost-state');
    await press(thief, '#lost-ask');
    const asked = (await until(thief, 'there is something to send', /starling-ask-1\./, '#lost-text .copy-text')).trim();
    const approvals = [];
    for (const guardian of [bob, carol]) {
      await put(guardian, '#asked', asked);
      await press(guardian, '#asked-read');
      await enabled(guardian, '#asked-approve');
      await press(guardian, '#asked-approve');
      approvals.push((await until(guardian, 'it is approved', /starling-approval-1\./, '#approval .copy-text')).trim());
    }
    await put(thief, '#lost-approvals', approvals.join('\n'));
    await press(thief, '#lost-send');

    await eventually('the owner is warned', async () => {
      const seen = await owner.evaluate(() => document.querySelector('#guardians-ask').hidden);
      return { value: seen === false, seen };
    }, BLOCKS_MS);
    assert.match(await text(owner, '#guardians-ask'), /Guardians ask for new keys[\s\S]*In [67]\sd/);
    await picture(owner, 'identity-veto');
    await eventually('nothing can be taken before seven days', async () => {
      const seen = await thief.evaluate(() => document.querySelector('#lost-take').disabled);
      return { value: seen, seen };
    }, BLOCKS_MS);
    await press(owner, '#veto');
    await eventually('the warning goes away', async () => {
      const seen = await owner.evaluate(() => document.querySelector('#guardians-ask').hidden);
      return { value: seen, seen };
    }, BLOCKS_MS);
    await enabled(owner, '#did-rotate');
    await press(owner, '#did-rotate');
    await press(owner, '#did-rotate-sure');
    await until(owner, 'the owner still changes the name', /Version 2, proved/, '#did-state');
    for (const page of [owner, bob, carol, thief]) assert.deepEqual(page.errors, []);
  });

  test('has an account that its words bring back, and the one before is not lost', async () => {
    const page = await visit('/wallet');
    await fund(page);
    const before = await accountOf(page);
    await press(page, 'a[href="/identity"]');
    await until(page, 'there is none', /Make an identity/);
    const { words } = await make(page);
    await enabled(page, '#account-move');
    await press(page, '#account-move');
    await until(page, 'it is sent', /Sent/, '#said-account');
    await until(page, 'all of it left', /Move 0\.00/, '#account-move');
    await enabled(page, '#account-use');
    await press(page, '#account-use');
    await until(page, 'the account follows from the words', /follows from your words/, '#account-state');
    await press(page, 'a[href="/wallet"]');
    await until(page, 'what was moved is there', /9\.9\d*\s*STAR/);
    const moved = await accountOf(page);
    assert.notEqual(moved, before);

    const other = await visit('/identity');
    await until(other, 'there is none', /Bring yours back/);
    await put(other, '#recover-words', words.join(' '));
    await press(other, '#recover-go');
    await until(other, 'it wants a second way', /A way for every day/);
    await setPassword(other, PASSWORD);
    await enabled(other, '#account-use');
    await press(other, '#account-use');
    await until(other, 'the account is the same', /follows from your words/, '#account-state');
    await press(other, 'a[href="/wallet"]');
    await until(other, 'and what it holds', /9\.9\d*\s*STAR/);
    assert.equal(await accountOf(other), moved);

    await press(page, 'a[href="/identity"]');
    await until(page, 'the page is there', /Your account/);
    await press(page, '#account-back');
    await until(page, 'the one before is back', /made in this browser/, '#account-state');
    await press(page, 'a[href="/wallet"]');
    await eventually('it is the same as before', async () => {
      const seen = await accountOf(page);
      return { value: seen === before, seen };
    }, BLOCKS_MS);
    for (const one of [page, other]) assert.deepEqual(one.errors, []);
  });
});

const accountOf = (page) => page.evaluate(() => document.querySelector('.receive .copy-text')?.innerText.trim());

/** Deletes what the browser keeps of the identity, as "clear site data" does, and opens the page anew. */
async function wipe(page) {
  const client = await page.createCDPSession();
  const { origin } = new URL(page.url());
  await page.goto('about:blank');
  await client.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  await page.goto(`${origin}/identity`, { waitUntil: 'domcontentloaded' });
}
