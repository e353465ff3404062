// A community for the tests of the Energy pages: people with keys of their own open one and bring a meter through the
// ledger's HTTP, as anybody may. Bytes: `docs/spec/ledger.md`.

import { generateKeyPairSync, sign } from 'node:crypto';
import { Ledger } from './lending-market.mjs';

const ENERGY = 7;
/** The ledger's own asset. */
const STAR = 0;
/** Sharing, tariff, no losses, any meter. */
const RULES = [1, [300_000, 80_000, 50_000], 0, 0];
/** The same by an order book. */
const BOOK_RULES = [3, [300_000, 80_000, 50_000], 0, 0];
/** Units of one whole. */
const WHOLE = 1_000_000;
/** Slots from now to the one that is traded: a test is through long before it begins. */
const AHEAD = 8;
/** Readings within an hour. */
const WINDOW_SLOTS = 4;
const SLOT_S = 900;

/**
 * Opens a community with one member, whose meter 0 then says two things of one slot, of which evidence is handed in.
 * `community` is the number that it gets.
 */
export async function openWithLiar(server, community) {
  const ledger = await Ledger.of(server);
  const operator = await ledger.person();
  const act = (action) => ledger.act(operator, ENERGY, action);
  await act([0, STAR, operator.account, operator.account, WINDOW_SLOTS, RULES]);
  await act([2, community, operator.account]);
  const meter = newMeter(ledger.chain, community);
  await act([6, community, meter.key, 1, 17_250, meter.belongsTo(operator.account)]);
  const slot = Math.floor(Date.now() / 1000 / SLOT_S);
  await act([11, meter.say(slot, 10), meter.say(slot, 20)]);
}

/**
 * Opens a community that trades by orders, whose operator offers 600 Wh at 0.12 with meter 0. `slot` is for when;
 * `admit(account)` takes somebody in (hexadecimal name).
 */
export async function openWithBook(server, community) {
  const ledger = await Ledger.of(server);
  const operator = await ledger.person();
  const act = (action) => ledger.act(operator, ENERGY, action);
  await act([0, STAR, operator.account, operator.account, WINDOW_SLOTS, BOOK_RULES]);
  await act([2, community, operator.account]);
  for (const purse of [0, 1]) await act([4, community, purse, WHOLE]);
  const meter = newMeter(ledger.chain, community);
  await act([6, community, meter.key, 1, 17_250, meter.belongsTo(operator.account)]);
  const slot = Math.floor(Date.now() / 1000 / SLOT_S) + AHEAD;
  await act([17, community, slot, 0, 1, 120_000, 600, 1]);
  return { slot, admit: (account) => act([2, community, Buffer.from(account, 'hex')]) };
}

/** The first meter of a community: signs that it belongs to somebody, and what it says. */
function newMeter(chain, community) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
  const signed = (...parts) => sign(null, Buffer.concat(parts), privateKey);
  const place = Buffer.concat([bytes(community, 4), bytes(0, 4)]);
  return {
    key,
    belongsTo: (account) => signed(Buffer.from('starling/energy/meter/1'), chain, bytes(community, 4), account),
    say: (slot, importWh) => {
      const commitment = Buffer.alloc(32, 3);
      const numbers = [importWh, 0, importWh, 0];
      const signature = signed(
        Buffer.from('starling/energy/reading/1'), chain, place, bytes(slot, 8), bytes(0, 1),
        ...numbers.map((one) => bytes(one, 8)), commitment,
      );
      return [community, 0, slot, 0, [...numbers, commitment], signature];
    },
  };
}

/** A number, big-endian. */
function bytes(number, length) {
  const written = Buffer.alloc(8);
  written.writeBigUInt64BE(BigInt(number));
  return written.subarray(8 - length);
}
