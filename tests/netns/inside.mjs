// The inner end of a bridge, a part of the rig that runs inside a namespace.

import net from 'node:net';

/** Hands on to `port` of the loopback interface what comes by the socket at `path`. */
export async function start({ path, port }) {
  await passOn(path, () => net.connect(port, '127.0.0.1'));
  return {};
}

/** Listens at `where`, and passes everything on to what `connect` makes, and back. */
export async function passOn(where, connect) {
  const server = net.createServer((from) => {
    const to = connect();
    from.pipe(to).pipe(from);
    // Either end may go first; the other follows.
    from.on('error', () => to.destroy()).on('close', () => to.destroy());
    to.on('error', () => from.destroy()).on('close', () => from.destroy());
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(where, resolve));
  return server;
}
