// Reads QR codes where the browser can't by itself. From the element: `{ width, height, pixels, id }` (RGBA bytes). To
// it: `{ text, id }` (null: no code). What happens in it is decided in `scan-wasm`; it holds nothing.

import start, { read } from './scan.js';

const started = start({ module_or_path: new URL('./scan_bg.wasm', import.meta.url) });
started.catch(breakOut);

self.addEventListener('message', async ({ data: { width, height, pixels, id } }) => {
  await started;
  try {
    self.postMessage({ text: read(width, height, new Uint8Array(pixels)) ?? null, id });
  } catch (error) {
    breakOut(error);
  }
});

/** Throws where the element hears of it. */
function breakOut(error) {
  setTimeout(() => {
    throw error;
  });
}
