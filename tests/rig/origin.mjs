// An HTTP origin that knows what it gave to whom.
//
// It serves folders under path prefixes and counts the bytes written for every viewer, media apart from
// playlists and pages. A viewer is known by the cookie `viewer`, by `?v=`, or, when its page stands on a host of
// its own such as `v3.localhost`, by the `Origin` of its requests; bytes of nobody known are counted for
// `unknown`, so that a sum over viewers misses nothing.
// Rates can be capped per viewer and for the whole origin, and every media answer can be delayed.
// A test in the same process may pass `intercept` to answer some requests itself.

import http from 'node:http';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pacer } from './pacer.mjs';

const CHUNK_BYTES = 16 * 1024;

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.m4s': 'video/iso.segment',
  '.mjs': 'text/javascript',
  '.mp4': 'video/mp4',
  '.svg': 'image/svg+xml',
  '.ts': 'video/mp2t',
  '.wasm': 'application/wasm',
};
const MEDIA = new Set(['.m4s', '.mp4', '.ts']);

/**
 * Starts an origin on the loopback interface.
 *
 * Options: `port` (0: any), `mounts` ({"/prefix": folder}), `cors` (true), `viewerKbps`, `totalKbps`,
 * `latencyMs`, `digest` (send `Repr-Digest` with media), `headers` (added to every answer),
 * `intercept(request, response, origin)` (return true when it answered).
 */
export async function startOrigin(options = {}) {
  const origin = new Origin(options);
  await new Promise((resolve, reject) => {
    origin.server.once('error', reject);
    origin.server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = origin.server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Bytes by viewer: {media, playlist, page, requests, aborted, segments: {path: bytes}}. */
    counts: () => origin.counts,
    /** Forgets all counts and empties the lines. */
    reset: () => origin.reset(),
    /** Changes options while running. */
    set: (changes) => origin.set(changes),
    close: () => origin.close(),
  };
}

class Origin {
  constructor(options) {
    this.options = { cors: true, viewerKbps: 0, totalKbps: 0, latencyMs: 0, mounts: {}, headers: {}, ...options };
    this.reset();
    this.server = http.createServer((request, response) => {
      this.answer(request, response).catch((error) => refuse(response, error));
    });
    this.server.keepAliveTimeout = 60_000;
  }

  reset() {
    this.counts = {};
    this.viewerLines = new Map();
    this.totalLine = new Pacer(this.options.totalKbps);
  }

  set(changes) {
    Object.assign(this.options, changes);
    this.viewerLines.clear();
    this.totalLine = new Pacer(this.options.totalKbps);
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  of(viewer) {
    return (this.counts[viewer] ??= { media: 0, playlist: 0, page: 0, requests: 0, aborted: 0, segments: {} });
  }

  async answer(request, response) {
    const url = new URL(request.url, 'http://origin');
    const cors = this.options.cors
      ? { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*', 'cross-origin-resource-policy': 'cross-origin', 'timing-allow-origin': '*' }
      : {};
    for (const [name, value] of Object.entries({ ...cors, ...this.options.headers })) response.setHeader(name, value);
    if (this.options.intercept && (await this.options.intercept(request, response, this))) return;
    if (request.method === 'OPTIONS') {
      if (this.options.cors) {
        response.setHeader('access-control-allow-headers', '*, range, want-repr-digest');
        response.setHeader('access-control-allow-methods', 'GET, HEAD');
      }
      response.writeHead(204).end();
      return;
    }
    await this.answerFile(request, response, url);
  }

  fileOf(pathname) {
    const prefixes = Object.keys(this.options.mounts).sort((a, b) => b.length - a.length);
    const prefix = prefixes.find((each) => pathname.startsWith(each === '/' ? '/' : `${each}/`));
    if (prefix === undefined) return null;
    const rest = path.normalize(`/${decodeURIComponent(pathname.slice(prefix.length))}`);
    return path.join(this.options.mounts[prefix], rest.endsWith('/') ? `${rest}index.html` : rest);
  }

  async answerFile(request, response, url) {
    const file = this.fileOf(url.pathname);
    if (file === null) return refuse(response, { code: 'ENOENT' });
    const extension = path.extname(file);
    const media = MEDIA.has(extension);
    if (this.options.latencyMs > 0 && (media || extension === '.m3u8')) await sleep(this.options.latencyMs);
    const whole = await fs.readFile(file);
    response.setHeader('content-type', TYPES[extension] ?? 'application/octet-stream');
    response.setHeader('cache-control', media ? 'max-age=3600' : 'no-cache');
    response.setHeader('accept-ranges', 'bytes');
    if (media) response.setHeader('etag', `"${whole.length.toString(16)}-${path.basename(file)}"`);
    if (media && this.options.digest) {
      response.setHeader('repr-digest', `sha-256=:${createHash('sha256').update(whole).digest('base64')}:`);
    }
    const [from, to] = byteRange(request.headers.range, whole.length);
    if (from > 0 || to < whole.length) {
      response.statusCode = 206;
      response.setHeader('content-range', `bytes ${from}-${to - 1}/${whole.length}`);
    }
    response.setHeader('content-length', to - from);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const viewer = viewerOf(request, url);
    const kind = media ? 'media' : extension === '.m3u8' ? 'playlist' : 'page';
    await this.send(response, whole.subarray(from, to), viewer, kind, url.pathname);
  }

  /** Writes a body at the pace of the viewer's line and the origin's, counting what was written. */
  async send(response, body, viewer, kind, pathname) {
    const counts = this.of(viewer);
    if (kind === 'media') counts.requests += 1;
    const closed = new Promise((resolve) => response.once('close', resolve));
    for (let offset = 0; offset < body.length; offset += CHUNK_BYTES) {
      const chunk = body.subarray(offset, offset + CHUNK_BYTES);
      if (kind === 'media') await this.pace(viewer, chunk.length);
      if (response.destroyed) {
        counts.aborted += 1;
        return;
      }
      counts[kind] += chunk.length;
      if (kind === 'media') counts.segments[pathname] = (counts.segments[pathname] ?? 0) + chunk.length;
      if (!response.write(chunk)) await Promise.race([new Promise((resolve) => response.once('drain', resolve)), closed]);
    }
    response.end();
  }

  async pace(viewer, bytes) {
    let line = this.viewerLines.get(viewer);
    if (!line) this.viewerLines.set(viewer, (line = new Pacer(this.options.viewerKbps)));
    const waitMs = Math.max(line.book(bytes), this.totalLine.book(bytes));
    if (waitMs > 1) await sleep(waitMs);
  }
}

function viewerOf(request, url) {
  const cookie = /(?:^|;\s*)viewer=([\w-]+)/.exec(request.headers.cookie ?? '');
  const host = /^https?:\/\/([\w-]+)\.localhost(?::|$)/.exec(request.headers.origin ?? '');
  return cookie?.[1] ?? url.searchParams.get('v') ?? host?.[1] ?? 'unknown';
}

/** Half-open byte range asked for, or the whole. */
function byteRange(header, size) {
  const match = /^bytes=(\d+)-(\d*)$/.exec(header ?? '');
  if (!match) return [0, size];
  const from = Math.min(Number(match[1]), size);
  const to = match[2] === '' ? size : Math.min(Number(match[2]) + 1, size);
  return [from, Math.max(from, to)];
}

function refuse(response, error) {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(error.code === 'ENOENT' || error.code === 'EISDIR' ? 404 : 500);
  response.end();
}
