// A way into a namespace: what drives a browser by a port of its loopback interface is outside. Connections to the
// same port here come out inside, by a socket in the file system, which all namespaces share.

import { promises as fs } from 'node:fs';
import net from 'node:net';
import { startChild } from '../rig/child.mjs';
import { passOn } from './inside.mjs';

/** Makes `port` of this loopback interface the one in a namespace; `close` ends it. `path`: where the socket lies. */
export async function bridge(namespace, path, port) {
  const part = new URL('inside.mjs', import.meta.url);
  const inner = await startChild(part, 'start', { path, port }, { execPath: await namespace.wrapper(process.execPath) });
  const outer = await passOn({ port, host: '127.0.0.1' }, () => net.connect(path));
  return {
    close: async () => {
      outer.close();
      await inner.close();
      await fs.rm(path, { force: true });
    },
  };
}
