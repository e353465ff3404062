// The real server behind a proxy: what it says can be changed on its way, kept back, held at an old block, or cut off.

import http from 'node:http';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What proves something. */
const PROVES = /^\/ledger\/(state|certificates)\//;

/**
 * A proxy before `server`, on a port of its own: `url`, `cut()` (from then on nothing below `/ledger` answers, and what
 * is open there ends), `down()` and `back()` (nothing listens there, and again something does), and `close()`.
 * `change(url, body, status)` gives what is handed on in place of a body, which is always asked for whole and plain.
 *
 * `keepsBack(url)` says to which requests no answer ever comes. After `freeze()` no new block is pushed, and what proves
 * something is what was said of it before, until `thaw()`.
 */
export async function openProxy({ port }, change = (_, body) => body) {
  const at = { host: '127.0.0.1', port };
  const proxy = { isCut: false, isFrozen: false, keepsBack: () => false };
  const isLedger = (url) => url.startsWith('/ledger/');
  const refuses = (url) => proxy.isCut && isLedger(url);
  /** What was said last of what proves something, by path. */
  const said = new Map();
  const nothing = { status: 404, headers: {}, body: '' };
  const tell = (answer, { status, headers, body }) => answer.writeHead(status, headers).end(body);
  const server = http.createServer((asked, answer) => {
    if (refuses(asked.url)) return asked.socket.destroy();
    if (proxy.keepsBack(asked.url)) return undefined;
    if (proxy.isFrozen && PROVES.test(asked.url)) return tell(answer, said.get(asked.url) ?? nothing);
    const { 'accept-encoding': _, 'if-none-match': __, ...wanted } = asked.headers;
    const passed = http.request({ ...at, method: asked.method, path: asked.url, headers: wanted }, async (given) => {
      const whole = await buffer(given).catch(() => null);
      // A server that is killed in the middle of an answer has given none.
      if (whole === null) return answer.destroy();
      const body = change(asked.url, whole, given.statusCode);
      const { 'content-length': _, 'transfer-encoding': __, ...headers } = given.headers;
      const told = { status: given.statusCode, headers, body };
      if (told.status === 200 && PROVES.test(asked.url)) said.set(asked.url, told);
      return tell(answer, told);
    });
    passed.on('error', () => answer.destroy());
    return asked.pipe(passed);
  });
  /** Both ends of what was upgraded, with its path; of the real server's end, which one hears it. */
  const sockets = new Map();
  server.on('upgrade', (asked, socket, head) => {
    if (refuses(asked.url) || proxy.isFrozen) return socket.destroy();
    const passed = net.connect(at.port, at.host, () => {
      const lines = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}`);
      passed.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      passed.write(head);
      passed.pipe(socket).pipe(passed);
    });
    for (const [one, other, hears] of [[socket, passed, null], [passed, socket, socket]]) {
      sockets.set(one, { url: asked.url, hears });
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroySoon();
      });
    }
    return undefined;
  });
  const destroy = (which) => {
    for (const [socket, { url }] of sockets) if (which(url)) socket.destroy();
  };
  proxy.cut = () => {
    proxy.isCut = true;
    destroy(refuses);
  };
  proxy.freeze = () => {
    proxy.isFrozen = true;
    for (const [socket, { url, hears }] of sockets) {
      if (hears && isLedger(url)) socket.unpipe(hears).resume();
    }
  };
  proxy.thaw = () => {
    proxy.isFrozen = false;
    destroy(isLedger);
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
