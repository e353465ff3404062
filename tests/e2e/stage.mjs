// What the end-to-end tests stand on: the real server, an origin of media and an origin of pages (three origins,
// as on the web), and players in real browsers.

import { promises as fs, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOut } from '../rig/media.mjs';
import { startOrigin } from '../rig/origin.mjs';
import { publish, startStarling } from '../rig/starling.mjs';
import { pageOf } from './page.mjs';

export const RECIPE = 'e2e-media';
/** Deadline of anything a test waits for, unless it says otherwise. */
export const PATIENCE_MS = 45_000;
const PROBE = readFileSync(new URL('../rig/probe.js', import.meta.url), 'utf8');
const LOOK_EVERY_MS = 150;

/**
 * Opens a stage. Options: `segments` (45 of 2 s), `renditions` (['hi']), `signed` (true), `origin` (options of the
 * media's origin), `config` (TOML for the server, or a function of the media's origin), `serveMedia` (the server
 * serves the media itself).
 */
export async function openStage(options = {}) {
  const { segments = 45, renditions = ['hi'], signed = true, origin: originOptions = {}, config = '', serveMedia = false } = options;
  const folder = await stageFolder();
  const media = path.join(folder, 'media');
  const sizes = await layOut(RECIPE, media, { segments, renditions });
  if (signed) await publish(media, path.join(folder, 'publisher'));
  const origin = await startOrigin({ mounts: { '/stream': media }, ...originOptions });
  const pages = await startOrigin({ intercept: pageOf });
  const server = await startStarling({
    folder,
    media: serveMedia ? media : undefined,
    config: typeof config === 'function' ? config(origin.url) : config,
  });
  const stage = { folder, media, sizes, origin, pages, server, src: `${origin.url}/stream/master.m3u8`, viewers: new Set() };
  /** Closes the tabs a test left open: the next one begins alone. */
  stage.clear = () => Promise.all([...stage.viewers].map((viewer) => viewer.close().catch(() => {})));
  stage.close = async () => {
    await stage.clear();
    await server.close();
    await origin.close();
    await pages.close();
    await fs.rm(folder, { recursive: true, force: true });
  };
  return stage;
}

/** Beside the media, so that segments can be linked instead of copied. */
export async function stageFolder() {
  const parent = path.join(os.homedir(), '.cache', 'starling', 'e2e-runs');
  await fs.mkdir(parent, { recursive: true });
  return fs.mkdtemp(path.join(parent, 'run-'));
}

/** Tries until `check` gives something true, and gives that; says what was seen last when time is up. */
export async function eventually(what, check, withinMs = PATIENCE_MS) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const { value, seen } = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms; last seen: ${JSON.stringify(seen)}`);
    await sleep(LOOK_EVERY_MS);
  }
}

let lastViewer = 0;

/** Segments a player holds ahead: half a minute, as it does with video of ordinary size. */
const HLS_CONFIG = { maxBufferLength: 30, maxMaxBufferLength: 30 };
/** Gives the tag its options for hls.js as soon as it is defined, which is before it makes a player. */
const configures = (options) => `customElements.whenDefined('starling-player').then(() => {
  const player = document.querySelector('starling-player');
  if (player) player.hlsConfig = ${JSON.stringify({ ...HLS_CONFIG, ...options })};
});`;

/** A tab with `<starling-player>` on a page of another origin. */
export class Viewer {
  /**
   * Opens the tab in a browser context of its own (or in `context`). `attributes` go on the tag; `inject` runs
   * before any script of the page, before the probe; `csp` chooses the page's policy; `server` stands in for the
   * stage's server, `shaper` for the plain network; `hls` holds options for hls.js.
   */
  static async open(browser, stage, { attributes = {}, inject = '', csp = '', server = stage.server, src = stage.src, shaper = null, context = null, hls = {}, id } = {}) {
    const viewer = new Viewer();
    stage.viewers.add(viewer);
    viewer.stage = stage;
    viewer.id = id ?? `v${(lastViewer += 1)}`;
    viewer.ownContext = context === null;
    viewer.context = context ?? (await browser.createBrowserContext());
    viewer.page = await viewer.context.newPage();
    viewer.console = [];
    viewer.page.on('console', (message) => viewer.console.push(message.text()));
    const options = { shaper: shaper && { url: shaper.url, viewer: viewer.id } };
    await viewer.page.evaluateOnNewDocument(`window.__probeOptions=${JSON.stringify(options)};${inject};${configures(hls)}${PROBE}`);
    const query = new URLSearchParams({ server: server.url, media: new URL(src).origin, csp, ...prefixed(attributes), 'tag-src': src });
    viewer.url = `http://${viewer.id}.localhost:${stage.pages.port}/embed?${query}`;
    await viewer.page.goto(viewer.url, { waitUntil: 'domcontentloaded' });
    return viewer;
  }

  /** Everything a test looks at, at one moment. */
  async look() {
    return this.page.evaluate(() => {
      const player = document.querySelector('starling-player');
      const video = player?.video;
      const buffered = video?.buffered;
      return {
        stats: player?.stats ?? null,
        probe: window.__probe.now(),
        defined: customElements.get('starling-player') !== undefined,
        video: video && {
          at: video.currentTime,
          bufferedTo: buffered.length > 0 ? buffered.end(buffered.length - 1) : 0,
          paused: video.paused,
          ended: video.ended,
          duration: video.duration,
          readyState: video.readyState,
          error: video.error?.message ?? null,
        },
      };
    });
  }

  /** Waits until `condition(look)` is true; gives that look. */
  async until(what, condition, withinMs = PATIENCE_MS) {
    return eventually(`${this.id} ${what}`, async () => {
      const seen = await this.look();
      return { value: condition(seen) && seen, seen };
    }, withinMs);
  }

  /** Waits until the picture has moved on to `seconds`. */
  async played(seconds, withinMs = PATIENCE_MS) {
    return this.until(`plays to ${seconds} s`, ({ video }) => video && video.at >= seconds, withinMs);
  }

  /** Waits until the picture has moved `seconds` further than now. */
  async playsOn(seconds, withinMs = PATIENCE_MS) {
    const { video } = await this.look();
    return this.played(video.at + seconds, withinMs);
  }

  /** Calls `change(video, argument)` in the page. */
  async control(change, argument) {
    return this.page.evaluate(`(${change})(document.querySelector('starling-player').video, ${JSON.stringify(argument)})`);
  }

  /** Makes the player show one rendition at once, by its place in the order of hls.js. */
  async chooseLevel(level) {
    await this.page.evaluate((wanted) => (document.querySelector('starling-player').hls.currentLevel = wanted), level);
  }

  async close() {
    if (!this.stage.viewers.delete(this)) return;
    if (this.ownContext) await this.context.close();
    else await this.page.close();
  }
}

function prefixed(attributes) {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`tag-${name}`, value]));
}

/** Share of media bytes that came from peers, by the player's own count. */
export function offloadOf({ stats }) {
  const all = stats.p2pBytes + stats.httpBytes;
  return all === 0 ? 0 : stats.p2pBytes / all;
}

