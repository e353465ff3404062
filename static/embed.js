// @ts-check
// <starling-player>: HLS video whose viewers pass it on to each other. One module, no dependencies;
// hls.js is loaded when a player needs it, the peer (WebAssembly) after the first segment. If anything of
// ours fails to load or to run, the video plays by plain hls.js, and without that natively.
// <starling-file> is a download that others help with; its code comes when a page has one.
//
// The manual for site owners is docs/embed.md; types are in embed.d.ts.

/** What is loaded later. The build puts hashed names here. */
const FILES = {
  peer: "./peer/peer.js",
  wasm: "./peer/peer_bg.wasm",
  hls: "./vendor/hls.mjs",
};

/** Where signaling is, unless a tag says otherwise: on the host this module comes from. */
const SIGNAL_URL = new URL("/signal", import.meta.url).href;
/** `starling-stats` comes this often, in milliseconds. */
const STATS_EVERY_MS = 1000;
/** Waits before code that did not arrive is asked for again, in milliseconds. */
const AGAIN_MS = [250, 1000];
/** Waits before a lost network is tried again, in milliseconds; the last one repeats. */
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
/** A second media error within this time is not recovered the same way, in milliseconds. */
const MEDIA_ERROR_MS = 5000;
/** Whoever falls behind the edge of a live stream plays a little faster until the edge is near again. */
const DEFAULTS = { maxLiveSyncPlaybackRate: 1.1 };

/** @typedef {import("./embed.js").Peer} Peer */
/** @typedef {import("./embed.js").PeerOptions} PeerOptions */
/** @typedef {import("./embed.js").AttachOptions} AttachOptions */
/** @typedef {import("./embed.js").Problem} Problem */
/** @typedef {import("./embed.js").Stats} Stats */
/** @typedef {import("./player/session.js").Session} Session */

/** @param {string} file */
const here = (file) => new URL(file, import.meta.url).href;

/** What sessions are made of. The last two are imported by the first; asked for at once, they come at once. */
const loadSession = once(() => {
  const session = import("./player/session.js");
  const parts = ["./player/loader.js", "./player/meter.js", "./player/tracks.js", "./player/streamed.js"];
  for (const part of parts) import(part).catch(() => {});
  return session;
});
/** hls.js as it comes with this module, for pages that make their own player of it and `attach` to that. */
export const loadHls = once(async () => {
  // Asked for now, it does not cost `attach` a round trip of its own.
  loadSession().catch(() => {});
  return (await import(here(FILES.hls))).default;
});
const loadErrors = once(() => import("./player/errors.js"));
const loadOverlay = once(() => import("./player/overlay.js"));
const loadFile = once(() => import("./files/element.js"));

/** The peer's code, compiled while it arrives. */
const loadPeer = once(async () => {
  const wasm = fetch(here(FILES.wasm));
  wasm.catch(() => {});
  const { default: init, StarlingPeer } = await import(here(FILES.peer));
  await init({ module_or_path: wasm });
  return StarlingPeer;
});

/** The peer's code failed in this page; it is not tried again. */
let isBroken = false;
addEventListener("starling-panic", () => (isBroken = true));

/** Peers of this page, by what they were started with: players share one. @type {Map<string, Promise<Peer>>} */
const peers = new Map();

/**
 * The page's peer for these options, started at the first call.
 * @param {PeerOptions} options
 * @returns {Promise<Peer>}
 */
function sharedPeer(options) {
  if (isBroken) return Promise.reject(new Error("the peer failed earlier in this page"));
  const start = { signalUrl: SIGNAL_URL, ...options };
  const key = JSON.stringify(start);
  let peer = peers.get(key);
  if (!peer) {
    if (typeof RTCPeerConnection !== "function" || typeof WebAssembly !== "object") {
      return Promise.reject(new Error("this browser has no WebRTC or no WebAssembly"));
    }
    peer = loadPeer().then((StarlingPeer) => StarlingPeer.start(start));
    peer.catch(() => peers.delete(key));
    peers.set(key, peer);
  }
  return peer;
}

/**
 * Adds the swarm to a player of hls.js that the site already has. Best before `hls.loadSource(…)`.
 * Playback does not wait for it and goes on without it.
 * @param {any} hls
 * @param {AttachOptions} options
 * @returns {Promise<import("./embed.js").Attachment>}
 */
export async function attach(hls, options = {}) {
  const { peer, signalUrl, relayOnly, uploadLimit, ...stream } = options;
  const { Session } = await loadSession();
  const session = new Session(hls, stream);
  session.usePeer(peer ?? (() => sharedPeer(defined({ signalUrl, relayOnly, uploadLimit }))));
  return session;
}

