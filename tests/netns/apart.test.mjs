// Proves that two hosts with no route to each other exchange files and video through the relay, that two with one
// do so directly, and that the page tells which.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { World, moveFile, pathInTable, pathShown, paths, playback, watchTogether } from './world.mjs';

const MIB = 1 << 20;

describe('two hosts', () => {
  let world;
  before(async () => {
    world = await World.open();
  });
  afterEach(() => world.leave());
  after(() => world?.close());

  test('with no route to each other but through the relay: a file arrives as it was', async () => {
    const [here, there] = [await world.host('here', { reaches: 'server' }), await world.host('there', { reaches: 'server' })];
    await assert.rejects(here.run('ip', 'route', 'get', there.address), /unreachable/, 'there is no route');
    const [sender, receiver] = [await world.arrive(here), await world.arrive(there)];
    const before = await world.relayed('to_clients_bytes_total');
    const file = { name: 'box.bin', size: 8 * MIB + 77, seed: 31 };
    await moveFile(sender, receiver, file);
    assert.equal(await pathShown(receiver), 'relayed');
    assert.ok((await world.relayed('to_clients_bytes_total')) - before >= file.size, 'all of it went through the relay');
    for (const { local, by, remote } of await paths(receiver)) assert.deepEqual({ local, by, remote }, { local: 'relay', by: 'udp', remote: 'relay' });
  });

  test('with no route to each other: the video goes from one to the other, by the relay', async () => {
    const [here, there] = [await world.host('here', { reaches: 'server' }), await world.host('there', { reaches: 'server' })];
    const [first, second] = [await world.arrive(here), await world.arrive(there)];
    const before = await world.relayed('to_clients_bytes_total');
    await watchTogether(first, second);
    assert.equal(await pathInTable(second), 'Relayed');
    const { stats, error } = await playback(second);
    assert.ok((await world.relayed('to_clients_bytes_total')) - before >= stats.p2pBytes);
    assert.equal(error, null);
  });

  test('with a route to each other: nothing goes through the relay', async () => {
    const [sender, receiver] = [await world.arrive(await world.host('here')), await world.arrive(await world.host('there'))];
    const before = await world.relayed('to_clients_bytes_total');
    const file = { name: 'box.bin', size: 8 * MIB + 77, seed: 37 };
    await moveFile(sender, receiver, file);
    assert.equal(await pathShown(receiver), 'direct');
    assert.ok((await world.relayed('to_clients_bytes_total')) - before < file.size / 10, 'the relay was not needed');
  });
});
