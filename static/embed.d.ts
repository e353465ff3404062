// Types of `embed.js`: what a site that embeds the player can rely on.

/** Bytes per second; `null` for no limit; 0 for no uploads. */
export type UploadLimit = number | null;

/** What a peer is started with. */
export interface PeerOptions {
  /** The signaling server, absolute. Default: `/signal` on the host of `embed.js`. */
  signalUrl?: string;
  /** Connect to other viewers through relays only, so that they do not learn this device's address. */
  relayOnly?: boolean;
  /** Default: no limit, but no uploads on cellular lines or with the data saver on. */
  uploadLimit?: UploadLimit;
}

/** What is shared with whom, and how it is checked. */
export interface StreamOptions {
  /** Name of the swarm; viewers of mirrors who give the same name share. Default: the playlist's URL. */
  swarm?: string;
  /** The only publisher whose signed manifest is accepted: 64 hexadecimal characters. */
  publisher?: string;
  /** `best` (default): only bytes that can be checked come from viewers. `none`: unchecked ones too. */
  integrity?: "best" | "none";
  /** The site's key with the host of the signaling server. */
  site?: string;
  /** Region hint of your own choosing: viewers of the same region are preferred. */
  region?: string;
  /** URL of who pays viewers for uploading (`starling fund`). Default: nobody. */
  fund?: string;
  /** The account to pay, 64 hexadecimal characters. Without it this viewer's uploads are a gift. */
  account?: string;
}

/** Options of {@link attach}. */
export interface AttachOptions extends PeerOptions, StreamOptions {
  /** A peer to use instead of the page's own. */
  peer?: Peer | Promise<Peer>;
}

/** How the video is played: with other viewers, by plain hls.js, by the browser itself, not at all. */
export type Mode = "starling" | "hls" | "native" | "idle";

/** Where the proof of a segment comes from. */
export type IntegritySource = "unknown" | "manifest" | "digest" | "witness" | "unchecked" | "http-only";

/** Something that went wrong, for code and for people. */
export interface Problem {
  /** Stable: `cors-refused`, `not-hls`, `not-found`, `codec-unsupported`, … */
  code: string;
  /** What happened. */
  what: string;
  /** What to do about it. */
  remedy: string;
}

/** What a viewer earned from a fund since its process began, in the smallest units: a STAR has 1,000,000. */
export interface Earned {
  units: number;
  /** Of these, paid into the account. */
  paid: number;
  /** `off`: the fund does not pay for this video; `unreachable`: it did not answer, and is asked again. */
  state: "starting" | "on" | "off" | "unreachable";
  /** The ledger on which the fund pays, and its pool there, once it answered. */
  chain?: string;
  pool?: number;
}

/** What a site's owner wants to know. Bytes are media bytes since the source was loaded. */
export interface Stats {
  mode: Mode;
  /** From the origin by HTTP. */
  httpBytes: number;
  /** From other viewers, verified. */
  p2pBytes: number;
  /** From an earlier visit. */
  cacheBytes: number;
  /** To other viewers. */
  uploadBytes: number;
  /** Share of `p2pBytes` in `p2pBytes` and `httpBytes`, 0 to 1. */
  offload: number;
  /** Viewers connected to. */
  peers: number;
  /** Viewers in the swarm, this one included. */
  swarmSize: number;
  /** From loading to the first frame; `null` before it. */
  startupMs: number | null;
  /** Times the picture stood still for want of data. */
  stalls: number;
  /** How long in all. */
  stallMs: number;
  /** hls.js's level that plays; -1 for none. */
  level: number;
  /** Behind the live edge; `null` for a video on demand. */
  latencyS: number | null;
  integrity: IntegritySource;
  /** There where the page names a fund and other viewers can be met. */
  earned?: Earned;
  /** What is wrong now. */
  error?: Problem;
}

/** A segment, and where its bytes came from. */
export interface Delivery {
  data: ArrayBuffer;
  originBytes: number;
  peerBytes: number;
  cacheBytes: number;
  /** What a bandwidth estimator should believe this device gets. */
  bytesPerS: number;
}

/** One segment of a list. */
export interface SegmentEntry {
  /** Media sequence number. */
  index: number;
  /** Start on the player's timeline. */
  startMs: number;
  durationMs: number;
  /** Absolute. */
  url: string;
  /** `EXT-X-BYTERANGE`: first byte, and one past the last. */
  rangeFrom?: number;
  rangeTo?: number;
}

/** A load under way. */
export interface HandedLoad {
  bytes: Uint8Array;
  /** Of all of it, if the origin told. */
  size: number | undefined;
  tookMs: number;
  reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">;
  controller: AbortController;
}

