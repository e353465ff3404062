// @ts-check
// Gives frames of our own page the bytes of a file that is still coming. The page has the blocks and checks them;
// this hands on what a frame asks for, a piece at a time, and keeps nothing.
//
//   /preview/<token>.frame   a player: a document without scripts
//   /preview/<token>.file    the bytes
//
// Its scope is its folder: it hears of no other request.

/** @type {any} */
const worker = self;

/** What the player's document may do: play what stands beside it. */
const POLICY = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";
/** Types that a browser shows and does not run. */
const SHOWN = /^(?:video\/[\w.+-]+|audio\/[\w.+-]+|application\/pdf)$/;
const STYLE = `html,body{height:100%;margin:0;background:#060708}
video{display:block;width:100%;height:100%;object-fit:contain}
audio{display:block;width:100%;height:100%}
html.audio,html.audio body{background:transparent}`;

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  const [, token, what] = /^\/preview\/([0-9a-f]{32})\.(frame|file)$/.exec(url.pathname) ?? [];
  if (url.origin !== worker.location.origin || !token) return;
  event.respondWith(what === "frame" ? frame(token, url.searchParams.get("kind")) : file(token, event.request));
});

/**
 * @param {string} token
 * @param {string | null} kind
 */
function frame(token, kind) {
  const tag = kind === "audio" ? "audio" : "video";
  const html = `<!doctype html><html lang="en" class="${tag}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Preview</title><style>${STYLE}</style><${tag} src="${token}.file" controls playsinline preload="metadata"></${tag}></html>`;
  return new Response(html, {
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY, "x-content-type-options": "nosniff" },
  });
}

/**
 * @param {string} token
 * @param {Request} request
 */
async function file(token, request) {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  const from = Number(range?.[1] ?? 0);
  const piece = await ask(token, from);
  if (!piece || !SHOWN.test(piece.type)) return new Response("not here any more\n", { status: 404 });
  const headers = new Headers({
    "content-type": piece.type,
    "accept-ranges": "bytes",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  if (!range) {
    headers.set("content-length", piece.size);
    return new Response(stream(token, piece), { headers });
  }
  if (from >= piece.size) {
    headers.set("content-range", `bytes */${piece.size}`);
    return new Response(null, { status: 416, headers });
  }
  // A part of what was asked for, as a server may give: players ask for the next.
  const most = range[2] === "" ? Infinity : Number(range[2]) - from + 1;
  const bytes = piece.bytes.subarray(0, Math.max(0, most));
  headers.set("content-range", `bytes ${from}-${from + bytes.length - 1}/${piece.size}`);
  headers.set("content-length", String(bytes.length));
  return new Response(bytes, { status: 206, headers });
}

/**
 * All of a file, as fast as it is read.
 * @param {string} token
 * @param {{ size: number, bytes: Uint8Array } | null} piece
 */
function stream(token, piece) {
  let at = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        piece ??= await ask(token, at);
        if (!piece) return controller.error(new Error("not here any more"));
        if (piece.bytes.length > 0) controller.enqueue(piece.bytes);
        at += piece.bytes.length;
        if (at >= piece.size || piece.bytes.length === 0) controller.close();
        piece = null;
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Asks our pages for bytes; the one that shows the file answers when they are there, others at once that it is not
 * theirs.
 * @param {string} token
 * @param {number} from
 * @returns {Promise<{ type: string, size: number, bytes: Uint8Array } | null>}
 */
async function ask(token, from) {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const answers = pages
    .filter((/** @type {any} */ page) => !new URL(page.url).pathname.startsWith("/preview/"))
    .map((/** @type {any} */ page) => {
      const { port1, port2 } = new MessageChannel();
      return new Promise((resolve, reject) => {
        port1.onmessage = ({ data }) => {
          port1.close();
          if (data) resolve(data);
          else reject(new Error("not of this page"));
        };
        page.postMessage({ token, from }, [port2]);
      });
    });
  return Promise.any(answers).catch(() => null);
}
