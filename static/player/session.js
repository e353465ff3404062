// @ts-check
// One player of hls.js and one stream of the peer, kept in step: the lists of segments and the
// playhead go to the peer, segments come from it. Without a peer the player is plain hls.js.

import { segmentLoader } from "./loader.js";
import { Meter } from "./meter.js";
import { isStreamable } from "./streamed.js";
import { Tracks } from "./tracks.js";

/** @typedef {import("../embed.js").Peer} Peer */
/** @typedef {import("../embed.js").Stream} Stream */
/** @typedef {import("../embed.js").Stats} Stats */
/** @typedef {import("../embed.js").StreamOptions} StreamOptions */
/** @typedef {import("./loader.js").Segment} Segment */
/** @typedef {{url: string, live: boolean, segments: Map<number, any>}} Listed */
/**
 * A load by plain HTTP: whether the peer knows of it, what came, and how the peer takes it over.
 * @typedef {{isTold: boolean, data: Uint8Array | null, tookMs: number, takeOver: ((segment: Segment) => void) | null}} Elsewhere
 */

/** The playhead is told at most this often while it just moves on, in milliseconds. */
const PLAYBACK_EVERY_MS = 250;
/** A view of the stream is read at most this often, in milliseconds. */
const VIEW_EVERY_MS = 200;
/** Segments after the first wait this long for a peer that is starting, in milliseconds. */
const PEER_WAIT_MS = 2500;
/** A peer starts with the first picture, at the latest this long after its segment is in the buffer… */
const PICTURE_MS = 400;
/** …or this long after that segment was asked for… */
const PEER_START_MS = 500;
/** …unless all of it will have come this soon, at the pace so far: all in milliseconds. */
const FIRST_SOON_MS = 1000;
/** A first segment that only seems to come soon holds the peer back no longer than this, in milliseconds. */
const FIRST_MS_MAX = 2000;
/** The pace is looked at this often, in milliseconds. */
const LOOK_MS = 100;
/** Code of reports that did not arrive is asked for again after this long, in milliseconds. */
const AGAIN_MS = 20_000;
/** Segments loaded by plain HTTP that are kept for a peer that is starting: the first of each kind of list. */
const GIVEN_MAX = 4;
/** Fired at the window when the peer's code failed; nothing of it answers any more. */
const PANIC = "starling-panic";

/** Adds the swarm to one instance of hls.js. Fires `mode` and `problem`. */
export class Session extends EventTarget {
  /** What the viewer lives through; there once the player has its video. @type {Meter | null} */
  meter = null;

  /** @type {any} */ #hls;
  /** @type {StreamOptions} */ #options;
  /** @type {Peer | null} */ #peer = null;
  /** Counts choices of a peer. */ #turn = 0;
  /** @type {Stream | null} */ #stream = null;
  /** Until the choice under way is made. @type {Promise<unknown> | null} */ #choosing = null;
  /** Kinds of list (`main`, `audio`) whose first segment was asked for. @type {Set<string>} */ #firsts = new Set();
  /** Resolves when the peer may start without delaying the first picture. */ #gate = new Gate();
  /** Segments that come by plain HTTP, by fragment. @type {Map<object, Elsewhere>} */ #elsewhere = new Map();
  #tracks = new Tracks();
  /** The newest list of each track. @type {Map<number, any>} */ #lists = new Map();
  /** Where each fragment stands in the swarm. @type {WeakMap<object, Segment>} */ #segments = new WeakMap();
  /** Loads that run when the peer is lost. @type {Map<object, () => void>} */ #waiting = new Map();
  /** Bytes of streams that are closed, and of plain HTTP. */
  #past = { httpBytes: 0, p2pBytes: 0, cacheBytes: 0, uploadBytes: 0 };
  /** @type {any} */ #view = null;
  #viewAt = -Infinity;
  #playbackAt = -Infinity;
  /** @type {any} */ #fLoader;
  /** @type {[string, (event: string, data: any) => void][]} */ #hooks = [];
  #ear = new AbortController();
  /** @type {AbortController | null} */ #videoEar = null;
  #hasPlayed = false;
  /** Reports to whoever pays for uploads. @type {import("../fund/reports.js").Fund | null} */ #fund = null;

