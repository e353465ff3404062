// A push service on the loopback interface, as a browser's maker runs one. Firefox is told of it by preferences, says
// hello on a WebSocket and registers channels; each is an address, to which a server posts messages (RFC 8030). A
// message goes on to the browser as it came: sealed, for nobody here has the key. Who may send is checked as real ones
// do (RFC 8292).

import { createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto';
import http from 'node:http';
import { upgrade } from './websocket.mjs';

/** Longest message that services take. */
const MESSAGE_BYTES_MAX = 4_096;
/** Longest time that a sender's statement may be good, in seconds. */
const STATEMENT_S_MAX = 86_400;

/**
 * Starts one. Gives `origin`, for the server's settings; `preferences`, for Firefox; `channels`, by their names;
 * `messages`, taken from servers: `{ channel, status, headers, bytes }`; `acks`, by which the browser says what became
 * of a message: its `version` and a `code`, 100 for one that a worker got.
 */
export async function startPushService() {
  const service = new PushService();
  await new Promise((resolve) => service.server.listen(0, '127.0.0.1', resolve));
  const { port } = service.server.address();
  service.origin = `http://127.0.0.1:${port}`;
  service.preferences = {
    'dom.push.connection.enabled': true,
    'dom.push.enabled': true,
    'dom.push.serverURL': `ws://127.0.0.1:${port}/`,
    'dom.push.testing.allowInsecureServerURL': true,
    'permissions.default.desktop-notification': 1,
  };
  return service;
}

class PushService {
  channels = new Map();
  messages = [];
  acks = [];
  /** Browsers by the names they were given: what waits for them, and their connection. */
  browsers = new Map();

  constructor() {
    this.server = http.createServer((request, response) => this.take(request, response));
    this.server.on('upgrade', (request, socket, first) => this.greet(request, socket, first));
  }

  async close() {
    for (const { connection } of this.browsers.values()) connection?.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** A browser connects. */
  greet(request, socket, first) {
    // What came with the request is read with the rest.
    socket.unshift(first);
    let browser;
    const say = (message) => connection.send(JSON.stringify(message));
    const hear = {
      hello: ({ uaid }) => {
        const name = this.browsers.has(uaid) ? uaid : randomBytes(16).toString('hex');
        browser = this.browsers.get(name) ?? { waiting: [] };
        browser.connection = connection;
        this.browsers.set(name, browser);
        say({ messageType: 'hello', status: 200, uaid: name, use_webpush: true, broadcasts: {} });
        for (const message of browser.waiting.splice(0)) say(message);
      },
      register: ({ channelID, key }) => {
        const token = randomBytes(16).toString('hex');
        // Firefox writes it with padding.
        this.channels.set(channelID, { channelID, token, key: key?.replace(/=+$/, ''), browser });
        say({ messageType: 'register', channelID, status: 200, pushEndpoint: `${this.origin}/wpush/${token}` });
      },
      unregister: ({ channelID }) => {
        this.channels.delete(channelID);
        say({ messageType: 'unregister', channelID, status: 200 });
      },
      ack: ({ updates }) => this.acks.push(...updates),
    };
    const connection = upgrade(request, socket, {
      onText: (text) => {
        const message = JSON.parse(text);
        // An empty one asks whether anybody is there.
        if (Object.keys(message).length === 0) say({});
        else hear[message.messageType]?.(message);
      },
      onClose: () => {
        if (browser?.connection === connection) browser.connection = null;
      },
    });
  }

  /** A server posts a message. */
  async take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const channel = [...this.channels.values()].find(({ token }) => request.url === `/wpush/${token}`);
    const status = this.judge(request, bytes, channel);
    this.messages.push({ channel: channel?.channelID, status, headers: request.headers, bytes });
    response.writeHead(status, status === 201 ? { location: `${this.origin}/message/${randomUUID()}` } : {}).end();
    if (status !== 201) return;
    const { channelID, browser } = channel;
    const headers = { encoding: request.headers['content-encoding'] };
    const message = { messageType: 'notification', channelID, version: randomUUID(), data: bytes.toString('base64url'), headers };
    if (browser.connection) browser.connection.send(JSON.stringify(message));
    else browser.waiting.push(message);
  }

  /** What a server is answered. */
  judge(request, bytes, channel) {
    if (request.method !== 'POST') return 405;
    if (!channel) return 410;
    if (bytes.length > MESSAGE_BYTES_MAX) return 413;
    const { ttl, authorization } = request.headers;
    if (!/^\d+$/.test(ttl ?? '') || request.headers['content-encoding'] !== 'aes128gcm') return 400;
    return isFrom(channel.key, authorization, this.origin) ? 201 : 403;
  }
}

/** Whether a statement is of who subscribed the browser, for this service, and good now. */
function isFrom(key, authorization, audience) {
  const [, header, claims, signature, told] = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(authorization ?? '') ?? [];
  if (!told || told !== key) return false;
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const point = Buffer.from(told, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
  const signed = Buffer.from(`${header}.${claims}`);
  const holds = verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  const { aud, exp } = read(claims);
  const left_s = exp - Date.now() / 1000;
  return holds && read(header).alg === 'ES256' && aud === audience && left_s > 0 && left_s <= STATEMENT_S_MAX;
}
