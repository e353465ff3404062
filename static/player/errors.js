// @ts-check
// What went wrong, in words a viewer or a site's owner can act on.

/** @typedef {import("../embed.js").Problem} Problem */

/** How long an address may take to show that it is there at all, in milliseconds. */
const PROBE_MS = 5000;

/**
 * @param {string} code
 * @param {string} what
 * @param {string} remedy
 * @returns {Problem}
 */
const problem = (code, what, remedy) => ({ code, what, remedy });

/** Problems that need no look at the network. @type {Record<string, Problem>} */
const KNOWN = {
  "not-hls": problem(
    "not-hls",
    "This address is not an HLS playlist.",
    "Use the address of an .m3u8 file.",
  ),
  "codec-unsupported": problem(
    "codec-unsupported",
    "This browser can't play the codecs of this video.",
    "Try another browser, or ask the publisher for an H.264 and AAC version.",
  ),
  "decode-failed": problem(
    "decode-failed",
    "The video data is damaged or can't be decoded.",
    "Reload the page; if it stays, tell the publisher.",
  ),
  "publisher-mismatch": problem(
    "publisher-mismatch",
    "The server sends other bytes than the publisher signed, so they are not played.",
    "The publisher should sign the current files anew, or correct the publisher key of this player.",
  ),
  "encrypted": problem(
    "encrypted",
    "This video is protected and its key can't be had here.",
    "Watch it on the publisher's own page.",
  ),
  "no-player": problem(
    "no-player",
    "The player's code could not be loaded, and this browser plays no HLS by itself.",
    "Check the connection and content blockers, then try again.",
  ),
  "offline": problem(
    "offline",
    "This device is offline.",
    "Playback goes on by itself when the connection is back.",
  ),
};

/**
 * A problem by its code.
 * @param {string} code
 * @returns {Problem}
 */
export function known(code) {
  return KNOWN[code] ?? problem(code, "The video can't be played.", "Try again.");
}

/**
 * Explains a fatal error of hls.js.
 * @param {{type: string, details: string, url?: string, response?: {code?: number, url?: string},
 *   error?: Error, frag?: {url?: string}, context?: {url?: string}}} data
 * @returns {Promise<Problem>}
 */
export async function explain(data) {
  const { type, details } = data;
  if (details === "manifestParsingError" || details === "levelEmptyError") return KNOWN["not-hls"];
  if (/codec/i.test(details)) return KNOWN["codec-unsupported"];
  if (type === "keySystemError" || details.startsWith("key")) return KNOWN["encrypted"];
  if (type !== "networkError") return KNOWN["decode-failed"];
  const url = data.url ?? data.response?.url ?? data.context?.url ?? data.frag?.url ?? "";
  return network(url, data.response?.code ?? 0);
}

/**
 * @param {string} url
 * @param {number} status 0 when there was no answer that this page may see
 */
async function network(url, status) {
  const host = hostOf(url);
  if (status === 404 || status === 410) {
    return problem("not-found", `${host} has no such video.`, "Check the address.");
  }
  if (status === 401 || status === 403) {
    return problem(
      "forbidden",
      `${host} does not give this video to everybody.`,
      "The address may have expired, or the video may need a login on the publisher's own page.",
    );
  }
  if (status >= 400) {
    return problem(
      "origin-error",
      `${host} answers with an error (${status}).`,
      "Try again later.",
    );
  }
  if (!navigator.onLine) return KNOWN["offline"];
  if (isMixed(url)) {
    return problem(
      "insecure-address",
      "This page is secure, and the video's address is not: the browser refuses it.",
      "Use an https address.",
    );
  }
  if (await answers(url)) {
    return problem(
      "cors-refused",
      `${host} answers, but does not let pages of other sites read its video.`,
      "Its owner has to send the header Access-Control-Allow-Origin.",
    );
  }
  return problem(
    "unreachable",
    `${host} does not answer.`,
    "Check the address and the connection.",
  );
}

/**
 * Whether there is a server behind an address, even one whose answers this page may not read.
 * @param {string} url
 */
async function answers(url) {
  try {
    const signal = AbortSignal.timeout?.(PROBE_MS);
    await fetch(url, { mode: "no-cors", credentials: "omit", cache: "no-store", signal });
    return new URL(url, location.href).origin !== location.origin;
  } catch {
    return false;
  }
}

/** @param {string} url */
function isMixed(url) {
  const { protocol, hostname } = new URL(url, location.href);
  const isLocal = hostname === "localhost" || hostname.startsWith("127.");
  return location.protocol === "https:" && protocol === "http:" && !isLocal;
}

/** @param {string} url */
function hostOf(url) {
  try {
    return new URL(url, location.href).host || "The server";
  } catch {
    return "The server";
  }
}