const STYLE = `
:host { display: block; position: relative; aspect-ratio: 16 / 9; background: #000; overflow: hidden; }
:host([hidden]) { display: none; }
video { display: block; width: 100%; height: 100%; object-fit: contain; }
[part="error"] { position: absolute; inset: 0; display: grid; place-content: center; gap: .6em;
  padding: 1.5em; text-align: center; font: 1rem/1.4 system-ui, sans-serif; color: #fff; background: rgb(0 0 0 / .94); }
[part="error"][hidden] { display: none; }
[part="error"] p { margin: 0; max-width: 34em; }
[part="error-remedy"] { opacity: .85; }
[part="retry"] { justify-self: center; min-height: 44px; padding: .5em 1.2em; font: inherit; color: #000; background: #fff;
  border: 0; border-radius: .4em; cursor: pointer; }
[part="retry"]:focus-visible { outline: 3px solid #7cc4ff; outline-offset: 2px; }
[part="overlay"] { position: absolute; top: .5em; left: .5em; margin: 0; padding: .5em .7em; border-radius: .3em;
  pointer-events: none; font: 11px/1.45 ui-monospace, monospace; color: #fff; background: rgb(0 0 0 / .65); }
[part="overlay"][hidden] { display: none; }
`;

/** Attributes handed on to the `<video>` as they are. */
const VIDEO_FLAGS = ["controls", "autoplay", "muted", "playsinline", "loop"];
const VIDEO_TEXTS = ["poster", "preload", "crossorigin"];
/** Attributes that name the source and its swarm: a change loads anew. */
const SOURCE_TEXTS = ["src", "swarm", "publisher", "integrity", "region", "site"];
/** Attributes that choose the peer. */
const PEER_TEXTS = ["signal", "ice", "upload-limit", "require-consent"];
/** Attributes about who pays for uploads, and whom. */
const FUND_TEXTS = ["fund", "account"];

class StarlingPlayer extends HTMLElement {
  static observedAttributes = [...VIDEO_FLAGS, ...VIDEO_TEXTS, ...SOURCE_TEXTS, ...PEER_TEXTS, ...FUND_TEXTS, "debug"];

  /** The real `<video>`. @type {HTMLVideoElement} */ video;

  #overlay = part("pre", "overlay");
  #errorBox = part("div", "error");
  #errorWhat = part("p", "error-what");
  #errorRemedy = part("p", "error-remedy");

  /** @type {Peer | null} */ #peer = null;
  /** @type {Record<string, unknown>} */ #hlsConfig = {};
  #consented = false;
  /** @type {any} */ #hls = null;
  /** @type {Session | null} */ #session = null;
  /** In native mode, where there is no session. @type {import("./player/meter.js").Meter | null} */ #meter = null;
  /** @type {Problem | null} */ #error = null;
  /** @type {"starling" | "hls" | "native" | "idle"} */ #mode = "idle";
  /** Counts loads: what comes late for an earlier one is dropped. */ #load = 0;
  #isScheduled = false;
  #retries = 0;
  /** What hls.js gave up on, until it is started again. @type {string | null} */ #gaveUp = null;
  #mediaErrorAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retryTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #statsTimer;
  /** Ends what listens while the element is in a page. */ #ear = new AbortController();

