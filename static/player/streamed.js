// @ts-check
// A segment loaded by `fetch`, byte by byte, so that a peer that starts meanwhile can take the load over
// where it is: what came is not lost, and other viewers can bring the rest.

/** @typedef {import("../embed.js").HandedLoad} Handed */

/**
 * Whether a load may be streamed: the player's own loader does nothing that this one does not. What a
 * site sets up for its requests (headers, cookies, its own loader) stays with its loader.
 * @param {any} hls
 * @param {any} frag
 */
export function isStreamable(hls, frag) {
  const { config } = hls;
  const isOwn = config.loader === hls.constructor.DefaultConfig?.loader;
  const isPlain = isOwn && !config.xhrSetup && !config.fetchSetup && !config.progressive;
  return isPlain && !frag.byteRange?.length && typeof ReadableStream === "function";
}

/** One load. Its end is told, unless it is handed over or aborted. */
export class StreamedLoad {
  #controller = new AbortController();
  /** @type {ReadableStreamDefaultReader<Uint8Array> | null} */ #reader = null;
  /** The read under way. @type {Promise<ReadableStreamReadResult<Uint8Array>> | null} */ #reading = null;
  /** @type {Uint8Array[]} */ #chunks = [];
  /** @type {number | undefined} */ #size;
  #firstAt = 0;
  #isGone = false;

  /**
   * @param {string} url
   * @param {any} stats of hls.js: kept up to date
   * @param {(data: ArrayBuffer | null) => void} done all of it; `null`: it failed
   */
  constructor(url, stats, done) {
    stats.loading.start = performance.now();
    const end = (/** @type {ArrayBuffer | null} */ data) => this.#isGone || done(data);
    this.#run(url, stats).then(end, () => end(null));
  }

  /**
   * @param {string} url
   * @param {any} stats
   */
  async #run(url, stats) {
    const { signal } = this.#controller;
    const answer = await fetch(url, { credentials: "same-origin", signal });
    if (answer.status !== 200 || !answer.body) throw new Error(`status ${answer.status}`);
    const length = Number(answer.headers.get("content-length"));
    // A compressed answer is longer than it says.
    this.#size = length > 0 && !answer.headers.get("content-encoding") ? length : undefined;
    stats.total = this.#size ?? 0;
    stats.loading.first = this.#firstAt = performance.now();
    const reader = (this.#reader = answer.body.getReader());
    for (;;) {
      this.#reading = reader.read();
      const { done, value } = await this.#reading;
      if (this.#isGone) return null;
      if (done) break;
      this.#chunks.push(value);
      stats.loaded += value.byteLength;
    }
    stats.loading.end = performance.now();
    stats.total = stats.loaded;
    return joined(this.#chunks).buffer;
  }

  /**
   * Gives the load to somebody who reads on: what came, and the rest to come. `null`: the origin has
   * not answered yet; the load is broken off.
   * @returns {Handed | null}
   */
  handOver() {
    this.#isGone = true;
    const reader = this.#reader;
    if (!reader) {
      this.#controller.abort();
      return null;
    }
    let first = this.#reading;
    const read = () => {
      const next = first ?? reader.read();
      first = null;
      return next;
    };
    const rest = { read, cancel: () => reader.cancel() };
    const tookMs = performance.now() - this.#firstAt;
    return { bytes: joined(this.#chunks), size: this.#size, tookMs, reader: rest, controller: this.#controller };
  }

  abort() {
    this.#isGone = true;
    this.#controller.abort();
  }
}

/** @param {Uint8Array[]} chunks */
function joined(chunks) {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
