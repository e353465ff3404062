// Proves that people whose network lets no UDP through exchange files and video all the same: through the relay by
// TCP, and where nothing but port 443 is open, through the relay by TLS.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { RELAY, SERVER, World, moveFile, pathInTable, pathShown, paths, playback, watchTogether } from './world.mjs';

const MIB = 1 << 20;
const NO_UDP = 'meta l4proto tcp accept';
const ONLY_TLS = `ip daddr { ${SERVER}, ${RELAY} } tcp dport 443 accept`;
/** The relay at an address of its own, where port 443 is free for it. */
const relayByTls = ({ cert, key }) => `
[relay]
listen = ["${RELAY}:3478"]
listen_tls = ["${RELAY}:443"]
certificate = "${cert}"
certificate_key = "${key}"
host = "${RELAY}"
`;

describe('behind firewalls', () => {
  let world;
  before(async () => {
    world = await World.open({ tls: true, config: relayByTls });
  });
  afterEach(() => world.leave());
  after(() => world?.close());

  /** Two people, each behind a router that lets only `firewall` through. */
  const behind = async (firewall) => {
    const hosts = [await world.host('here', { firewall }), await world.host('there', { firewall })];
    return Promise.all(hosts.map((host) => world.arrive(host)));
  };

  for (const [what, firewall, transport] of [['no UDP', NO_UDP, 'tcp'], ['nothing but port 443', ONLY_TLS, 'tls']]) {
    test(`${what}: a file arrives as it was, through the relay by ${transport}`, async () => {
      const [sender, receiver] = await behind(firewall);
      const before = await world.relayed('to_clients_bytes_total');
      const file = { name: 'box.bin', size: 8 * MIB + 77, seed: 47 };
      await moveFile(sender, receiver, file);
      assert.equal(await pathShown(receiver), 'relayed');
      assert.ok((await world.relayed('to_clients_bytes_total')) - before >= file.size, 'all of it went through the relay');
      for (const { local, by } of [...(await paths(sender)), ...(await paths(receiver))]) assert.deepEqual([local, by], ['relay', transport]);
    });
  }

  test('nothing but port 443: the video goes from one to the other, through the relay', async () => {
    const [first, second] = await behind(ONLY_TLS);
    await watchTogether(first, second);
    assert.equal(await pathInTable(second), 'Relayed');
    assert.equal((await playback(second)).error, null);
  });
});
