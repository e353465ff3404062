// @ts-check
// The fragment loader given to hls.js (`fLoader`): segments the swarm knows come from the peer,
// everything else (init segments, LL-HLS parts, unknown renditions) and every failure of ours goes to
// the loader the player had before. What is loaded while the peer starts, the peer may take over.

import { StreamedLoad } from "./streamed.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {{track: number, index: number, url: string}} Segment */
/** @typedef {{frag: any, part: any, url: string}} Context as hls.js gives it */

/** Rate taken for segments whose sources tell none, in bytes per second: 1 GB/s, a memory's. */
const RATE_MAX_BYTES_PER_S = 1e9;

const newStats = () => ({
  aborted: false,
  loaded: 0,
  retry: 0,
  total: 0,
  chunkCount: 0,
  bwEstimate: 0,
  loading: { start: 0, first: 0, end: 0 },
  parsing: { start: 0, end: 0 },
  buffering: { start: 0, first: 0, end: 0 },
});

/**
 * The loader class for one player.
 * @param {Session} session
 * @param {any} Fallback the loader class for everything that does not come from the peer
 */
export function segmentLoader(session, Fallback) {
  return class SegmentLoader {
    /** @type {Context | null} */ context = null;
    stats = newStats();

    /** @type {any} */ #config;
    /** The fallback, once it runs. @type {any} */ #plain = null;
    /** A load that the peer may take over. @type {StreamedLoad | null} */ #streamed = null;
    /** A whole segment, not an init segment or a part. */ #isMedia = false;
    /** What the peer was asked for, while it was not answered. @type {Segment | null} */ #asked = null;
    /** @type {any} */ #callbacks = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */ #deadline;

    /** @param {any} config hls.js's own */
    constructor(config) {
      this.#config = config;
    }

    /**
     * @param {Context} context
     * @param {any} policy
     * @param {any} callbacks
     */
    load(context, policy, callbacks) {
      this.context = context;
      this.#callbacks = callbacks;
      const isMedia = (this.#isMedia = !context.part && Number.isSafeInteger(context.frag?.sn));
      const ready = isMedia ? session.readiness(context.frag, this.stats) : null;
      if (!ready) return this.#start(context, policy);
      ready.then(() => this.context === context && !this.stats.aborted && this.#start(context, policy));
    }

    /**
     * @param {Context} context
     * @param {any} policy
     */
    #start(context, policy) {
      const segment = context.part ? null : session.segmentOf(context.frag);
      if (segment && this.#ask(segment, policy)) return;
      if (this.#isMedia && session.mayTakeOver(context.frag)) this.#loadStreamed(context, policy);
      else this.#loadPlain(policy);
    }

    /**
     * Asks the peer; says whether there is one that answers.
     * @param {Segment} segment
     * @param {any} policy
     */
    #ask(segment, policy) {
      const answer = session.ask(segment);
      if (!answer) return false;
      this.#asked = segment;
      this.stats.loading.start ||= performance.now();
      this.#setDeadline(policy);
      const plain = () => this.#asked === segment && this.#loadPlain(policy);
      answer.then(
        (delivery) => this.#asked === segment && this.#delivered(segment, delivery),
        (error) => (error?.code === "forged" ? this.#forged(segment, error) : plain()),
      );
      session.onLost(this, plain);
      return true;
    }

    /** @param {any} policy */
    #setDeadline(policy) {
      const patienceMs = policy.loadPolicy?.maxLoadTimeMs ?? policy.timeout;
      clearTimeout(this.#deadline);
      if (patienceMs > 0) this.#deadline = setTimeout(() => this.#timedOut(), patienceMs);
    }

    /**
     * @param {Context} context
     * @param {any} policy
     */
    #loadStreamed({ frag, url }, policy) {
      const { stats } = this;
      this.#setDeadline(policy);
      this.#streamed = new StreamedLoad(url, stats, (data) => {
        this.#streamed = null;
        const tookMs = stats.loading.end - stats.loading.start;
        session.loadedElsewhere(frag, data, tookMs);
        // The loader the player had before knows what to do about failures.
        if (!data) return this.#loadPlain(policy);
        this.#settle();
        session.countHttp(data.byteLength);
        stats.chunkCount = 1;
        this.#callbacks?.onSuccess({ url, data, code: 200 }, stats, this.context, null);
      });
      session.loadsElsewhere(frag, (segment) => this.#handOver(segment, policy));
    }

    /**
     * The peer is there before the load's end: it goes on with it.
     * @param {Segment} segment
     * @param {any} policy
     */
    #handOver(segment, policy) {
      const load = this.#streamed?.handOver();
      this.#streamed = null;
      if (load) session.handOver(segment, load);
      if (!this.#ask(segment, policy)) this.#loadPlain(policy);
    }

    abort() {
      if (this.#plain) {
        session.loadedElsewhere(this.context?.frag, null);
        return this.#plain.abort();
      }
      if (!this.#callbacks || this.stats.aborted) return;
      this.#breakOff();
      this.#giveUp();
      this.stats.aborted = true;
      this.#callbacks?.onAbort?.(this.stats, this.context, null);
    }

    destroy() {
      this.#callbacks = null;
      this.#breakOff();
      session.loadedElsewhere(this.context?.frag, null);
      this.#plain?.destroy();
      this.#giveUp();
      this.context = null;
    }

    getCacheAge() {
      return this.#plain?.getCacheAge?.() ?? null;
    }

    /** @param {string} name */
    getResponseHeader(name) {
      return this.#plain?.getResponseHeader?.(name) ?? null;
    }

    /**
     * @param {Segment} segment
     * @param {import("../embed.js").Delivery} delivery
     */
    #delivered(segment, { data, bytesPerS }) {
      this.#settle();
      const bytes = data.byteLength;
      const { stats } = this;
      const now = performance.now();
      // The player's estimator divides size by duration. A segment from memory takes no time and one
      // that waited for its turn takes long; neither says what the line carries. So the duration is
      // what the peer says real transfers of this size take.
      const durationMs = (bytes / (bytesPerS || RATE_MAX_BYTES_PER_S)) * 1000;
      stats.loaded = stats.total = bytes;
      stats.chunkCount = 1;
      stats.bwEstimate = bytesPerS * 8;
      stats.loading = { start: now - durationMs, first: now - durationMs, end: now };
      const response = { url: segment.url, data, code: 200 };
      this.#callbacks?.onSuccess(response, stats, this.context, null);
    }

    /**
     * Bytes that the pinned publisher did not sign are never played.
     * @param {Segment} segment
     * @param {Error} error
     */
    #forged(segment, error) {
      if (this.#asked !== segment) return;
      this.#settle();
      session.problem("publisher-mismatch");
      this.#callbacks?.onError({ code: 0, text: error.message }, this.context, null, this.stats);
    }

    #timedOut() {
      if (!this.#asked && !this.#streamed) return;
      this.#breakOff();
      this.#giveUp();
      this.#callbacks?.onTimeout(this.stats, this.context, null);
    }

    /** @param {any} policy */
    #loadPlain(policy) {
      this.#giveUp();
      const plain = (this.#plain = new Fallback(this.#config));
      // The player already holds our statistics: they must be the ones that grow.
      this.stats.loading = { start: 0, first: 0, end: 0 };
      this.stats.loaded = this.stats.total = 0;
      plain.stats = this.stats;
      const callbacks = this.#callbacks;
      const frag = this.#isMedia ? this.context?.frag : null;
      if (frag) session.loadsElsewhere(frag);
      const failed = (/** @type {string} */ name) => (/** @type {any[]} */ ...rest) => {
        session.loadedElsewhere(frag, null);
        callbacks[name]?.(...rest);
      };
      plain.load(this.context, policy, {
        ...callbacks,
        onError: failed("onError"),
        onTimeout: failed("onTimeout"),
        onSuccess: (/** @type {any} */ response, /** @type {any} */ stats, /** @type {any[]} */ ...rest) => {
          const data = response.data instanceof ArrayBuffer ? response.data : null;
          if (frag) session.loadedElsewhere(frag, data, stats.loading.end - stats.loading.start);
          session.countHttp(response.data?.byteLength ?? stats.loaded);
          callbacks.onSuccess(response, stats, ...rest);
        },
      });
    }

    /** Ends a streamed load that nobody took over. */
    #breakOff() {
      if (!this.#streamed) return;
      this.#streamed.abort();
      this.#streamed = null;
      session.loadedElsewhere(this.context?.frag, null);
    }

    /** Tells the peer that nobody waits any longer. */
    #giveUp() {
      const asked = this.#asked;
      this.#settle();
      if (asked) session.forget(asked);
    }

    #settle() {
      clearTimeout(this.#deadline);
      session.onLost(this, null);
      this.#asked = null;
    }
  };
}
