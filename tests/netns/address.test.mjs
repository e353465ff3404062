// Proves that a transfer outlives a change of address: new paths are found by an ICE restart of the same connection,
// whether the browser tells of the change or not.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually } from '../e2e/stage.mjs';
import { World, attempts, moveFile, pathShown, paths } from './world.mjs';

const MIB = 1 << 20;
const FILE = { name: 'film.bin', size: 16 * MIB + 77, seed: 53 };
/** Slow enough that the change comes in the middle. */
const RATE = '12mbit';
const MOVED_AT_PERCENT = 15;

describe('an address that changes', () => {
  let world;
  before(async () => {
    world = await World.open();
  });
  afterEach(() => world.leave());
  after(() => world?.close());

  /** A file goes between two hosts of a kind, and one of them moves in the middle. */
  const moveInTheMiddle = async (line, mover, { gap = false } = {}) => {
    const hosts = [await world.host('here', { ...line, rate: RATE }), await world.host('there', { ...line, rate: RATE })];
    const [sender, receiver] = await Promise.all(hosts.map((host) => world.arrive(host)));
    const [who, host] = mover === 'sender' ? [sender, hosts[0]] : [receiver, hosts[1]];
    const isOffline = () => eventually('the browser sees that it is offline', async () => {
      const online = await who.page.evaluate(() => navigator.onLine);
      return { value: !online, seen: online };
    });
    let before;
    await moveFile(sender, receiver, FILE, {
      at: MOVED_AT_PERCENT,
      during: async () => {
        before = [await attempts(sender), await attempts(receiver)];
        assert.ok((await receiver.look()).percent < 90, 'it is in the middle');
        await world.move(host, { ...line, rate: RATE, between: gap ? isOffline : undefined });
      },
    });
    const afterwards = [await attempts(sender), await attempts(receiver)];
    const made = (list) => list.map(({ connections }) => connections);
    assert.deepEqual(made(afterwards), made(before), 'no connection was made anew');
    assert.ok(afterwards.some(({ restarts }) => restarts > 0), 'ICE was restarted');
    return { receiver, who, host };
  };

  test('of the receiver, with a moment without any line: ICE restarts, the transfer goes on', async () => {
    const { receiver, who, host } = await moveInTheMiddle({}, 'receiver', { gap: true });
    assert.equal(await pathShown(receiver), 'direct');
    for (const { address } of await paths(who)) assert.equal(address, host.address, 'from its new address');
  });

  test('of the sender behind a NAT, with no word from the browser: ICE restarts, the transfer goes on', async () => {
    const { receiver } = await moveInTheMiddle({ nat: 'cone' }, 'sender');
    assert.equal(await pathShown(receiver), 'direct');
  });

  test('of the receiver behind a symmetric NAT, with no word from the browser: a new way to the relay is found', async () => {
    const before = await world.relayed('to_clients_bytes_total');
    const { receiver } = await moveInTheMiddle({ nat: 'symmetric' }, 'receiver');
    assert.equal(await pathShown(receiver), 'relayed');
    assert.ok((await world.relayed('to_clients_bytes_total')) - before >= FILE.size);
  });
});
