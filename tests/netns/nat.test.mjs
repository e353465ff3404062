// Proves that two behind symmetric NATs, which cannot meet, exchange files and video through the relay, and that two
// behind NATs of the ordinary kind meet directly: what the first two lack is a path, and not a working rig.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { World, moveFile, pathInTable, pathShown, paths, playback, watchTogether } from './world.mjs';

const MIB = 1 << 20;

describe('behind NATs', () => {
  let world;
  before(async () => {
    world = await World.open();
  });
  afterEach(() => world.leave());
  after(() => world?.close());

  /** Two people, each behind a router of the kind. */
  const behind = async (nat) => {
    const hosts = [await world.host('here', { nat }), await world.host('there', { nat })];
    return Promise.all(hosts.map((host) => world.arrive(host)));
  };

  test('symmetric on both sides: a file arrives as it was, by the relay', async () => {
    const [sender, receiver] = await behind('symmetric');
    const before = await world.relayed('to_clients_bytes_total');
    const file = { name: 'box.bin', size: 8 * MIB + 77, seed: 41 };
    await moveFile(sender, receiver, file);
    assert.equal(await pathShown(receiver), 'relayed');
    assert.ok((await world.relayed('to_clients_bytes_total')) - before >= file.size, 'all of it went through the relay');
    for (const path of await paths(receiver)) assert.ok([path.local, path.remote].includes('relay'), JSON.stringify(path));
  });

  test('symmetric on both sides: the video goes from one to the other, by the relay', async () => {
    const [first, second] = await behind('symmetric');
    await watchTogether(first, second);
    assert.equal(await pathInTable(second), 'Relayed');
    assert.equal((await playback(second)).error, null);
  });

  test('ordinary on both sides: a file arrives as it was, directly', async () => {
    const [sender, receiver] = await behind('cone');
    const before = await world.relayed('to_clients_bytes_total');
    const file = { name: 'box.bin', size: 8 * MIB + 77, seed: 43 };
    await moveFile(sender, receiver, file);
    assert.equal(await pathShown(receiver), 'direct');
    assert.ok((await world.relayed('to_clients_bytes_total')) - before < file.size / 10, 'the relay was not needed');
  });
});
