#!/usr/bin/env node
// Credentials and grants against other implementations: npm `@sd-jwt/core` and PyPI `sd-jwt` accept what we issue and
// present, and read the same claims; we accept what npm's issues; PyPI `pyhpke` opens our grants. Closes with the line
// `N passed, M failed`.
//
//   node tests/interop/identity.mjs
//
// Needs a built `starling` (STARLING_BIN, or the newest build) and the Python packages of `requirements.txt` beside
// this file (in PYTHONPATH). What must be refused is asserted from the RFC's text in the crate's own tests: these
// libraries accept more than it allows.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import crypto from 'node:crypto';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SDJwtInstance } from '@sd-jwt/core';
import { starlingBinary } from '../rig/starling.mjs';

const exec = promisify(execFile);
const STARLING = starlingBinary();
const PYTHON = process.env.PYTHON ?? 'python3';
const SCRIPT = fileURLToPath(new URL('./identity.py', import.meta.url));
const place = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-interop-'));
const NONCE = 'Zm9yIHRoaXMgcXVlc3Rpb24';
const AUDIENCE = 'did:web:verifier.example';
const QUESTION = ['--nonce', NONCE, '--audience', AUDIENCE];

async function id(...words) {
  const { stdout } = await exec(STARLING, ['id', ...words], { cwd: place });
  return stdout.trim();
}

async function python(question) {
  const running = exec(PYTHON, [SCRIPT]);
  running.child.stdin.end(JSON.stringify(question));
  return JSON.parse((await running).stdout);
}

const write = (name, text) => fs.writeFile(path.join(place, name), text);

/** DID, key id and public JWK of a key file, which is made if need be. */
async function person(name) {
  const shown = JSON.parse(await id('key', `${name}.key`, '--json'));
  const seed = (await fs.readFile(path.join(place, `${name}.key`), 'utf8')).trim();
  // PKCS #8 of Ed25519 (RFC 8410): a fixed head, then the seed.
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex');
  const secret = crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const jwk = crypto.createPublicKey(secret).export({ format: 'jwk' });
  return { did: shown.did, keyId: shown.key_id, secret, jwk };
}

const [issuer, holder] = [await person('issuer'), await person('holder')];

const checks = (jwk) => (text, signature) => {
  const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
  return crypto.verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
};
const signs = (secret) => (text) => crypto.sign(null, Buffer.from(text), secret).toString('base64url');
const hasher = (text, algorithm) => {
  const bytes = typeof text === 'string' ? Buffer.from(text) : Buffer.from(text);
  return new Uint8Array(crypto.createHash(algorithm.replace('-', '')).update(bytes).digest());
};

const theirs = () =>
  new SDJwtInstance({
    hasher,
    hashAlg: 'sha-256',
    saltGenerator: (length) => crypto.randomBytes(length).toString('hex'),
    signer: signs(issuer.secret),
    signAlg: 'EdDSA',
    verifier: checks(issuer.jwk),
    kbSigner: signs(holder.secret),
    kbSignAlg: 'EdDSA',
    kbVerifier: checks(holder.jwk),
  });

const CLAIMS = {
  vct: 'https://town.example/person/1',
  iat: Math.floor(Date.now() / 1000) - 10,
  exp: Math.floor(Date.now() / 1000) + 3600,
  name: 'Érika Müller 🏖',
  age: { 18: true, 65: false },
  nationalities: ['DE', 'FR', 'IT'],
  address: { street: 'Heidestr. 17', city: 'Köln', rooms: [{ floor: 1 }, { floor: 2 }] },
  member: true,
};
const HIDDEN = ['/name', '/age', '/age/18', '/age/65', '/nationalities/0', '/nationalities/2', '/address/rooms/1', '/address'];

/** Ways to show it, and what is to be seen. */
const WAYS = [
  { show: [], seen: { nationalities: ['FR'] } },
  { show: ['/age/18'], seen: { age: { 18: true }, nationalities: ['FR'] } },
  { show: ['/nationalities/2', '/name'], seen: { name: CLAIMS.name, nationalities: ['FR', 'IT'] } },
  { show: ['/address'], seen: { address: { street: 'Heidestr. 17', city: 'Köln', rooms: [{ floor: 1 }] }, nationalities: ['FR'] } },
  { show: HIDDEN, seen: { name: CLAIMS.name, age: CLAIMS.age, nationalities: CLAIMS.nationalities, address: CLAIMS.address } },
];

/** Everything that is seen, `_sd_alg` apart. */
function expected(seen) {
  const { vct, iat, exp, member } = CLAIMS;
  return { iss: issuer.did, vct, iat, exp, member, cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: holder.jwk.x } }, ...seen };
}

async function issueOurs() {
  await write('claims.json', JSON.stringify(CLAIMS));
  const hide = HIDDEN.flatMap((claim) => ['--hide', claim]);
  await write('credential', await id('issue', 'claims.json', '--key', 'issuer.key', '--to', holder.did, '--decoys', '3', ...hide));
}

async function presentOurs(show) {
  const shown = show.flatMap((claim) => ['--show', claim]);
  return id('present', 'credential', '--key', 'holder.key', ...QUESTION, ...shown);
}

