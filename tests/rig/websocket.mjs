// The server's end of a WebSocket (RFC 6455): as much as a test needs of it. Text messages in whole, pings, closing; no
// extensions.

import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const [CONTINUATION, TEXT, CLOSE, PING, PONG] = [0, 1, 8, 9, 10];
/** Longest message that is read. */
const MESSAGE_BYTES_MAX = 1 << 20;

/**
 * Takes over the connection of a request to upgrade. `onText` gets each message, `onClose` is called once at the end.
 * Gives `send(text)` and `close()`.
 */
export function upgrade(request, socket, { onText, onClose }) {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
  const protocol = request.headers['sec-websocket-protocol']?.split(',')[0].trim();
  if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.setNoDelay(true);
  let unread = Buffer.alloc(0);
  let parts = [];
  const write = (opcode, bytes) => socket.writable && socket.write(Buffer.concat([head(opcode, bytes.length), bytes]));
  const on = {
    [CONTINUATION]: (bytes, isLast) => {
      parts.push(bytes);
      if (!isLast) return;
      const whole = Buffer.concat(parts);
      parts = [];
      onText(whole.toString('utf8'));
    },
    [CLOSE]: (bytes) => {
      write(CLOSE, bytes);
      socket.end();
    },
    [PING]: (bytes) => write(PONG, bytes),
    [PONG]: () => {},
  };
  on[TEXT] = on[CONTINUATION];
  socket.on('data', (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    for (let frame = take(unread); frame; frame = take(unread)) {
      unread = frame.rest;
      const act = on[frame.opcode];
      if (!act) return socket.destroy();
      act(frame.bytes, frame.isLast);
    }
    if (unread.length > MESSAGE_BYTES_MAX) socket.destroy();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => onClose());
  return { send: (text) => write(TEXT, Buffer.from(text)), close: () => socket.destroy() };
}

function head(opcode, length) {
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.from([first, length]);
  if (length < 1 << 16) {
    const bytes = Buffer.from([first, 126, 0, 0]);
    bytes.writeUInt16BE(length, 2);
    return bytes;
  }
  const bytes = Buffer.from([first, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

/** The first frame of what a client sent, unmasked, and what stands behind it; none, if it is not whole yet. */
function take(bytes) {
  if (bytes.length < 2) return null;
  const [opcode, isLast, isMasked] = [bytes[0] & 0x0f, (bytes[0] & 0x80) !== 0, (bytes[1] & 0x80) !== 0];
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length >= 126) {
    const size = length === 126 ? 2 : 8;
    if (bytes.length < at + size) return null;
    length = size === 2 ? bytes.readUInt16BE(at) : Number(bytes.readBigUInt64BE(at));
    at += size;
  }
  const mask = isMasked ? bytes.subarray(at, at + 4) : null;
  at += mask ? 4 : 0;
  if (bytes.length < at + length) return null;
  const body = Buffer.from(bytes.subarray(at, at + length));
  if (mask) body.forEach((byte, index) => (body[index] = byte ^ mask[index % 4]));
  return { opcode, isLast, bytes: body, rest: bytes.subarray(at + length) };
}
