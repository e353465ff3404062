// The real server behind a proxy: what it says can be changed on its way, or cut off.

import http from 'node:http';
import net from 'node:net';

/**
 * A proxy before `server`, on a port of its own: `url`, `cut()` (from then on nothing below `/ledger` answers, and what
 * is open there ends), `down()` and `back()` (nothing listens there, and again something does), and `close()`.
 * `change(url, body, status)` gives what is handed on in place of a body, which is always asked for whole and plain.
 */
export async function openProxy({ port }, change = (_, body) => body) {
  const at = { host: '127.0.0.1', port };
  const proxy = { isCut: false };
  const refuses = (url) => proxy.isCut && url.startsWith('/ledger/');
  const server = http.createServer((asked, answer) => {
    if (refuses(asked.url)) return asked.socket.destroy();
    const { 'accept-encoding': _, 'if-none-match': __, ...wanted } = asked.headers;
    const passed = http.request({ ...at, method: asked.method, path: asked.url, headers: wanted }, async (given) => {
      const parts = [];
      for await (const part of given) parts.push(part);
      const body = change(asked.url, Buffer.concat(parts), given.statusCode);
      const { 'content-length': _, 'transfer-encoding': __, ...headers } = given.headers;
      answer.writeHead(given.statusCode, headers).end(body);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  /** Both ends of what was upgraded, with its path. */
  const sockets = new Map();
  server.on('upgrade', (asked, socket, head) => {
    if (refuses(asked.url)) return socket.destroy();
    const passed = net.connect(at.port, at.host, () => {
      const lines = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}`);
      passed.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      passed.write(head);
      passed.pipe(socket).pipe(passed);
    });
    for (const one of [socket, passed]) {
      sockets.set(one, asked.url);
      one.on('error', () => {});
      one.on('close', () => sockets.delete(one));
    }
  });
  const destroy = (which) => {
    for (const [socket, url] of sockets) if (which(url)) socket.destroy();
  };
  proxy.cut = () => {
    proxy.isCut = true;
    destroy(refuses);
  };
  const listen = (own) => new Promise((resolve) => server.listen(own, '127.0.0.1', resolve));
  proxy.close = async () => {
    destroy(() => true);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  await listen(0);
  const own = server.address().port;
  proxy.url = `http://127.0.0.1:${own}`;
  proxy.down = proxy.close;
  proxy.back = () => listen(own);
  return proxy;
}
