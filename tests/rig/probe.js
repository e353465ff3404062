// Injected before any script of a page. Measures what happens, whatever the player claims.
//
// `window.__probe` holds plain numbers. Options come from `window.__probeOptions`, set just before:
// `shaper` ({url, viewer}: send all WebRTC packets through the shaper) and `scan` (count appended buffers that
// carry the marker of corrupt.js).
(() => {
  const options = window.__probeOptions ?? {};
  const probe = (window.__probe = {
    startupMs: null, stalls: 0, stallMs: 0, ended: false,
    connections: 0, channelsOpened: 0, receivedBytes: 0, sentBytes: 0, firstReceivedMs: null,
    appends: 0, corruptAppends: 0, errors: [],
  });
  const note = (text) => {
    if (probe.errors.length < 20) probe.errors.push(String(text).slice(0, 200));
  };
  addEventListener('error', (event) => note(event.message));
  addEventListener('unhandledrejection', (event) => note(`rejection: ${event.reason}`));
  watchPlayback();
  if (window.RTCPeerConnection) watchConnections();
  if (options.scan && window.SourceBuffer) watchAppends();

  /** Startup ends with the first presented frame; a stall lasts from `waiting` to `playing`. */
  function watchPlayback() {
    let stalledAt = null;
    let soughtAt = -Infinity;
    const on = (type, listen) => document.addEventListener(type, listen, true);
    on('loadeddata', ({ target }) => {
      target.requestVideoFrameCallback?.((now) => (probe.startupMs ??= Math.round(now)));
    });
    on('playing', () => {
      const now = performance.now();
      probe.startupMs ??= Math.round(now);
      if (stalledAt !== null) probe.stallMs += now - stalledAt;
      stalledAt = null;
    });
    on('seeking', () => (soughtAt = performance.now()));
    on('waiting', ({ target }) => {
      const now = performance.now();
      const atEnd = target.ended || target.duration - target.currentTime < 0.5;
      if (probe.startupMs === null || atEnd || now - soughtAt < 1000 || stalledAt !== null) return;
      stalledAt = now;
      probe.stalls += 1;
    });
    on('ended', () => (probe.ended = true));
    probe.now = () => ({ ...probe, stallMs: probe.stallMs + (stalledAt === null ? 0 : performance.now() - stalledAt) });
  }

  function sizeOf(message) {
    return message?.byteLength ?? message?.size ?? message?.length ?? 0;
  }

  function watchChannel(channel) {
    channel.addEventListener('open', () => {
      probe.channelsOpened += 1;
      probe.firstOpenMs ??= Math.round(performance.now());
    });
    channel.addEventListener('message', ({ data }) => {
      probe.receivedBytes += sizeOf(data);
      if (sizeOf(data) > 1024) probe.firstReceivedMs ??= Math.round(performance.now());
    });
  }

  function watchConnections() {
    const Native = window.RTCPeerConnection;
    const open = new Set();
    window.RTCPeerConnection = class RTCPeerConnection extends Native {
      constructor(...args) {
        super(...args);
        probe.connections += 1;
        probe.firstConnectionMs ??= Math.round(performance.now());
        open.add(this);
        this.addEventListener('datachannel', ({ channel }) => watchChannel(channel));
        this.addEventListener('icecandidate', ({ candidate }) => candidate && own(candidate.candidate));
      }
      close() {
        open.delete(this);
        super.close();
      }
    };
    const { createDataChannel } = Native.prototype;
    Native.prototype.createDataChannel = function (...args) {
      const channel = createDataChannel.apply(this, args);
      watchChannel(channel);
      return channel;
    };
    const { send } = RTCDataChannel.prototype;
    RTCDataChannel.prototype.send = function (message) {
      const changed = window.__outgoing ? window.__outgoing(message, this) : message;
      if (changed === undefined) return;
      probe.sentBytes += sizeOf(changed);
      send.call(this, changed);
    };
    /** The browser's own count over live connections, for players whose channels live in a worker. */
    probe.connectionStats = async () => {
      const sum = { received: 0, sent: 0, connected: 0 };
      for (const connection of open) {
        if (connection.connectionState === 'connected') sum.connected += 1;
        for (const stats of (await connection.getStats()).values()) {
          if (stats.type !== 'data-channel') continue;
          sum.received += stats.bytesReceived;
          sum.sent += stats.bytesSent;
        }
      }
      return sum;
    };
    if (options.shaper) sendThroughShaper(Native);
  }

  function parse(line) {
    const match = /^(?:a=)?(candidate:\S+ \d+ )(\S+)( \d+ )(\S+) (\d+)( typ .*)$/.exec(line);
    if (!match) return null;
    const [, head, transport, priority, address, port, tail] = match;
    return { transport: transport.toLowerCase(), address, port, with: (other) => `${head}${transport}${priority}${address} ${other}${tail}` };
  }

  function own(line) {
    const candidate = options.shaper && parse(line);
    if (candidate?.transport !== 'udp') return;
    const { url, viewer } = options.shaper;
    fetch(`${url}/own?viewer=${viewer}&port=${candidate.port}`).catch(note);
  }

  /** The same candidate behind the shaper; null for what cannot go through it (TCP, IPv6, hidden names). */
  async function mapped(line) {
    const candidate = parse(line);
    if (candidate === null) return line;
    const plain = candidate.transport === 'udp' && /^[\d.]+$/.test(candidate.address);
    if (!plain) return null;
    const { url, viewer } = options.shaper;
    const answer = await fetch(`${url}/map?viewer=${viewer}&address=${candidate.address}&port=${candidate.port}`);
    return candidate.with(await answer.text());
  }

  function sendThroughShaper(Native) {
    const { setRemoteDescription, setLocalDescription, addIceCandidate } = Native.prototype;
    Native.prototype.setRemoteDescription = async function (description, ...rest) {
      const lines = [];
      for (const line of description.sdp.split('\r\n')) {
        if (!line.startsWith('a=candidate:')) {
          lines.push(line);
          continue;
        }
        const other = await mapped(line.slice(2));
        if (other !== null) lines.push(`a=${other}`);
      }
      return setRemoteDescription.call(this, { type: description.type, sdp: lines.join('\r\n') }, ...rest);
    };
    Native.prototype.addIceCandidate = async function (candidate, ...rest) {
      if (!candidate?.candidate) return addIceCandidate.call(this, candidate, ...rest);
      const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
      const other = await mapped(candidate.candidate);
      if (other === null) return undefined;
      return addIceCandidate.call(this, { candidate: other, sdpMid, sdpMLineIndex, usernameFragment }, ...rest);
    };
    Native.prototype.setLocalDescription = async function (...args) {
      await setLocalDescription.apply(this, args);
      for (const line of this.localDescription?.sdp.split('\r\n') ?? []) {
        if (line.startsWith('a=candidate:')) own(line.slice(2));
      }
    };
  }

  /** Looks for the marker at every 256th byte: corrupt.js writes runs of 512. */
  function watchAppends() {
    const { appendBuffer } = SourceBuffer.prototype;
    SourceBuffer.prototype.appendBuffer = function (source) {
      const bytes = source instanceof ArrayBuffer ? new Uint8Array(source) : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
      probe.appends += 1;
      for (let at = 0; at + 32 <= bytes.length; at += 256) {
        if (bytes[at] === 0xba && bytes.subarray(at, at + 32).every((byte) => byte === 0xba)) {
          probe.corruptAppends += 1;
          break;
        }
      }
      return appendBuffer.call(this, source);
    };
  }
})();
