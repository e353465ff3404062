// @ts-check
// Gives frames of our own page the bytes of a file that is still coming, and the browser's downloads those of one that
// is whole. The page has the blocks and checks them; this hands on what is asked for, a piece at a time, and keeps
// nothing. Why so: `docs/adr/0049-saving-streams.md`.
//
//   /preview/<token>.frame   a player: a document without scripts
//   /preview/<token>.file    the bytes, shown
//   /preview/<token>.save    the bytes, downloaded
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

/**
 * Downloads under way, by their tokens. No more than the pages allow, see `peer-wasm/src/files/worker.rs`.
 * @type {Set<string>}
 */
const saving = new Set();

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
// A browser ends a worker that hears nothing for half a minute, its downloads too: a page asks every few seconds
// whether its one goes on. A worker that was started anew does not know it.
worker.addEventListener("message", (/** @type {any} */ event) => {
  event.ports[0]?.postMessage(saving.has(event.data?.token));
});
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  const [, token, what] = /^\/preview\/([0-9a-f]{32})\.(frame|file|save)$/.exec(url.pathname) ?? [];
  if (url.origin !== worker.location.origin || !token) return;
  if (what === "frame") event.respondWith(frame(token, url.searchParams.get("kind")));
  else event.respondWith(what === "file" ? file(token, event.request) : save(token));
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
  const piece = await ask({ token, from });
  if (!piece || !SHOWN.test(piece.type)) return gone();
  const headers = headersOf(piece.type, "bytes");
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
        piece ??= await ask({ token, from: at });
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
 * A download. Always whole: a browser that goes on with a download asks the server, not this worker, so none is
 * invited to by ranges or validators.
 * @param {string} token
 */
async function save(token) {
  // Before the page is asked, for from then on it looks whether this goes on.
  const isFirst = !saving.has(token);
  saving.add(token);
  const head = await ask({ token });
  if (!head) {
    // A second request is refused: the first goes on.
    if (isFirst) saving.delete(token);
    return gone();
  }
  const headers = headersOf("application/octet-stream", "none");
  headers.set("content-disposition", attachment(head.name));
  headers.set("content-security-policy", "default-src 'none'");
  if (head.size !== null) headers.set("content-length", head.size);
  return new Response(blocks(token, head.page), { headers });
}

/**
 * The pieces of a download: the next is asked for when the browser has taken the one before, so at most one is here.
 * An empty one is the end.
 * @param {string} token
 * @param {string} page
 */
function blocks(token, page) {
  let at = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        const piece = await ask({ token, from: at }, page);
        if (piece?.bytes.length > 0) {
          at += piece.bytes.length;
          return controller.enqueue(piece.bytes);
        }
        saving.delete(token);
        if (piece) controller.close();
        else controller.error(new Error("not here any more"));
      },
      async cancel() {
        saving.delete(token);
        for (const client of await pages(page)) client.postMessage({ token });
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * RFC 6266: a name for every browser, and in RFC 8187's way the real one.
 * @param {string} name
 */
function attachment(name) {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const whole = encodeURIComponent(name).replace(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`;
}

/**
 * @param {string} type
 * @param {string} ranges
 */
function headersOf(type, ranges) {
  return new Headers({ "content-type": type, "accept-ranges": ranges, "cache-control": "no-store", "x-content-type-options": "nosniff" });
}

function gone() {
  return new Response("not here any more\n", { status: 404 });
}

/**
 * Our pages, or only the one of this id; frames of this folder are none.
 * @param {string} [id]
 * @returns {Promise<any[]>}
 */
async function pages(id) {
  const all = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter((/** @type {any} */ client) => (!id || client.id === id) && !new URL(client.url).pathname.startsWith("/preview/"));
}

/**
 * Asks our pages, or one; the one whose file it is answers when it can, others at once that it is not theirs.
 * @param {{ token: string, from?: number }} question
 * @param {string} [page]
 * @returns {Promise<any>}
 */
async function ask(question, page) {
  const answers = (await pages(page)).map((client) => {
    const { port1, port2 } = new MessageChannel();
    return new Promise((resolve, reject) => {
      port1.onmessage = ({ data }) => {
        port1.close();
        if (data) resolve({ ...data, page: client.id });
        else reject(new Error("not of this page"));
      };
      client.postMessage(question, [port2]);
    });
  });
  return Promise.any(answers).catch(() => null);
}
