// Injected before probe.js: this page's player sends wrong bytes, without knowing it.
//
// Every outgoing data-channel message of at least 8 KiB, which is media whatever the protocol, keeps its length
// and its head (where protocols frame) and gets runs of 512 marker bytes in its body.
(() => {
  const MESSAGE_BYTES_MIN = 8192;
  const HEAD_BYTES = 2048;
  const STEP_BYTES = 8192;
  const RUN_BYTES = 512;
  const MARKER = 0xba;
  window.__corrupted = 0;
  window.__outgoing = (message) => {
    const view = message instanceof ArrayBuffer ? new Uint8Array(message) : ArrayBuffer.isView(message) ? new Uint8Array(message.buffer, message.byteOffset, message.byteLength) : null;
    if (view === null || view.length < MESSAGE_BYTES_MIN) return message;
    const copy = new Uint8Array(view);
    for (let at = HEAD_BYTES; at + RUN_BYTES <= copy.length; at += STEP_BYTES) copy.fill(MARKER, at, at + RUN_BYTES);
    window.__corrupted += 1;
    return copy;
  };
})();
