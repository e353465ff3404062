// Proves that a transfer through the relay outlives the relay: it is killed in the middle with everything it knew,
// comes back with other secrets, and the rest arrives through it, by the same connection with new credentials.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { World, attempts, moveFile, pathShown } from './world.mjs';

const MIB = 1 << 20;
const FILE = { name: 'film.bin', size: 16 * MIB + 77, seed: 59 };
/** Slow enough that the restart comes in the middle. */
const RATE = '12mbit';
const KILLED_AT_PERCENT = 15;

describe('a relay that restarts', () => {
  let world;
  before(async () => {
    world = await World.open();
  });
  afterEach(() => world.leave());
  after(() => world?.close());

  test('in the middle of a transfer: the rest arrives through the new one', async () => {
    const line = { reaches: 'server', rate: RATE };
    const hosts = [await world.host('here', line), await world.host('there', line)];
    const [sender, receiver] = await Promise.all(hosts.map((host) => world.arrive(host)));
    let percent;
    await moveFile(sender, receiver, FILE, {
      at: KILLED_AT_PERCENT,
      during: async () => {
        assert.ok((await world.relayed('to_clients_bytes_total')) > 0, 'the old one carried the first part');
        await world.server.kill();
        ({ percent } = await receiver.look());
        assert.ok(percent < 90, `${percent} % were there: it is in the middle`);
        await world.server.again();
        assert.equal(await world.relayed('to_clients_bytes_total'), 0, 'the new one knows nothing of it');
      },
    });
    assert.equal(await pathShown(receiver), 'relayed');
    const rest = FILE.size * (1 - (percent + 1) / 100);
    const carried = await world.relayed('to_clients_bytes_total');
    assert.ok(carried >= rest, `${carried} bytes of ${rest} went through the new one`);
    // What was there stayed: the whole file did not go again.
    assert.ok(carried < FILE.size, `${carried} bytes went through the new one`);
    const tried = [await attempts(sender), await attempts(receiver)];
    assert.deepEqual(tried.map(({ connections }) => connections), [1, 1], 'no connection was made anew');
    assert.ok(tried.some(({ restarts }) => restarts > 0), 'ICE was restarted');
  });
});