const TESTS = {
  async 'npm @sd-jwt/core accepts what we issue and present'() {
    await issueOurs();
    for (const { show, seen } of WAYS) {
      const verified = await theirs().verify(await presentOurs(show), { keyBindingNonce: NONCE });
      const { _sd_alg: _, ...claims } = verified.payload;
      assert.deepEqual(claims, expected(seen), `${show}`);
      assert.equal(verified.kb.payload.aud, AUDIENCE);
    }
  },

  async 'PyPI sd-jwt accepts what we issue and present'() {
    await issueOurs();
    for (const { show, seen } of WAYS) {
      const presentation = await presentOurs(show);
      const question = { what: 'verify', algorithm: 'EdDSA', issuer: issuer.jwk, presentation, nonce: NONCE, audience: AUDIENCE };
      assert.deepEqual(await python(question), expected(seen), `${show}`);
    }
  },

  async 'we accept what npm @sd-jwt/core issues and presents'() {
    const claims = { iss: issuer.did, cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: holder.jwk.x } }, ...CLAIMS };
    const frame = { _sd: ['name', 'age'], age: { _sd: ['18', '65'], _sd_decoy: 2 }, nationalities: { _sd: [0, 2] } };
    const header = { typ: 'dc+sd-jwt', kid: issuer.keyId };
    const issued = await theirs().issue(claims, frame, { header });
    await write('theirs', issued);
    const shown = JSON.parse(await id('show', 'theirs'));
    assert.deepEqual(shown.claims, claims);
    assert.deepEqual(shown.may_be_hidden.sort(), ['/age', '/age/18', '/age/65', '/name', '/nationalities/0', '/nationalities/2']);
    const kb = { payload: { iat: Math.floor(Date.now() / 1000), aud: AUDIENCE, nonce: NONCE } };
    await write('their-presentation', await theirs().present(issued, { age: { 18: true } }, { kb }));
    const verdict = JSON.parse(await id('verify', 'their-presentation', ...QUESTION));
    assert.deepEqual(verdict.claims.age, { 18: true });
    assert.deepEqual(verdict.claims.nationalities, ['FR']);
    assert.equal(verdict.claims.name, undefined);
  },

  async 'both accept what answers a request, and see nothing that it did not ask for'() {
    await issueOurs();
    const verifier = await person('verifier');
    const [type, name] = ['https://town.example/person/1', 'Die Bar'];
    await write('request', await id('request', '--key', 'verifier.key', '--type', type, '--claim', '/age/18', '--name', name));
    const [, payload] = (await fs.readFile(path.join(place, 'request'), 'utf8')).split('.');
    const asked = JSON.parse(Buffer.from(payload, 'base64url'));
    assert.equal(asked.client_id, `decentralized_identifier:${verifier.did}`);
    assert.deepEqual(asked.dcql_query.credentials[0].claims, [{ path: ['age', '18'] }]);
    const answer = JSON.parse(await id('present', 'credential', '--key', 'holder.key', '--request', 'request'));
    const [presentation] = answer.vp_token.credential;
    const seen = expected({ age: { 18: true }, nationalities: ['FR'] });
    const verified = await theirs().verify(presentation, { keyBindingNonce: asked.nonce });
    const { _sd_alg: _, ...claims } = verified.payload;
    assert.deepEqual(claims, seen);
    const question = { what: 'verify', algorithm: 'EdDSA', issuer: issuer.jwk, presentation, nonce: asked.nonce, audience: asked.client_id };
    assert.deepEqual(await python(question), seen);
  },

  async 'PyPI pyhpke opens our grants'() {
    const key = crypto.randomBytes(32).toString('hex');
    const [resource, consent] = [crypto.randomBytes(32).toString('hex'), crypto.randomBytes(32).toString('hex')];
    await write('document.key', key);
    const purpose = ['--resource', resource, '--consent', consent, '--scope', 'read'];
    const grant = Buffer.from(await id('grant', 'document.key', '--to', holder.did, ...purpose), 'hex');
    // CBOR: an array of two byte strings, of 32 and of 48 bytes.
    assert.equal(grant.subarray(0, 3).toString('hex'), '825820');
    assert.equal(grant.subarray(35, 37).toString('hex'), '5830');
    const [encapsulated, sealed] = [grant.subarray(3, 35).toString('hex'), grant.subarray(37).toString('hex')];
    const terms = `835820${resource}5820${consent}64${Buffer.from('read').toString('hex')}`;
    // The X25519 key of an Ed25519 seed: the first half of its SHA-512 (RFC 8032, 5.1.5).
    const seed = Buffer.from((await fs.readFile(path.join(place, 'holder.key'), 'utf8')).trim(), 'hex');
    const secret = crypto.createHash('sha512').update(seed).digest().subarray(0, 32).toString('hex');
    assert.equal(await python({ what: 'open', secret, encapsulated, sealed, terms, info: 'swarm/grant/v1' }), key);
  },
};

let failed = 0;
for (const [title, test] of Object.entries(TESTS)) {
  const start = performance.now();
  try {
    await test();
    console.log(`ok     ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`failed ${title}\n${error.stack}`);
  }
}
await fs.rm(place, { recursive: true, force: true });
console.log(`${Object.keys(TESTS).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
