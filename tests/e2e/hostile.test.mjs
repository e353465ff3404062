// Proves that the page of a verifier refuses each hostile credential with its reason: every row of the matrix on which
// other verifiers fail, made here by a hand that signs whatever it likes, in answer to a real question of the page. None
// of them uses the question up, and the honest answer after all of them is good.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encoded, hashOf, newKey, payloadOf } from './did-key.mjs';
import { enabled, make, put } from './identity-forms.mjs';
import { picture, press, until, withLedger } from './ledger-pages.mjs';

const NAME = ['salt', 'given_name', 'Ann'];

/** Each row: what is spoiled, and what the page says. Two that are refused alike do not follow each other. */
const ROWS = [
  ['for another verifier', (forged) => (forged.binding.aud = 'did:web:other.example'), /for another verifier/],
  ['a disclosure called _sd', (forged) => forged.hide(['salt', '_sd', 'x']), /reserved name/],
  ['a disclosure that overwrites vct', (forged) => forged.hide(['salt', 'vct', 'urn:other']), /hidden that must not be/],
  ['a disclosure called ...', (forged) => forged.hide(['salt', '...', 'x']), /reserved name/],
  ['a digest twice', (forged) => forged.payload._sd.push(forged.payload._sd[0]), /digest stands in two places/],
  ['a disclosure that was changed', (forged) => (forged.disclosures[0] = encoded(['salt', 'given_name', 'Eve'])), /a disclosure is not the issuer's/],
  ['a disclosure given twice', (forged) => forged.disclosures.push(forged.disclosures[0]), /disclosure was given twice/],
  ['a disclosure that nobody signed', (forged) => forged.disclosures.push(encoded(['salt', 'king', true])), /a disclosure is not the issuer's/],
  ['an end that hides', (forged) => { delete forged.payload.exp; forged.hide(['salt', 'exp', 4e9]); }, /hidden that must not be/],
  ['expired', (forged) => (forged.payload.exp = forged.payload.iat + 1), /the credential has expired/],
  ['another type of token', (forged) => (forged.header.typ = 'JWT'), /expected the type dc\+sd-jwt/],
  ['a broken hash', (forged) => (forged.payload._sd_alg = 'md5'), /hash of disclosures is not known or not safe/],
  ['no algorithm', (forged) => (forged.header.alg = 'none'), /the algorithm is not the key's/],
  ['by another holder', (forged) => (forged.holder = newKey()), /the holder did not sign this presentation/],
  ['a key binding of other disclosures', (forged) => (forged.binding.sd_hash = hashOf('other')), /key binding is of other disclosures/],
  ['another type of key binding', (forged) => (forged.bindingHeader.typ = 'JWT'), /expected a key binding of the type kb\+jwt/],
  ['the answer to another question', (forged) => (forged.binding.nonce = 'A'.repeat(22)), /answers another challenge/],
  ['too old an answer', (forged) => (forged.binding.iat -= 1000), /the presentation is too old/],
  ['no key binding', (forged) => (forged.isBound = false), /did not prove that it is theirs/],
  ['by another issuer', (forged) => (forged.issuer = newKey()), /the issuer did not sign this/],
  ['a claim that says something else', (forged) => (forged.payload.age_equal_or_over[18] = false), /is not what was asked for/],
];

describe('hostile credentials', () => {
  const { visit } = withLedger();

  test('are refused, each with its reason, and do not use the question up', async () => {
    const page = await visit('/identity');
    await until(page, 'there is none', /Make an identity/);
    await make(page);
    for (const href of ['/identity/credentials', '/identity/verify']) {
      await page.waitForSelector(`a[href="${href}"]`);
      await press(page, `a[href="${href}"]`);
    }
    await until(page, 'the page is there', /Check an answer/);
    await put(page, '#question-name', 'The bar');
    await enabled(page, '#question-go');
    await press(page, '#question-go');
    const link = await until(page, 'there is a question', /#request=/, '#question-link .copy-text');
    const question = payloadOf(link.trim().split('#request=')[1]);
    assert.deepEqual(question.dcql_query.credentials[0].claims[0].path, ['age_equal_or_over', '18']);

    const [issuer, holder] = [newKey(), newKey()];
    for (const [what, spoil, wanted] of ROWS) {
      const forged = new Forged(issuer, holder, question);
      spoil(forged);
      const seen = await judged(page, what, forged.answer(), wanted);
      assert.match(seen, /Refused/, what);
      assert.doesNotMatch(seen, /Ann|Eve/, `${what}: nothing of it is shown`);
    }
    await picture(page, 'credentials-hostile');
    const good = await judged(page, 'the honest one', new Forged(issuer, holder, question).answer(), /Good/);
    assert.match(good, /Ann/);
    assert.ok(good.includes(issuer.did), 'the issuer is named');
    assert.deepEqual(page.errors, []);
  });
});

/** An answer whose signatures are good unless it is spoiled. */
class Forged {
  constructor(issuer, holder, question) {
    const now = Math.floor(Date.now() / 1000);
    const [{ id, meta }] = question.dcql_query.credentials;
    Object.assign(this, { issuer, holder, id, state: question.state, isBound: true, disclosures: [] });
    this.header = { alg: 'EdDSA', typ: 'dc+sd-jwt', kid: issuer.keyId };
    this.payload = {
      iss: issuer.did, vct: meta.vct_values[0], iat: now - 100, exp: now + 1000, cnf: { jwk: holder.jwk },
      age_equal_or_over: { 18: true }, _sd_alg: 'sha-256', _sd: [],
    };
    this.hide(NAME);
    this.bindingHeader = { alg: 'EdDSA', typ: 'kb+jwt' };
    this.binding = { nonce: question.nonce, aud: question.client_id, iat: now };
  }

  /** Gives this as a disclosure that the issuer signed. */
  hide(disclosure) {
    const text = encoded(disclosure);
    this.disclosures.push(text);
    this.payload._sd.push(hashOf(text));
  }

  answer() {
    const shown = [this.issuer.jws(this.header, this.payload), ...this.disclosures].map((part) => `${part}~`).join('');
    const binding = { sd_hash: hashOf(shown), ...this.binding };
    const token = this.isBound ? shown + this.holder.jws(this.bindingHeader, binding) : shown;
    const vp = JSON.stringify({ [this.id]: [token] });
    return `vp_token=${encodeURIComponent(vp)}&state=${encodeURIComponent(this.state)}`;
  }
}

/** Has an answer checked; the verdict. */
async function judged(page, what, answer, wanted) {
  await put(page, '#check-text', answer);
  await enabled(page, '#check-go');
  await press(page, '#check-go');
  return until(page, `a verdict on: ${what}`, wanted, '#verdict');
}
