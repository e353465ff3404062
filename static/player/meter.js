// @ts-check
// What a viewer lives through: how long until the first frame, how often and how long the picture
// stands still. Measured on the <video> alone, so that it means the same in every mode.

/** Waiting this close to the end is the end, not a stall, in seconds. */
const END_S = 0.5;

/** Watches one `<video>`. */
export class Meter {
  /** Milliseconds from the start of loading to the first frame; `null` before it. @type {number | null} */
  startupMs = null;
  /** Times the picture stood still for want of data. */
  stalls = 0;

  /** @type {HTMLVideoElement} */ #video;
  #startedAt = performance.now();
  /** @type {number | null} */ #stalledAt = null;
  #stalledMs = 0;
  #afterSeek = false;
  #ear = new AbortController();

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
    const on = (/** @type {string} */ kind, /** @type {() => void} */ handle) =>
      video.addEventListener(kind, handle, { signal: this.#ear.signal });
    on("seeking", () => {
      this.#afterSeek = true;
      this.#resumed();
    });
    on("waiting", () => this.#waiting());
    on("playing", () => {
      this.#afterSeek = false;
      this.#resumed();
      this.#firstFrame();
    });
    on("pause", () => this.#resumed());
    on("emptied", () => this.#resumed());
    on("loadeddata", () => this.#firstFrame());
  }

  /** Milliseconds the picture stood still, the running stall included. */
  get stallMs() {
    const running = this.#stalledAt === null ? 0 : performance.now() - this.#stalledAt;
    return Math.round(this.#stalledMs + running);
  }

  /** Begins anew: another source is loaded. */
  restart() {
    this.startupMs = null;
    this.stalls = 0;
    this.#stalledAt = null;
    this.#stalledMs = 0;
    this.#afterSeek = false;
    this.#startedAt = performance.now();
  }

  /** Stops listening. */
  destroy() {
    this.#ear.abort();
  }

  #firstFrame() {
    if (this.startupMs !== null) return;
    const told = () => (this.startupMs ??= Math.round(performance.now() - this.#startedAt));
    // `loadeddata` comes a moment before the frame is on the screen; a hidden page shows none.
    if (this.#video.requestVideoFrameCallback && document.visibilityState === "visible") {
      this.#video.requestVideoFrameCallback(told);
    } else {
      told();
    }
  }

  #waiting() {
    const video = this.#video;
    const atEnd = video.ended || video.duration - video.currentTime < END_S;
    if (this.startupMs === null || this.#afterSeek || video.seeking || atEnd) return;
    if (this.#stalledAt === null) {
      this.#stalledAt = performance.now();
      this.stalls += 1;
    }
  }

  #resumed() {
    if (this.#stalledAt === null) return;
    this.#stalledMs += performance.now() - this.#stalledAt;
    this.#stalledAt = null;
  }
}
