// @ts-check
// Keeps the page on this device, so that one that was opened once opens again while its host is down. A host that
// answers always comes first: the document is asked of it, and only where no answer comes is the kept one shown. Files
// whose names hold their hash are the same wherever they come from, so the kept ones are given at once. Why so:
// `docs/adr/0078-pages-that-stay.md`.
//
// A page says `{ keep: version }` once it has been open for a while (`app/boot.js`). Then the files of the host's newest
// version come, one after the other, each checked against the list that the build made (`xtask/src/web/kept.rs`). The
// list is put last: a version that has it is whole, and others are shown to nobody. A document from here finds all it
// asks for under its own version, so nothing is half old and half new.
//
// Its scope is the origin; it answers for the page's documents and files, and for nothing else.

/** @type {any} */
const worker = self;

/** `{version, bytes, files: [[path, bytes, sha256], …]}`; the document's path is `/`. */
const LIST = "/kept.json";
/** Before the version, in the name of its cache. */
const CACHE = "starling-page-";
/** Bounds of a version. Of whole ones two at most stay: the newest, and that of the page which asked. */
const FILES_MAX = 512;
const BYTES_MAX = 16_777_216;
/** How long the host has to answer where there is a kept document. */
const PATIENCE_MS = 3_000;
/** How long it is taken to be away then: the rest of that page does not wait anew. */
const AWAY_MS = 30_000;
/** Whether a status is a gateway's word that the host behind it does not answer: common ones, and those from 520 on. */
const isAway = (/** @type {number} */ status) => (status >= 502 && status <= 504) || (status >= 520 && status <= 530);
/** Where the app draws a page: `APP_ROUTES` of `starling/src/serve/assets.rs`. */
const PAGES = new Set([
  "/", "/watch", "/share", "/library", "/network", "/wallet", "/ledger", "/lend", "/liquidations", "/energy",
  "/community", "/settings", "/host", "/identity", "/identity/credentials", "/identity/present", "/identity/issue",
  "/identity/verify", "/identity/shared",
]);
/** A file of the page with its hash in the name. */
const HASHED = /^\/(?:(?:fund|icons|identity|pages|player|scan|vendor|wallet)\/)?[^/]*-[0-9a-f]{8,}[._][^/]*$/;
/** One that keeps its name. What must fit the page is asked for with the page's version, `?v=`. */
const PLAIN = /^\/(?:embed\.js|manifest\.webmanifest|icons\/[\w.-]+|scan\/element\.js|(?:identity|scan|wallet)\/worker\.js)$/;

/** Until when the host is taken to be away. */
let awayUntil = 0;
/** The keeping under way: one at a time. @type {Promise<void> | null} */
let keeping = null;

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("message", (/** @type {any} */ event) => {
  const version = event.data?.keep;
  if (typeof version !== "string") return;
  keeping ??= keep(version).finally(() => (keeping = null));
  event.waitUntil(keeping);
});
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname: path, searchParams } = new URL(request.url);
  if (request.method !== "GET" || origin !== worker.location.origin) return;
  if (request.mode === "navigate") {
    if (PAGES.has(path.length > 1 ? path.replace(/\/$/, "") : path)) event.respondWith(open(request));
  } else if (HASHED.test(path)) {
    event.respondWith(hashed(request, path));
  } else if (PLAIN.test(path)) {
    event.respondWith(plain(request, path, searchParams.get("v")));
  }
});

/**
 * The document: the host's, or where it does not answer the newest whole one that is here.
 * @param {Request} request
 * @returns {Promise<Response>}
 */
async function open(request) {
  const answer = fetch(request);
  const told = answer.then((response) => (isAway(response.status) ? null : response), () => null);
  const early = await Promise.race([told, rest(PATIENCE_MS)]);
  if (early) {
    awayUntil = 0;
    return early;
  }
  const kept = await (await newest())?.match("/", { ignoreVary: true });
  if (!kept) return answer;
  awayUntil = Date.now() + AWAY_MS;
  return asAsked(kept);
}

