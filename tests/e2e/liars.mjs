// Scripts that turn a tab's honest player into a bad peer, by what it sends on its data channels.
// They run before the page's own scripts and before the probe, which calls `__outgoing`.

import { readFileSync } from 'node:fs';

/** Sends media with wrong bytes in it. */
export const CORRUPTS = readFileSync(new URL('../rig/corrupt.js', import.meta.url), 'utf8');

/** Says what it has, takes requests, and sends neither media nor refusals. */
export const NEVER_ANSWERS = `
window.__swallowed = 0;
window.__outgoing = (message, channel) => {
  const bytes = new Uint8Array(message instanceof ArrayBuffer ? message : message.buffer, message.byteOffset ?? 0, message.byteLength);
  const REFUSE = 7;
  if (channel.label !== 'payload' && bytes[1] !== REFUSE) return message;
  window.__swallowed += 1;
  return undefined;
};`;

/** After its hello, says that it holds segments 0 to 44 of tracks 0 and 1, which it does not. */
export const CLAIMS_EVERYTHING = `
window.__lies = 0;
window.__outgoing = (message, channel) => {
  const bytes = new Uint8Array(message instanceof ArrayBuffer ? message : message.buffer, message.byteOffset ?? 0, message.byteLength);
  const HELLO = 0;
  if (channel.label !== 'payload' && bytes[1] === HELLO) {
    queueMicrotask(() => {
      // CBOR: [1, [[track, [[0, 45]], []]]], the message \`have\`.
      for (const track of [0, 1]) channel.send(new Uint8Array([0x82, 1, 0x81, 0x83, track, 0x81, 0x82, 0, 0x18, 45, 0x80]));
      window.__lies += 1;
    });
  }
  return message;
};`;
