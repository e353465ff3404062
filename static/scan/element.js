// `<starling-scan>`: shows what the camera sees, reads QR codes in it or in a picture that is chosen, and says `scan`
// once, with the code's text as its `detail`. By the browser's own reader where it has one, else by ours in a worker.
// Nothing that is seen leaves the page. Taken off the page, it lets the camera go.

/** How often it looks, in milliseconds. */
const LOOK_EVERY_MS = 150;
/** Longest side of what is looked at, in pixels: enough for the densest code in half of it. */
const SIDE_PX_MAX = 1600;
/** How often in a row our reader may break before it is given up. */
const BREAKS_MAX = 3;

const POINT = 'Point the camera at the code, or choose a picture of it.';
const NO_CAMERA = 'There is no camera here, or it was not allowed. Choose a picture of the code, or paste its text.';
const NO_READER = 'This browser can\u2019t read codes. Paste the text instead.';
const NO_CODE = 'No code was found in that picture. Take one that shows all of it, sharp and not too small.';

class Scan extends HTMLElement {
  connectedCallback() {
    this.reader = makeReader();
    this.video = document.createElement('video');
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.hidden = true;
    this.video.setAttribute('aria-label', 'What the camera sees');
    this.said = document.createElement('p');
    this.said.className = 'quiet';
    this.said.setAttribute('role', 'status');
    this.said.textContent = POINT;
    const file = document.createElement('input');
    file.type = 'file';
    file.accept = 'image/*';
    file.setAttribute('aria-label', 'A picture of the code');
    file.addEventListener('change', () => this.look(file));
    this.replaceChildren(this.video, this.said, file);
    this.watch().catch(() => this.say(NO_CAMERA));
  }

  disconnectedCallback() {
    this.done = true;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.reader?.close();
  }

  /** Looks at what the camera sees until there is a code in it. */
  async watch() {
    if (!navigator.mediaDevices?.getUserMedia) return this.say(NO_CAMERA);
    const wanted = { facingMode: 'environment', width: { ideal: 1920 } };
    this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    // The person may have closed it while they were asked.
    if (this.done) return this.disconnectedCallback();
    this.video.srcObject = this.stream;
    this.video.hidden = false;
    await this.video.play();
    while (!this.done && !this.reader.isBroken()) {
      if (this.video.videoWidth > 0) this.found(await this.reader.read(this.video, this.video.videoWidth, this.video.videoHeight));
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    if (!this.done) this.stop();
  }

  /** Nothing reads here: the camera is let go. */
  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.video.hidden = true;
    this.say(NO_READER);
  }

  /** Looks at a picture. */
  async look(/** @type {HTMLInputElement} */ file) {
    const picture = file.files?.[0] && await createImageBitmap(file.files[0]).catch(() => null);
    file.value = '';
    const text = picture ? await this.reader.read(picture, picture.width, picture.height) : null;
    if (text === null) this.say(this.reader.isBroken() ? NO_READER : NO_CODE);
    this.found(text);
  }

  found(/** @type {string | null} */ text) {
    if (text === null || this.done) return;
    this.done = true;
    this.dispatchEvent(new CustomEvent('scan', { detail: text }));
  }

  say(/** @type {string} */ words) {
    this.said.textContent = words;
  }
}

/** What reads: by the browser itself, or by the worker. */
function makeReader() {
  const canvas = document.createElement('canvas');
  const theirs = browsersReader();
  let ours = null;
  let breaks = 0;
  const read = async (source, width, height) => {
    const detector = await theirs;
    // From here to the pixels without a pause: another picture may be drawn in one.
    const scale = Math.min(1, SIDE_PX_MAX / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    if (detector) {
      const codes = await detector.detect(canvas).catch(() => []);
      return codes.find((code) => code.rawValue)?.rawValue ?? null;
    }
    if (breaks >= BREAKS_MAX) return null;
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    ours ??= startReader();
    const reader = ours;
    const text = await reader.read(pixels);
    if (text !== undefined) {
      breaks = 0;
      return text;
    }
    // A picture that broke it: the next one gets another.
    breaks += 1;
    reader.close();
    if (ours === reader) ours = null;
    return null;
  };
  return { read, isBroken: () => breaks >= BREAKS_MAX, close: () => ours?.close() };
}

/** The browser's own reader of QR codes; null: it has none. */
async function browsersReader() {
  const Detector = globalThis.BarcodeDetector;
  const formats = await Detector?.getSupportedFormats().catch(() => []);
  return formats?.includes('qr_code') ? new Detector({ formats: ['qr_code'] }) : null;
}

/** Ours, in a worker. `read` gives undefined where it broke. */
function startReader() {
  // Of the same version as this file, where that is said (`static/kept.js`).
  const { search } = new URL(import.meta.url);
  const worker = new Worker(new URL(`./worker.js${search}`, import.meta.url), { type: 'module' });
  const waiting = new Map();
  let count = 0;
  worker.addEventListener('message', ({ data: { text, id } }) => {
    waiting.get(id)?.(text);
    waiting.delete(id);
  });
  const broke = () => {
    for (const resolve of waiting.values()) resolve(undefined);
    waiting.clear();
  };
  worker.addEventListener('error', broke);
  worker.addEventListener('messageerror', broke);
  const read = ({ width, height, data }) => new Promise((resolve) => {
    const id = count++;
    waiting.set(id, resolve);
    worker.postMessage({ width, height, pixels: data.buffer, id }, [data.buffer]);
  });
  return { read, close: () => worker.terminate() };
}

if (!customElements.get('starling-scan')) customElements.define('starling-scan', Scan);