/**
 * A file whose name is its content: of any version.
 * @param {Request} request
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function hashed(request, path) {
  return (await caches.match(path, { ignoreVary: true })) ?? fetch(request);
}

/**
 * A file that keeps its name: of the version that is asked for; without one, the host's first.
 * @param {Request} request
 * @param {string} path
 * @param {string | null} version
 * @returns {Promise<Response>}
 */
async function plain(request, path, version) {
  if (version) {
    const own = await caches.match(path, { cacheName: CACHE + version, ignoreVary: true });
    return own ? asAsked(own) : fetch(request);
  }
  const kept = await (await newest())?.match(path, { ignoreVary: true });
  if (kept && Date.now() < awayUntil) return kept;
  return fetch(request).catch((error) => {
    if (kept) return kept;
    throw error;
  });
}

/**
 * What was kept under another address, as an answer to this one: it says of itself where it came from.
 * @param {Response} kept
 */
function asAsked(kept) {
  const headers = new Headers(kept.headers);
  // Of its way here: it is unpacked.
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  return new Response(kept.body, { headers });
}

/** The cache of the newest whole version, if there is one. Names come in the order in which they were made. */
async function newest() {
  for (const name of (await versions()).reverse()) {
    const cache = await caches.open(name);
    if (await cache.match(LIST)) return cache;
  }
  return null;
}

/** Names of all our caches. */
async function versions() {
  return (await caches.keys()).filter((name) => name.startsWith(CACHE));
}

/**
 * Keeps the host's newest version, for a page of `version`. What is lacking at the end comes the next time.
 * @param {string} version
 */
async function keep(version) {
  try {
    const list = await (await fetch(LIST, { cache: "no-cache" })).json();
    if (!isBounded(list)) return;
    const name = CACHE + list.version;
    const cache = await caches.open(name);
    if (!(await cache.match(LIST))) {
      await fill(cache, name, list.files);
      await cache.put(LIST, new Response(JSON.stringify(list), { headers: { "content-type": "application/json" } }));
    }
    const stay = [name, CACHE + version];
    for (const old of await versions()) if (!stay.includes(old)) await caches.delete(old);
  } catch (error) {
    // The host went away meanwhile, or changed. Nothing is lost by it.
    console.info("starling: the page is not kept yet:", error);
  }
}

/** @param {any} list */
function isBounded(list) {
  const { version, files } = list;
  const bytes = files.reduce((/** @type {number} */ sum, /** @type {[string, number, string]} */ [, size]) => sum + size, 0);
  return /^[0-9a-f]{16}$/.test(version) && files.length <= FILES_MAX && bytes <= BYTES_MAX;
}

/**
 * Brings all files of a version into its cache.
 * @param {Cache} cache
 * @param {string} name
 * @param {[string, number, string][]} files
 */
async function fill(cache, name, files) {
  try {
    for (const file of files) await bring(cache, file);
  } catch (error) {
    // Where there is no room, none of it stays.
    if (error instanceof DOMException && error.name === "QuotaExceededError") await caches.delete(name);
    throw error;
  }
}

/**
 * Brings one file, if it is not here; what the page itself loaded comes out of the browser's own cache.
 * @param {Cache} cache
 * @param {[string, number, string]} file
 */
async function bring(cache, [path, size, sha256]) {
  if (await cache.match(path, { ignoreVary: true })) return;
  const answer = await fetch(path, /** @type {any} */ ({ priority: "low" }));
  const bytes = await answer.clone().arrayBuffer();
  const good = answer.ok && !answer.redirected && bytes.byteLength === size;
  if (!good || (await digest(bytes)) !== sha256) throw new Error(`${path} is not what the list says`);
  await cache.put(path, answer);
}

/** @param {ArrayBuffer} bytes */
async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {number} ms
 * @returns {Promise<null>}
 */
function rest(ms) {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms));
}