/** A stream of a peer: `StarlingStream` of `peer/peer.js`. */
export interface Stream {
  readonly swarm: string;
  setTrack(track: number, live: boolean, segments: SegmentEntry[]): void;
  load(track: number, index: number): Promise<Delivery>;
  abort(track: number, index: number): void;
  /** The player loads that segment by itself. */
  elsewhere(track: number, index: number): void;
  /** What it loaded by itself, in `tookMs` milliseconds; without `data`: it gave up. */
  give(track: number, index: number, data?: Uint8Array, tookMs?: number): void;
  /**
   * The player's own load of a whole file becomes the peer's: `bytes` of it are here after `tookMs` milliseconds,
   * the rest comes from `reader`. Call `load` after it.
   */
  handOver(track: number, index: number, load: HandedLoad): void;
  playback(track: number, positionMs: number, bufferedMs: number, ratePercent: number): void;
  view(): any;
  close(): void;
}

/** A running peer: `StarlingPeer` of `peer/peer.js`. */
export interface Peer {
  open(options: StreamOptions & { playlistUrl: string }): Stream;
  view(): any;
  /** Signs a report to a fund. */
  attest(said: string): Uint8Array;
  setLimits(limits: { uploadLimit?: UploadLimit; memoryBytes?: number }): void;
  setRelayOnly(relayOnly: boolean): void;
  setCacheBytes(bytes: number): void;
  cacheInfo(): Promise<{ usedBytes: number; limitBytes: number; segments: number }>;
  clearCache(): Promise<void>;
  pause(): void;
  resume(): void;
  close(): void;
}

/** The swarm on a player of hls.js. Fires `mode` (its `detail` is the mode) and `problem` (a code). */
export interface Attachment extends EventTarget {
  readonly mode: "starling" | "hls";
  readonly stats: Stats;
  /** Uses this peer from now on; `null`: plain HTTP. */
  usePeer(peer: Peer | Promise<Peer> | (() => Promise<Peer>) | null): Promise<void>;
  /** Who pays for uploads from now on, and which account; neither: nobody. */
  setFund(fund?: string, account?: string): void;
  /** Takes everything back; the player goes on as plain hls.js. */
  destroy(): void;
}

/**
 * Adds the swarm to a player of hls.js that the site already has. Best before `hls.loadSource(…)`;
 * playback does not wait for it and goes on without it.
 */
export function attach(hls: object, options?: AttachOptions): Promise<Attachment>;

/** The class `Hls` of the hls.js that comes with this module, for pages that make their own player of it. */
export function loadHls(): Promise<any>;

/** `<starling-player>`. Every attribute of the manual is a property in camel case. */
export interface StarlingPlayerElement extends HTMLElement {
  src: string;
  poster: string;
  preload: string;
  crossorigin: string;
  controls: boolean;
  autoplay: boolean;
  muted: boolean;
  playsinline: boolean;
  loop: boolean;
  debug: boolean;
  signal: string;
  swarm: string;
  publisher: string;
  integrity: string;
  ice: string;
  region: string;
  site: string;
  uploadLimit: string;
  fund: string;
  account: string;
  requireConsent: boolean;
  beacon: string;
  /** A peer to use instead of the page's own. */
  peer: Peer | null;
  /** Options for `new Hls(…)`, from the next load on. */
  hlsConfig: Record<string, unknown>;
  /** The instance of hls.js, while one plays. */
  readonly hls: any;
  /** The real `<video>`. */
  readonly video: HTMLVideoElement;
  readonly mode: Mode;
  readonly stats: Stats;
  play(): Promise<void>;
  pause(): void;
  /** Loads the source anew. */
  load(): void;
  /** The viewer agrees to exchange segments with other viewers. */
  consent(): void;
}

/** How far a `<starling-file>` is; `link`: ours could not start or go on, the browser downloads from the gateway. */
export type FileState = "starting" | "finding" | "fetching" | "saving" | "done" | "link" | "failed";

/** `<starling-file>`: a download that everybody who has the file helps with. */
export interface StarlingFileElement extends HTMLElement {
  /** The CID of a public file or folder, or a whole share link (`https://host/#/get/…`). */
  cid: string;
  /** What the file is called. */
  name: string;
  /** The Starling server that introduces peers. Default: the host of `embed.js`. */
  server: string;
  /** The IPFS gateway for what nobody has, and the link without us. Default: the server. */
  gateway: string;
}

declare global {
  interface HTMLElementTagNameMap {
    "starling-file": StarlingFileElement;
    "starling-player": StarlingPlayerElement;
  }
  interface HTMLElementEventMap {
    "starling-stats": CustomEvent<Stats>;
    "starling-file": CustomEvent<{ state: FileState; progress: number }>;
    "starling-error": CustomEvent<Problem>;
    "starling-mode": CustomEvent<Mode>;
  }
}
