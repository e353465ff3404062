// Proves that Chromium and Firefox exchange files both ways where nothing but the relay joins them.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { World, moveFile, pathShown } from './world.mjs';

const MIB = 1 << 20;

describe('Chromium and Firefox with no route to each other', () => {
  let world;
  before(async () => {
    world = await World.open();
  });
  afterEach(() => world.leave());
  after(() => world?.close());

  test('a file from either arrives at the other as it was, through the relay', async () => {
    const hosts = [await world.host('here', { reaches: 'server' }), await world.host('there', { reaches: 'server' })];
    const people = [await world.arrive(hosts[0]), await world.arrive(hosts[1], { browser: 'firefox' })];
    for (const [sender, receiver] of [people, people.toReversed()]) {
      const before = await world.relayed('to_clients_bytes_total');
      const file = { name: 'box.bin', size: 4 * MIB + 77, seed: 71 };
      await moveFile(sender, receiver, file);
      assert.equal(await pathShown(receiver), 'relayed');
      assert.ok((await world.relayed('to_clients_bytes_total')) - before >= file.size, 'all of it went through the relay');
    }
  });
});
