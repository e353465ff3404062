// Keys of Ed25519 and their DIDs, and what they sign, for tests that are an issuer or a holder themselves.

import { createHash, generateKeyPairSync, sign } from 'node:crypto';

const LETTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A new key: `jwk`, `multikey`, `did`, `keyId`, and `jws(header, payload)`, which signs whatever it is given. */
export function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { kty, crv, x } = publicKey.export({ format: 'jwk' });
  const multikey = `z${base58(Buffer.concat([Buffer.from([0xed, 0x01]), Buffer.from(x, 'base64url')]))}`;
  const did = `did:key:${multikey}`;
  const jws = (header, payload) => {
    const signed = `${encoded(header)}.${encoded(payload)}`;
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
  };
  return { jwk: { kty, crv, x }, multikey, did, keyId: `${did}#${multikey}`, jws };
}

/** A value as base64url of its JSON. */
export const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** SHA-256 of a text, as base64url. */
export const hashOf = (text) => createHash('sha256').update(text).digest('base64url');

/** What a JWS says. */
export const payloadOf = (jws) => JSON.parse(Buffer.from(jws.split('.')[1], 'base64url').toString());

function base58(bytes) {
  let number = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) text = LETTERS[Number(number % 58n)] + text;
  return text;
}
