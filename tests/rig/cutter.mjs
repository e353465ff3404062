// A TCP line that can be cut: what goes through it stops, without a word, until it is healed.

import net from 'node:net';

/** Forwards a loopback port of its own to `port`. */
export async function startCutter(port) {
  const pairs = new Set();
  let isCut = false;
  const server = net.createServer((near) => {
    if (isCut) {
      // Like a lost first packet: nothing comes back. Healing resets it, as a retransmission would meet a reset.
      pairs.add([near]);
      return;
    }
    const far = net.connect(port, '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (bytes) => {
        if (isCut) return;
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => from.resume());
      from.on('error', () => {});
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dropAll = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  };
  return {
    port: server.address().port,
    /** From now on nothing passes; open connections hang. */
    cut: () => (isCut = true),
    /** New connections pass again; those of before are gone. */
    heal: () => {
      isCut = false;
      dropAll();
    },
    close: async () => {
      dropAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