  /**
   * @param {any} hls an instance of hls.js, before it loads its source
   * @param {StreamOptions} options
   */
  constructor(hls, options = {}) {
    super();
    this.#hls = hls;
    this.#options = options;
    this.#fLoader = hls.config.fLoader;
    hls.config.fLoader = segmentLoader(this, hls.config.fLoader ?? hls.config.loader);
    this.#hook("hlsManifestLoading", () => this.#manifestLoading());
    this.#hook("hlsManifestLoaded", (data) => this.#tracks.setManifest(data));
    // Not the `Loaded` events: hls.js itself asks for segments before these reach us.
    this.#hook("hlsLevelUpdated", ({ details, level }) => this.#listed(details, hls.levels[level]?.url));
    this.#hook("hlsAudioTrackUpdated", ({ details, id, groupId }) => {
      const tracks = hls.allAudioTracks ?? hls.audioTracks;
      const isIt = (/** @type {any} */ track) => track.id === id && track.groupId === groupId;
      this.#listed(details, tracks.find(isIt)?.url);
    });
    this.#hook("hlsFragBuffered", ({ frag }) => {
      if (Number.isSafeInteger(frag?.sn)) setTimeout(() => this.#gate.open(), PICTURE_MS);
    });
    this.#hook("hlsError", () => this.#gate.open());
    this.#hook("hlsMediaAttached", () => this.#watch(hls.media));
    this.#hook("hlsDestroying", () => this.destroy());
    addEventListener(PANIC, () => this.usePeer(null), { signal: this.#ear.signal });
    if (hls.media) this.#watch(hls.media);
    if (hls.levels?.length) {
      this.#gate.open();
      this.#catchUp();
    }
  }

  /** @returns {"starling" | "hls"} */
  get mode() {
    return this.#stream ? "starling" : "hls";
  }

  /**
   * Segments come from this peer from now on; `null`: by plain HTTP. The last call counts, whichever
   * peer is there first. One that can't be had leaves the player at plain HTTP. A function starts the
   * peer when that no longer delays the first picture: its code is as large as a segment.
   * @param {Peer | Promise<Peer> | null | (() => Promise<Peer>)} peer
   */
  async usePeer(peer) {
    const turn = ++this.#turn;
    let chosen = null;
    const coming = typeof peer === "function" ? this.#gate.passed.then(peer) : peer;
    const patience = this.#gate.passed.then(() => passed(PEER_WAIT_MS));
    const choosing = (this.#choosing = Promise.race([coming, patience]).catch(() => null));
    try {
      chosen = await coming;
    } catch (error) {
      console.info("starling: playing by plain HTTP:", error);
    }
    if (this.#choosing === choosing) this.#choosing = null;
    if (turn !== this.#turn || (chosen === this.#peer && this.#stream)) return;
    this.#closeStream();
    this.#peer = chosen;
    this.#openStream();
  }

  /** What a site's owner wants to know. @returns {Stats} */
  get stats() {
    const hls = this.#hls;
    const view = this.#streamView();
    const { httpBytes, p2pBytes, cacheBytes, uploadBytes } = this.#bytes(view);
    const latencyS = this.#isLive() && Number.isFinite(hls.latency) ? hls.latency : null;
    return {
      mode: this.mode,
      httpBytes,
      p2pBytes,
      cacheBytes,
      uploadBytes,
      offload: p2pBytes / (p2pBytes + httpBytes || 1),
      peers: view?.peers.filter((/** @type {any} */ peer) => peer.state === "open").length ?? 0,
      swarmSize: view?.swarmSize ?? 0,
      startupMs: this.meter?.startupMs ?? null,
      stalls: this.meter?.stalls ?? 0,
      stallMs: this.meter?.stallMs ?? 0,
      level: hls.currentLevel ?? -1,
      latencyS,
      integrity: view?.integrity ?? "unknown",
      ...(this.#fund ? { earned: this.#fund.earned } : {}),
    };
  }

  /**
   * Who pays for uploads from now on, and which account; neither: nobody.
   * @param {string} [fund]
   * @param {string} [account]
   */
  setFund(fund, account) {
    const isSame = fund === this.#options.fund;
    this.#options = { ...this.#options, fund, account };
    if (isSame && this.#fund) this.#fund.account = account;
    if (isSame) return;
    this.#closeFund();
    this.#openFund();
  }

  /** Takes everything back; the player goes on as plain hls.js. */
  destroy() {
    for (const [event, handle] of this.#hooks.splice(0)) this.#hls.off(event, handle);
    this.#hls.config.fLoader = this.#fLoader;
    this.#turn += 1;
    this.#closeStream();
    this.#elsewhere.clear();
    this.#gate.close();
    this.#peer = null;
    this.#ear.abort();
    this.#videoEar?.abort();
    this.meter?.destroy();
  }

  // ---- for the loader ----

  /**
   * Where a fragment stands in the swarm; `null` if it does not.
   * @param {any} frag
   * @returns {Segment | null}
   */
  segmentOf(frag) {
    return (this.#stream && frag && this.#segments.get(frag)) ?? null;
  }

  /**
   * What a load should wait for before it starts: a peer that is just starting. The first segment never
   * waits, so playback begins as early as without us; the next ones are not in a hurry.
   * @param {any} frag
   * @param {any} stats of hls.js, kept up to date while it loads
   * @returns {Promise<unknown> | null}
   */
  readiness(frag, stats) {
    const kind = frag.type ?? "main";
    const isFirst = !this.#firsts.has(kind);
    this.#firsts.add(kind);
    if (isFirst) this.#gate.openIn(PEER_START_MS, isSoonHere(stats));
    return isFirst || this.#stream ? null : this.#choosing;
  }

  /**
   * @param {Segment} segment
   * @returns {Promise<import("../embed.js").Delivery> | null}
   */
  ask(segment) {
    return this.#safely((stream) => stream.load(segment.track, segment.index)) ?? null;
  }

  /** @param {Segment} segment */
  forget(segment) {
    this.#safely((stream) => stream.abort(segment.track, segment.index));
  }

  /**
   * Whether a peer that is starting may take a load over.
   * @param {any} frag
   */
  mayTakeOver(frag) {
    return Boolean(this.#choosing) && !this.#stream && isStreamable(this.#hls, frag);
  }

  /**
   * A load under way goes on as the peer's.
   * @param {Segment} segment
   * @param {import("./streamed.js").Handed} load
   */
  handOver({ track, index }, load) {
    this.#safely((stream) => stream.handOver(track, index, load));
  }

  /**
   * A segment is loaded by plain HTTP: the peer leaves it alone, unless it may take it over.
   * @param {any} frag
   * @param {((segment: Segment) => void) | null} takeOver
   */
  loadsElsewhere(frag, takeOver = null) {
    if (!this.#stream && !this.#choosing) return;
    if (this.#elsewhere.size >= GIVEN_MAX) this.#elsewhere.delete(this.#elsewhere.keys().next().value ?? frag);
    this.#elsewhere.set(frag, { isTold: false, data: null, tookMs: 0, takeOver });
    this.#tellElsewhere();
  }

  /**
   * What came of it: the peer shares it and keeps it for the next visit. The player will take the bytes
   * away from here, so they are copied.
   * @param {any} frag
   * @param {ArrayBuffer | null} data `null`: nothing
   * @param {number} tookMs how long it took, in milliseconds
   */
  loadedElsewhere(frag, data, tookMs = 0) {
    const load = this.#elsewhere.get(frag);
    if (!load) return;
    if (data) {
      load.data = new Uint8Array(data.slice(0));
      load.tookMs = tookMs;
      return this.#tellElsewhere();
    }
    // A loader is destroyed after its success too: what came still waits for the peer.
    if (load.data) return;
    this.#elsewhere.delete(frag);
    const segment = load.isTold && this.segmentOf(frag);
    if (segment) this.#safely((stream) => stream.give(segment.track, segment.index));
  }

  #tellElsewhere() {
    for (const [frag, load] of [...this.#elsewhere]) {
      const segment = this.segmentOf(frag);
      if (!segment) continue;
      const { track, index } = segment;
      const { data, tookMs, takeOver } = load;
      if (!data && takeOver) {
        this.#elsewhere.delete(frag);
        takeOver(segment);
        continue;
      }
      if (!data) {
        if (!load.isTold) this.#safely((stream) => stream.elsewhere(track, index));
        load.isTold = true;
        continue;
      }
      this.#elsewhere.delete(frag);
      this.#safely((stream) => stream.give(track, index, data, tookMs));
    }
  }

  /** @param {number} bytes */
  countHttp(bytes) {
    this.#past.httpBytes += bytes || 0;
  }

  /**
   * What a load does if the peer is lost while it waits; `null`: it waits no longer.
   * @param {object} load
   * @param {(() => void) | null} handle
   */
  onLost(load, handle) {
    if (handle) this.#waiting.set(load, handle);
    else this.#waiting.delete(load);
  }

  /** @param {string} code */
  problem(code) {
    this.dispatchEvent(new CustomEvent("problem", { detail: code }));
  }

  // ---- the player's lists ----

  #manifestLoading() {
    this.#lists.clear();
    this.#hasPlayed = false;
    this.#firsts.clear();
    this.#elsewhere.clear();
    this.meter?.restart();
    this.#closeStream();
    this.#past = { httpBytes: 0, p2pBytes: 0, cacheBytes: 0, uploadBytes: 0 };
    this.#openStream();
  }

  /**
   * @param {any} details a media playlist as hls.js parsed it
   * @param {string | string[] | undefined} urls where it is
   */
  #listed(details, urls) {
    const track = this.#tracks.of(urls);
    if (track === undefined) return;
    this.#lists.set(track, details);
    this.#tellList(track, details);
  }

  /**
   * @param {number} track
   * @param {any} details
   */
  #tellList(track, details) {
    if (!this.#stream) return;
    /** @type {import("../embed.js").SegmentEntry[]} */
    const segments = [];
    for (const frag of details.fragments) {
      // Media sequence numbers are whole; `initSegment` and gaps are not for the swarm.
      if (!frag || !Number.isSafeInteger(frag.sn) || frag.sn < 0 || frag.gap) continue;
      const [rangeFrom, rangeTo] = frag.byteRange?.length ? frag.byteRange : [];
      const startMs = Math.max(0, Math.round(frag.start * 1000));
      const durationMs = Math.round(frag.duration * 1000);
      segments.push({ index: frag.sn, startMs, durationMs, url: frag.url, rangeFrom, rangeTo });
      this.#segments.set(frag, { track, index: frag.sn, url: frag.url });
    }
    this.#safely((stream) => stream.setTrack(track, details.live, segments));
    this.#tellElsewhere();
  }

  /** The player was attached to after it had loaded its playlists: read the order from the text. */
  async #catchUp() {
    const { url, levels } = this.#hls;
    try {
      this.#tracks.setText(await (await fetch(url)).text(), url);
    } catch {
      return; // The player had it, we can't have it: it stays plain.
    }
    for (const level of [...levels, ...(this.#hls.allAudioTracks ?? [])]) {
      if (level.details) this.#listed(level.details, level.url);
    }
  }

  // ---- the peer's stream ----

  #openStream() {
    const playlistUrl = this.#hls.url;
    if (!this.#peer || !playlistUrl) return;
    // Absent is not `undefined` to the peer: it would refuse the option and stay away.
    const { swarm, publisher, integrity = "best", site, region } = this.#options;
    try {
      this.#stream = this.#peer.open({ playlistUrl, swarm, publisher, integrity, site, region });
    } catch (error) {
      console.warn("starling: playing by plain HTTP, the peer refused the stream:", error);
      this.problem(/** @type {any} */ (error)?.code ?? "no-peer");
      return;
    }
    for (const [track, details] of this.#lists) this.#tellList(track, details);
    this.#tellPlayback();
    this.#modeChanged();
    this.#openFund();
  }

  /** The code of reports comes only where a page names a fund. */
  async #openFund() {
    const [peer, stream] = [this.#peer, this.#stream];
    if (!this.#options.fund || !peer || !stream) return;
    const code = await import("../fund/reports.js").catch(() => null);
    const { fund, account } = this.#options;
    if (!fund || this.#fund || stream !== this.#stream) return;
    if (!code) {
      /** @type {any} */
      const lost = { earned: { units: 0, paid: 0, state: "unreachable" }, close() {} };
      this.#fund = lost;
      setTimeout(() => {
        if (this.#fund !== lost) return;
        this.#fund = null;
        this.#openFund();
      }, AGAIN_MS);
      return;
    }
    const url = new URL(fund, document.baseURI).href;
    this.#fund = new code.Fund(url, peer, stream.swarm, () => this.#streamView(), account);
  }

  #closeFund() {
    this.#fund?.close();
    this.#fund = null;
  }

  #closeStream() {
    const stream = this.#stream;
    if (!stream) return;
    this.#closeFund();
    this.#past = this.#bytes(this.#streamView());
    this.#stream = null;
    this.#view = null;
    for (const handle of [...this.#waiting.values()]) handle();
    this.#waiting.clear();
    try {
      stream.close();
    } catch {
      // Its code failed before; there is nothing left to close.
    }
    this.#modeChanged();
  }

  #modeChanged() {
    this.dispatchEvent(new CustomEvent("mode", { detail: this.mode }));
  }

  /**
   * Calls the peer; if that throws, its code is broken and the player goes on without.
   * @template T
   * @param {(stream: Stream) => T} call
   * @returns {T | undefined}
   */
  #safely(call) {
    if (!this.#stream) return undefined;
    try {
      return call(this.#stream);
    } catch (error) {
      console.warn("starling: playing on without the peer:", error);
      queueMicrotask(() => this.usePeer(null));
      return undefined;
    }
  }

  /** @param {any} view */
  #bytes(view) {
    const { httpBytes, p2pBytes, cacheBytes, uploadBytes } = this.#past;
    const totals = view?.totals;
    return {
      httpBytes: httpBytes + (totals?.originBytes ?? 0),
      p2pBytes: p2pBytes + (totals?.peerBytes ?? 0),
      cacheBytes: cacheBytes + (totals?.cacheBytes ?? 0),
      uploadBytes: uploadBytes + (totals?.uploadBytes ?? 0),
    };
  }

  #streamView() {
    const now = performance.now();
    if (this.#stream && now - this.#viewAt >= VIEW_EVERY_MS) {
      this.#viewAt = now;
      this.#view = this.#safely((stream) => stream.view()) ?? this.#view;
    }
    return this.#view;
  }

  // ---- the playhead ----

  /** @param {HTMLVideoElement} video */
  #watch(video) {
    this.#videoEar?.abort();
    this.#videoEar = new AbortController();
    this.meter?.destroy();
    this.meter = new Meter(video);
    const { signal } = this.#videoEar;
    const on = (/** @type {string} */ kind, /** @type {() => void} */ handle) =>
      video.addEventListener(kind, handle, { signal });
    for (const kind of ["seeking", "ratechange", "play", "pause", "waiting", "ended"]) {
      on(kind, () => this.#tellPlayback());
    }
    on("loadeddata", () => this.#gate.open());
    on("playing", () => {
      this.#hasPlayed = true;
      this.#tellPlayback();
    });
    for (const kind of ["timeupdate", "progress"]) {
      on(kind, () => {
        if (performance.now() - this.#playbackAt >= PLAYBACK_EVERY_MS) this.#tellPlayback();
      });
    }
  }

  #tellPlayback() {
    const hls = this.#hls;
    const video = /** @type {HTMLVideoElement | null} */ (hls.media);
    const level = hls.levels?.[hls.loadLevel] ?? hls.levels?.[hls.currentLevel];
    const track = this.#tracks.of(level?.url);
    if (!video || track === undefined) return;
    this.#playbackAt = performance.now();
    const position = video.currentTime;
    // Before the first frame the clock stands, but the viewer waits for it to run.
    const starts = video.autoplay && !this.#hasPlayed;
    const rate = (video.paused && !starts) || video.ended ? 0 : Math.round(video.playbackRate * 100);
    const bufferedMs = Math.round(bufferedEnd(video, position) * 1000);
    this.#safely((stream) =>
      stream.playback(track, Math.round(position * 1000), bufferedMs, Math.max(0, rate)),
    );
  }

  #isLive() {
    return Boolean(this.#hls.latestLevelDetails?.live);
  }

  /**
   * @param {string} event
   * @param {(data: any) => void} handle
   */
  #hook(event, handle) {
    const hook = (/** @type {string} */ _, /** @type {any} */ data) => handle(data);
    this.#hooks.push([event, hook]);
    this.#hls.on(event, hook);
  }
}

/** Something to wait for, opened once by whoever comes first. */
class Gate {
  /** @type {Promise<void>} */ passed;
  /** @type {() => void} */ open = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  constructor() {
    this.passed = new Promise((resolve) => (this.open = resolve));
  }

  /**
   * @param {number} ms
   * @param {() => boolean} mayWait whether to look again a little later
   */
  openIn(ms, mayWait) {
    const look = () => (mayWait() ? (this.#timer = setTimeout(look, LOOK_MS)) : this.open());
    this.#timer ??= setTimeout(look, ms);
  }

  /** Nobody waits any longer. */
  close() {
    clearTimeout(this.#timer);
    this.open = () => {};
  }
}

/**
 * Tells of a load that starts now whether all of it will soon be here.
 * @param {any} stats of hls.js
 */
function isSoonHere(stats) {
  const askedAt = performance.now();
  return () => {
    const now = performance.now();
    const { loaded, total, loading } = stats;
    const leftMs = ((total - loaded) / loaded) * (now - loading.first);
    return now - askedAt < FIRST_MS_MAX && loaded > 0 && total > 0 && leftMs < FIRST_SOON_MS;
  };
}

/** @param {number} ms */
const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Gaps shorter than this are played over, in seconds. */
const GAP_S = 0.25;

/**
 * The end of what is buffered from `position` on without a gap.
 * @param {HTMLVideoElement} video
 * @param {number} position
 */
function bufferedEnd(video, position) {
  let end = position;
  for (let index = 0; index < video.buffered.length; index++) {
    if (video.buffered.start(index) <= end + GAP_S) end = Math.max(end, video.buffered.end(index));
  }
  return end;
}
