// Proves that people on a network without IPv4 exchange files: directly where there is a route, through the relay's
// IPv6 addresses where there is none. The server has IPv6 only, too.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { World, moveFile, pathShown, paths } from './world.mjs';

const MIB = 1 << 20;

describe('with IPv6 only, two hosts', () => {
  let world;
  before(async () => {
    world = await World.open({ family: 6 });
  });
  afterEach(() => world.leave());
  after(() => world?.close());

  test('with no route to each other: a file arrives as it was, through the relay', async () => {
    const [here, there] = [await world.host('here', { reaches: 'server' }), await world.host('there', { reaches: 'server' })];
    await assert.rejects(here.run('ip', 'route', 'get', there.address), /unreachable/, 'there is no route');
    const [sender, receiver] = [await world.arrive(here), await world.arrive(there)];
    const before = await world.relayed('to_clients_bytes_total');
    const file = { name: 'box.bin', size: 4 * MIB + 77, seed: 61 };
    await moveFile(sender, receiver, file);
    assert.equal(await pathShown(receiver), 'relayed');
    assert.ok((await world.relayed('to_clients_bytes_total')) - before >= file.size, 'all of it went through the relay');
    for (const { local, address, remote } of await paths(receiver)) assert.deepEqual([local, address, remote], ['relay', world.address, 'relay']);
  });

  test('with a route to each other: directly', async () => {
    const [here, there] = [await world.host('here'), await world.host('there')];
    const [sender, receiver] = [await world.arrive(here), await world.arrive(there)];
    const file = { name: 'box.bin', size: 4 * MIB + 77, seed: 67 };
    await moveFile(sender, receiver, file);
    assert.equal(await pathShown(receiver), 'direct');
    for (const { address } of await paths(receiver)) assert.equal(address, there.address);
  });
});