  constructor() {
    super();
    const shadow = this.attachShadow({ mode: "open", delegatesFocus: true });
    adoptStyle(shadow);
    this.video = /** @type {HTMLVideoElement} */ (part("video", "video"));
    this.#overlay.setAttribute("aria-hidden", "true");
    this.#overlay.hidden = this.#errorBox.hidden = true;
    this.#errorBox.setAttribute("role", "alert");
    const retry = part("button", "retry");
    retry.setAttribute("type", "button");
    retry.append(slot("retry", "Try again"));
    retry.addEventListener("click", () => this.load());
    this.#errorBox.append(this.#errorWhat, this.#errorRemedy, retry);
    shadow.append(this.video, slot(), this.#overlay, this.#errorBox);
    this.video.addEventListener("timeupdate", () => this.#progressed());
  }

  connectedCallback() {
    // Properties that were set before this module had defined the element.
    for (const name of ["peer", "hlsConfig", "src"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = /** @type {any} */ (this)[name];
      delete (/** @type {any} */ (this)[name]);
      /** @type {any} */ (this)[name] = value;
    }
    this.#ear.abort();
    this.#ear = new AbortController();
    const { signal } = this.#ear;
    addEventListener("online", () => this.#retryNow(), { signal });
    addEventListener("pagehide", () => this.#sendBeacon(), { signal });
    clearInterval(this.#statsTimer);
    this.#statsTimer = setInterval(() => this.#tellStats(), STATS_EVERY_MS);
    for (const track of this.querySelectorAll(":scope > track")) this.video.append(track.cloneNode());
    if (this.#mode === "idle") this.#schedule();
  }

  disconnectedCallback() {
    // Moving the element in the page takes it out and puts it back in one turn.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#ear.abort();
      clearInterval(this.#statsTimer);
      this.video.querySelectorAll("track").forEach((track) => track.remove());
      this.#stop();
    });
  }

  /**
   * @param {string} name
   * @param {string | null} old
   * @param {string | null} value
   */
  attributeChangedCallback(name, old, value) {
    if (old === value) return;
    if (VIDEO_FLAGS.includes(name)) {
      this.video.toggleAttribute(name, value !== null);
      if (name === "muted") this.video.muted = value !== null;
    } else if (VIDEO_TEXTS.includes(name)) {
      if (value === null) this.video.removeAttribute(name);
      else this.video.setAttribute(name, value);
    } else if (SOURCE_TEXTS.includes(name)) {
      if (this.isConnected) this.#schedule();
    } else if (PEER_TEXTS.includes(name)) {
      this.#choosePeer();
    } else if (FUND_TEXTS.includes(name)) {
      this.#session?.setFund(this.getAttribute("fund") || undefined, this.getAttribute("account") || undefined);
    } else if (name === "debug") {
      this.#tellStats();
    }
  }

  /** The peer to use instead of the page's own; set it before `src` or at any time. @type {Peer | null} */
  get peer() {
    return this.#peer;
  }

  set peer(peer) {
    if (peer === this.#peer) return;
    this.#peer = peer;
    this.#choosePeer();
  }

  /** Options for `new Hls(…)`, from the next load on. */
  get hlsConfig() {
    return this.#hlsConfig;
  }

  set hlsConfig(config) {
    this.#hlsConfig = config;
  }

  /** The instance of hls.js, while one plays. */
  get hls() {
    return this.#hls;
  }

  /** How the video is played now. */
  get mode() {
    return this.#mode;
  }

  /** What a site's owner wants to know, as of now. @returns {Stats} */
  get stats() {
    const stats = this.#session?.stats ?? {
      ...{ httpBytes: 0, p2pBytes: 0, cacheBytes: 0, uploadBytes: 0 },
      ...{ offload: 0, peers: 0, swarmSize: 0 },
      startupMs: this.#meter?.startupMs ?? null,
      ...{ stalls: this.#meter?.stalls ?? 0, stallMs: this.#meter?.stallMs ?? 0 },
      ...{ level: -1, latencyS: null, integrity: "unknown" },
    };
    return { ...stats, mode: this.#mode, ...(this.#error ? { error: this.#error } : {}) };
  }

  /** Plays. */
  play() {
    return this.video.play();
  }

  /** Pauses. */
  pause() {
    this.video.pause();
  }

  /** The viewer agrees to exchange segments with other viewers (see `require-consent`). */
  consent() {
    this.#consented = true;
    this.#choosePeer();
  }

  /** Loads the source anew. */
  load() {
    this.#stop();
    const src = this.getAttribute("src");
    if (src) this.#start(new URL(src, document.baseURI).href, ++this.#load);
  }

  /** One load for all attributes that change in a turn. */
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (this.isConnected) this.load();
    });
  }

  /**
   * @param {string} url
   * @param {number} load
   */
  async #start(url, load) {
    // Both at once; the peer, larger than both, is loaded when the first segment is here.
    const session = loadSession().catch(() => null);
    const [Hls, sessions] = await Promise.all([loadHls().catch(() => null), session]);
    if (load !== this.#load) return;
    if (Hls?.isSupported()) {
      this.#setMode("hls");
      this.#startHls(Hls, sessions?.Session, url);
    } else {
      await this.#startNative(url, load);
    }
  }

  /**
   * @param {any} Hls
   * @param {typeof import("./player/session.js").Session | undefined} SessionClass
   * @param {string} url
   */
  #startHls(Hls, SessionClass, url) {
    const hls = (this.#hls = new Hls({ ...DEFAULTS, ...this.#hlsConfig }));
    hls.on(Hls.Events.ERROR, (/** @type {any} */ _, /** @type {any} */ data) => this.#onHlsError(hls, data));
    if (SessionClass) {
      const text = (/** @type {string} */ name) => this.getAttribute(name) || undefined;
      const integrity = text("integrity") === "none" ? "none" : "best";
      const given = ["swarm", "publisher", "site", "region", ...FUND_TEXTS].map((name) => [name, text(name)]);
      const session = (this.#session = new SessionClass(hls, { ...Object.fromEntries(given), integrity }));
      session.addEventListener("mode", () => this.#setMode(session.mode));
      session.addEventListener("problem", (/** @type {Event} */ event) => {
        this.#explain(loadErrors().then((errors) => errors.known(/** @type {CustomEvent} */ (event).detail)));
      });
      this.#choosePeer();
    }
    hls.attachMedia(this.video);
    hls.loadSource(url);
  }

  /**
   * @param {string} url
   * @param {number} load
   */
  async #startNative(url, load) {
    if (!this.video.canPlayType("application/vnd.apple.mpegurl")) {
      return this.#explain(loadErrors().then((errors) => errors.known("no-player")));
    }
    const meter = await import("./player/meter.js").catch(() => null);
    if (load !== this.#load) return;
    this.#meter = meter && new meter.Meter(this.video);
    this.video.src = url;
    this.#setMode("native");
  }

  #stop() {
    this.#load += 1;
    clearTimeout(this.#retryTimer);
    this.#retries = 0;
    this.#gaveUp = null;
    this.#session?.destroy();
    this.#session = null;
    this.#hls?.destroy();
    this.#hls = null;
    this.#meter?.destroy();
    this.#meter = null;
    if (this.video.hasAttribute("src")) {
      this.video.removeAttribute("src");
      this.video.load();
    }
    this.#showError(null);
    this.#setMode("idle");
  }

  // ---- the peer ----

  get #mayUsePeer() {
    return this.#consented || !this.hasAttribute("require-consent");
  }

  /** @returns {PeerOptions} */
  get #peerOptions() {
    const signal = this.getAttribute("signal");
    const limit = this.getAttribute("upload-limit");
    return defined({
      signalUrl: signal ? new URL(signal, document.baseURI).href : undefined,
      relayOnly: this.getAttribute("ice") === "relay" || undefined,
      uploadLimit: limit === "none" ? null : limit && Number(limit) >= 0 ? Number(limit) : undefined,
    });
  }

  #choosePeer() {
    const session = this.#session;
    if (!session) return;
    session.usePeer(this.#mayUsePeer ? (this.#peer ?? (() => sharedPeer(this.#peerOptions))) : null);
  }

  // ---- errors ----

  /**
   * @param {any} hls
   * @param {any} data
   */
  #onHlsError(hls, data) {
    if (!data.fatal || hls !== this.#hls) return;
    const now = performance.now();
    if (data.type === "mediaError" && !/codec/i.test(data.details) && now - this.#mediaErrorAt > MEDIA_ERROR_MS) {
      this.#mediaErrorAt = now;
      return hls.recoverMediaError();
    }
    this.#explain(loadErrors().then((errors) => errors.explain(data)));
    if (data.type === "networkError" && data.details !== "manifestParsingError") {
      const wait = RETRY_MS[Math.min(this.#retries++, RETRY_MS.length - 1)];
      clearTimeout(this.#retryTimer);
      this.#gaveUp = data.details;
      this.#retryTimer = setTimeout(() => this.#retryNow(), wait);
    }
  }

  /** Tries again after a lost network, from where the video stands. */
  #retryNow() {
    if (!this.#hls || !this.#gaveUp) return;
    clearTimeout(this.#retryTimer);
    // A live list that contradicts what hls.js knows (an encoder that was restarted) is begun anew, at its edge.
    const goesOn = this.#hls.levels?.length && this.#gaveUp !== "levelParsingError";
    this.#gaveUp = null;
    if (goesOn) this.#hls.startLoad();
    else this.#hls.loadSource(this.#hls.url);
  }

  /** The video moves: whatever was wrong is over, unless it moves through what was here already. */
  #progressed() {
    if (this.#error && !this.#gaveUp && !this.video.paused && !this.video.seeking && this.video.readyState > 2) {
      this.#retries = 0;
      this.#showError(null);
    }
  }

  /** @param {Promise<Problem>} problem */
  async #explain(problem) {
    const load = this.#load;
    const error = await problem.catch(() => ({
      code: "failed",
      what: "The video can't be played.",
      remedy: "Try again.",
    }));
    if (load !== this.#load) return;
    this.#showError(error);
    this.dispatchEvent(new CustomEvent("starling-error", { detail: error }));
  }

  /** @param {Problem | null} error */
  #showError(error) {
    this.#error = error;
    // What is buffered plays on; the words come when the picture has stopped.
    const plays = !this.video.paused && !this.video.ended && this.video.readyState > 2;
    this.#errorWhat.textContent = error?.what ?? "";
    this.#errorRemedy.textContent = error?.remedy ?? "";
    this.#errorBox.hidden = !error || plays;
  }

  // ---- telling ----

  /** @param {"starling" | "hls" | "native" | "idle"} mode */
  #setMode(mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.dispatchEvent(new CustomEvent("starling-mode", { detail: mode }));
  }

  #tellStats() {
    const isShown = this.hasAttribute("debug");
    const overlay = this.#overlay;
    overlay.hidden = !isShown;
    if (this.#mode === "idle") return;
    const stats = this.stats;
    if (isShown) loadOverlay().then(({ lines }) => (overlay.textContent = lines(stats)), () => {});
    if (this.#error) this.#showError(this.#error);
    this.dispatchEvent(new CustomEvent("starling-stats", { detail: stats }));
  }

  #sendBeacon() {
    const url = this.getAttribute("beacon");
    if (url && this.#mode !== "idle") {
      navigator.sendBeacon(new URL(url, document.baseURI), JSON.stringify(this.stats));
    }
  }
}

/** A download: all it does is in files/element.js. Until that is here, what the page wrote into it stands there. */
class StarlingFile extends HTMLElement {
  static observedAttributes = ["cid", "name", "server", "gateway"];

  connectedCallback() {
    loadFile().then(({ connect }) => connect(/** @type {any} */ (this)), () => {});
  }

  attributeChangedCallback() {
    if (this.isConnected) this.connectedCallback();
  }
}

// Attributes are properties too: `player.src = …`, `player.uploadLimit = …`.
const PLAYER_TEXTS = [...VIDEO_TEXTS, ...SOURCE_TEXTS, ...PEER_TEXTS, ...FUND_TEXTS, "beacon"].filter((name) => name !== "require-consent");
for (const name of PLAYER_TEXTS) defineText(StarlingPlayer, name);
for (const name of StarlingFile.observedAttributes) defineText(StarlingFile, name);
for (const name of [...VIDEO_FLAGS, "debug", "require-consent"]) {
  Object.defineProperty(StarlingPlayer.prototype, camel(name), {
    get() { return this.hasAttribute(name); },
    set(value) { this.toggleAttribute(name, Boolean(value)); },
  });
}

/** A property for an attribute that is text. @param {CustomElementConstructor} element @param {string} name */
function defineText({ prototype }, name) {
  Object.defineProperty(prototype, camel(name), {
    get() { return this.getAttribute(name) ?? ""; },
    set(value) { value == null ? this.removeAttribute(name) : this.setAttribute(name, value); },
  });
}

/** @param {string} name */
function camel(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

/**
 * The options that are given.
 * @template {object} T
 * @param {T} options
 * @returns {T}
 */
function defined(options) {
  return /** @type {T} */ (Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)));
}

/**
 * A loader that loads once; a failed load is tried anew at the next call.
 * @template T
 * @param {() => Promise<T>} load
 * @returns {() => Promise<T>}
 */
function once(load) {
  /** @type {Promise<T> | null} */
  let loading = null;
  /** @param {number[]} waits @returns {Promise<T>} */
  const patiently = ([wait, ...later]) => load().catch(async (error) => {
    // A network that changes ends all that is under way; errors of other kinds would come again.
    if (!wait || !(error instanceof TypeError)) throw error;
    await new Promise((passed) => setTimeout(passed, wait));
    return patiently(later);
  });
  return () => (loading ??= patiently(AGAIN_MS).catch((error) => {
    loading = null;
    throw error;
  }));
}

/** An element that a page's style sheet can reach by `::part(name)`. @param {string} tag @param {string} name */
function part(tag, name) {
  const element = document.createElement(tag);
  element.setAttribute("part", name);
  return element;
}

/** A place for the page's own content. @param {string} [name] @param {string} [otherwise] */
function slot(name = "", otherwise = "") {
  const slot = document.createElement("slot");
  slot.name = name;
  slot.append(otherwise);
  return slot;
}

/**
 * A constructed style sheet needs no permission of a Content-Security-Policy.
 * @param {ShadowRoot} shadow
 */
function adoptStyle(shadow) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.textContent = STYLE;
    shadow.append(style);
  }
}

if (!customElements.get("starling-player")) customElements.define("starling-player", StarlingPlayer);
if (!customElements.get("starling-file")) customElements.define("starling-file", StarlingFile);
