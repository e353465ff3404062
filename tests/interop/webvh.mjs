#!/usr/bin/env node
// Logs of `did:webvh` that another implementation (npm `didwebvh-ts`) writes are read by `starling id resolve`, as that
// one reads them; one that somebody changed is refused. Closes with the line `N passed, M failed`.
//
//   node tests/interop/webvh.mjs

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import crypto from 'node:crypto';
import http from 'node:http';
import { promisify } from 'node:util';
import {
  AbstractCrypto, createDID, createWitnessProof, deactivateDID, deriveNextKeyHash, multibaseEncode, MultibaseEncoding,
  prepareDataForSigning, resolveDIDFromLog, updateDID,
} from 'didwebvh-ts';
import { starlingBinary } from '../rig/starling.mjs';

const exec = promisify(execFile);
const STARLING = starlingBinary();
const DOMAIN = 'issuer.example';
/** Multicodec of an Ed25519 public key, and the head of one as SPKI (RFC 8410). */
const [ED25519, SPKI] = [Buffer.from('ed01', 'hex'), Buffer.from('302a300506032b6570032100', 'hex')];

/** An Ed25519 key as the library wants it. */
class Key extends AbstractCrypto {
  constructor() {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
    const multikey = multibaseEncode(Buffer.concat([ED25519, raw]), MultibaseEncoding.BASE58_BTC);
    super({ verificationMethod: { type: 'Multikey', publicKeyMultibase: multikey } });
    Object.assign(this, { multikey, privateKey });
  }

  async sign({ document, proof }) {
    const signature = crypto.sign(null, await prepareDataForSigning(document, proof), this.privateKey);
    return { proofValue: multibaseEncode(signature, MultibaseEncoding.BASE58_BTC) };
  }

  async verify(signature, message, publicKey) {
    const key = crypto.createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
    return crypto.verify(null, message, key, signature);
  }
}

/** What a server that fetches would have fetched: by path. */
const files = new Map();
const server = http.createServer((request, response) => {
  const found = files.get(decodeURIComponent(request.url));
  response.writeHead(found === undefined ? 404 : 200).end(found ?? '{}');
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const resolver = `http://127.0.0.1:${server.address().port}`;

const lines = (log) => log.map((entry) => `${JSON.stringify(entry)}\n`).join('');

/** What `starling id resolve` makes of a log. */
async function resolved(did, log, witness) {
  files.set(`/did/${did}`, lines(log));
  if (witness) files.set(`/did/${did}/witness`, JSON.stringify(witness));
  const { stdout } = await exec(STARLING, ['id', 'resolve', did, '--resolver', resolver]);
  return JSON.parse(stdout);
}

/** Wall-clock seconds apart: versions must not be of the same second. */
const at = (second) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString().replace('.000Z', 'Z');
const method = (key, purpose = 'assertionMethod') => ({ type: 'Multikey', publicKeyMultibase: key.multikey, purpose });

/** A first version, made by the other program. */
const made = (key, more = {}) =>
  createDID({
    domain: DOMAIN, signer: key, verifier: key, updateKeys: [key.multikey], verificationMethods: [method(key)], created: at(1), ...more,
  });

const CHECKS = {
  'a first version': async () => {
    const key = new Key();
    const { did, log } = await made(key);
    const seen = await resolved(did, log);
    assert.deepEqual([seen.version, seen.versions, seen.ended], [log[0].versionId, 1, false]);
    assert.deepEqual(seen.document, log[0].state);
    assert.equal(seen.vouched.by, 'log');
  },

  'keys that change, promised before': async () => {
    const [one, two, three] = [new Key(), new Key(), new Key()];
    const first = await made(one, { nextKeyHashes: [await deriveNextKeyHash(two.multikey)] });
    const second = await updateDID({
      log: first.log, signer: two, verifier: two, updateKeys: [two.multikey], nextKeyHashes: [await deriveNextKeyHash(three.multikey)],
      verificationMethods: [method(two)],
    });
    const seen = await resolved(first.did, second.log);
    const theirs = await resolveDIDFromLog(second.log, { verifier: one });
    assert.deepEqual([seen.version, seen.versions], [theirs.meta.versionId, 2]);
    // Theirs adds the services that the specification implies.
    assert.deepEqual({ ...theirs.doc, ...seen.document }, theirs.doc);
    assert.equal(seen.document.verificationMethod[0].publicKeyMultibase, two.multikey);
  },

  'one that was ended': async () => {
    const key = new Key();
    const { did, log } = await made(key);
    const ended = await deactivateDID({ log, signer: key, verifier: key });
    const seen = await resolved(did, ended.log);
    assert.deepEqual([seen.ended, seen.document], [true, null]);
  },

  'witnesses who signed': async () => {
    const [key, witness] = [new Key(), new Key()];
    const id = `did:key:${witness.multikey}`;
    const { did, log } = await made(key, { witness: { threshold: 1, witnesses: [{ id }] } });
    const [{ versionId }] = log;
    const signed = async (document, template) => ({ proof: { ...template, ...(await witness.sign({ document, proof: template })) } });
    const proof = await createWitnessProof(signed, versionId, `${id}#${witness.multikey}`);
    const proofs = [{ versionId, proof: [proof] }];
    assert.equal((await resolved(did, log, proofs)).vouched.witnesses, 1);
    await assert.rejects(resolved(did, log, []), /witness/, 'without them it proves nothing');
  },

  'a changed one is refused': async () => {
    const key = new Key();
    const { did, log } = await made(key);
    const other = structuredClone(log);
    other[0].state.alsoKnownAs = ['did:web:elsewhere.example'];
    await assert.rejects(resolved(did, other), /ask the DID's owner/);
  },
};

let [passed, failed] = [0, 0];
for (const [name, check] of Object.entries(CHECKS)) {
  try {
    await check();
    passed += 1;
    console.log(`✔ ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`✖ ${name}: ${error.stack}`);
  }
}
server.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
