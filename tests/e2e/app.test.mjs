// Proves that the page a person opens works as it is: two visitors of the home page share the video, the keyboard
// reaches everything, it fits a phone, nothing jumps or moves that should not, and what is missing (WebAssembly,
// WebRTC, the signaling server) is said and costs no picture.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium, temporaryFolder } from '../rig/browser.mjs';
import { eventually, openStage } from './stage.mjs';
import { promises as fs, readFileSync } from 'node:fs';

const PROBE = readFileSync(new URL('../rig/probe.js', import.meta.url), 'utf8');
const PHONE = { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const WIDE = { width: 1280, height: 800 };
/** The smallest screen a phone of today has. */
const SMALL = { ...PHONE, width: 320, height: 568 };
/** Every page, and words that stand there once it is drawn. */
const ROUTES = {
  '/': /Watch any HLS stream/,
  '/watch': /What shall we watch/,
  '/network': /Connected viewers/,
  '/settings': /What others can see/,
  '/share': /Choose files/,
  '/library': /Nothing here yet/,
  '/wallet': /What can be lost/,
  '/ledger': /Trust root/,
  '/lend': /What I did here/,
  '/identity': /Make an identity/,
  '/liquidations': /Choose a market/,
  '/energy': /What I did here/,
  '/community': /Open a community/,
  '/host': /The host's token/,
};
/** Where the menu says that one is. */
const PLACES = { '/wallet': 'Wallet', '/ledger': 'Wallet', '/identity': 'Wallet', '/lend': 'Wallet', '/energy': 'Wallet', '/liquidations': 'Wallet', '/share': 'Share' };
const TAB_PRESSES_MAX = 60;
/** What browsers call a good score of layout shifts is a tenth. */
const SHIFT_MAX = 0.02;

describe('the page', () => {
  let chromium;
  let stage;
  before(async () => {
    chromium = await launchChromium();
    stage = await openStage({ serveMedia: true });
  });
  after(async () => {
    await chromium?.close();
    await stage?.close();
  });

  const visit = async (route, viewport = WIDE, prepare = async () => {}, context = null) => {
    context ??= await chromium.createBrowserContext();
    const page = await context.newPage();
    await page.setViewport(viewport);
    await prepare(page);
    await page.evaluateOnNewDocument(PROBE);
    await page.goto(`${stage.server.url}${route}`, { waitUntil: 'domcontentloaded' });
    return page;
  };
  const look = (page) =>
    page.evaluate(() => {
      const player = document.querySelector('starling-player');
      const video = player?.video;
      return {
        stats: player?.stats ?? null,
        at: video?.currentTime ?? null,
        bufferedTo: video?.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0,
        received: window.__probe.receivedBytes,
        text: document.body.innerText,
        title: document.title,
        errors: window.__probe.errors,
      };
    });
  const until = (page, what, condition, withinMs) =>
    eventually(what, async () => {
      const seen = await look(page);
      return { value: condition(seen) && seen, seen };
    }, withinMs);

  test('opens at home, starts at once, and the second visitor takes most bytes from the first', async () => {
    const first = await visit('/');
    const started = await until(first, 'the home page plays', ({ at }) => at >= 1);
    assert.ok(started.title.length > 0);
    await until(first, 'the first has a head start', ({ bufferedTo }) => bufferedTo >= 20);
    const second = await visit('/');
    const seen = await until(second, 'the second holds 20 s', ({ at, bufferedTo }) => at >= 2 && bufferedTo >= 20);
    assert.ok(seen.stats.p2pBytes > seen.stats.httpBytes, `${seen.stats.p2pBytes} from peers, ${seen.stats.httpBytes} from the origin`);
    assert.ok(seen.received >= seen.stats.p2pBytes, 'data channels carried at least that much');
    await until(second, 'the page shows where the bytes came from', ({ text }) => /\d+\s%\sof\syour\svideo\scame\sfrom\s\d+\sother\sviewers?/.test(text));
    for (const page of [first, second]) {
      assert.deepEqual((await look(page)).errors, [], 'no script error');
      await page.browserContext().close();
    }
  });

  test('plays any address it is given in the link', async () => {
    const page = await visit(`/watch?src=${encodeURIComponent(stage.src)}`);
    const seen = await until(page, 'plays', ({ at }) => at >= 1);
    assert.equal(seen.stats.mode, 'starling');
    await page.browserContext().close();
  });

  test('the keyboard reaches every control of every route, and the menu says where one is', async () => {
    // One visitor: what the page is made of comes and is compiled once.
    const context = await chromium.createBrowserContext();
    for (const [route, words] of Object.entries(ROUTES)) {
      const page = await visit(route, WIDE, undefined, context);
      await until(page, `${route} is drawn`, ({ text, at }) => words.test(text) && (route !== '/' || at >= 0.5));
      const reached = await walkByKeyboard(page);
      // A group of radio buttons is one stop: the chosen one.
      const wanted = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input, select, summary')]
        .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0)
        .filter((element) => element.type !== 'radio' || element.checked)
        .map((element) => element.outerHTML.slice(0, 120)));
      const missed = wanted.filter((html) => !reached.some((stop) => stop.html === html));
      assert.deepEqual(missed, [], `${route}: every control is reached by the tab key`);
      const nameless = reached.filter((stop) => stop.name === '').map((stop) => stop.html);
      assert.deepEqual(nameless, [], `${route}: every stop has a name for a screen reader`);
      const place = PLACES[route];
      const here = () => [...document.querySelectorAll('.header-nav [aria-current]')].map(({ innerText }) => innerText.trim());
      if (place) assert.deepEqual(await page.evaluate(here), [place], route);
      await page.close();
    }
    await context.close();
  });

  test('fits a phone on every route, and fingers hit what is to be pressed', async () => {
    const folder = await temporaryFolder('phone');
    const context = await chromium.createBrowserContext();
    for (const [route, words] of Object.entries(ROUTES)) {
      const page = await visit(route, PHONE, undefined, context);
      await until(page, `${route} is drawn`, ({ text }) => words.test(text));
      await page.screenshot({ path: path.join(folder, `${route === '/' ? 'home' : route.slice(1)}.png`) });
      assert.deepEqual(await page.evaluate(hardToHit), [], route);
      for (const viewport of [PHONE, SMALL]) {
        await page.setViewport(viewport);
        // Not `innerWidth`: a phone zooms out until all of a page that is too wide fits.
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= viewport.width, `${route} is ${wide} px wide on a screen of ${viewport.width}`);
        assert.deepEqual(await page.evaluate(crowded), [], `${route}: places of the bar have room at ${viewport.width} px`);
      }
      await page.close();
    }
    await context.close();
    console.log(`pictures of the phone: ${folder}`);
    assert.equal((await fs.readdir(folder)).length, Object.keys(ROUTES).length);
  });

  test('the bar around the page has the colours that were chosen, at once and after a reload', async () => {
    const page = await visit('/settings');
    await until(page, 'is drawn', ({ text }) => ROUTES['/settings'].test(text));
    const bar = () => page.evaluate(() => [...document.querySelectorAll('meta[name=theme-color]')].map(({ content }) => content));
    assert.deepEqual(await bar(), ['#fafaf8', '#0d1012']);
    await page.click('[name=theme][value=dark]');
    assert.deepEqual(await bar(), ['#0d1012', '#0d1012']);
    await page.reload({ waitUntil: 'domcontentloaded' });
    assert.deepEqual(await bar(), ['#0d1012', '#0d1012']);
    await until(page, 'is drawn', ({ text }) => ROUTES['/settings'].test(text));
    await page.click('[name=theme][value=system]');
    assert.deepEqual(await bar(), ['#fafaf8', '#0d1012']);
    await page.browserContext().close();
  });

  test('home shows its point without scrolling', async () => {
    const page = await visit('/', { width: 1280, height: 900 });
    await until(page, 'is drawn', ({ text }) => ROUTES['/'].test(text));
    const ends = await page.evaluate(() => document.querySelector('.now .actions').getBoundingClientRect().bottom);
    assert.ok(ends <= 900, `what to do next ends at ${ends}`);
    await page.browserContext().close();
  });

  test('nothing jumps while the page comes and the video starts', async () => {
    for (const viewport of [WIDE, PHONE]) {
      const page = await visit('/', viewport, (page) => page.evaluateOnNewDocument(WATCHES_SHIFTS));
      await until(page, 'plays', ({ at }) => at >= 2);
      const { score, what } = await page.evaluate(() => window.__shifts);
      assert.ok(score <= SHIFT_MAX, `${score} at ${viewport.width} px: ${JSON.stringify(what)}`);
      await page.browserContext().close();
    }
  });

  test('nothing moves but the video for who wants less motion', async () => {
    const context = await chromium.createBrowserContext();
    const neighbour = await context.newPage();
    await neighbour.goto(`${stage.server.url}/`, { waitUntil: 'domcontentloaded' });
    const demo = `/watch?src=${encodeURIComponent(`${stage.server.url}/media/master.m3u8`)}`;
    const page = await visit(demo, WIDE, (page) => page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]));
    await until(page, 'has a neighbour', ({ stats, at }) => at >= 1 && stats.peers >= 1);
    const moving = () => document.getAnimations().filter(({ playState }) => playState === 'running').map(({ effect }) => effect.target.outerHTML.slice(0, 80));
    assert.deepEqual(await page.evaluate(moving), []);
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'no-preference' }]);
    await eventually('otherwise dots flow', async () => {
      const seen = await page.evaluate(moving);
      return { value: seen.length > 0, seen };
    });
    await page.browserContext().close();
    await context.close();
  });

  test('where the page cannot start, the video plays alone and it says so', async () => {
    const page = await visit('/', WIDE, async (page) => {
      await page.setRequestInterception(true);
      page.on('request', (request) => (request.url().endsWith('.wasm') ? request.abort() : request.continue()));
    });
    const seen = await until(page, 'plays', ({ at }) => at >= 1);
    assert.match(seen.text, /full page could not start/);
    assert.equal(seen.stats.mode, 'hls');
    await page.browserContext().close();
  });

  test('a network that changes while the page comes: what was lost is asked for again', async () => {
    const lost = new Map();
    const page = await visit('/share', WIDE, async (page) => {
      await page.setRequestInterception(true);
      page.on('request', (request) => {
        const name = new URL(request.url()).pathname;
        const before = lost.get(name) ?? 0;
        // The first part is asked for by the page and by what starts it.
        const isLost = /\.wasm$|^.(boot|tokens|embed)[^/]*\.(js|css)$/.test(name) && before < (/^.app.*wasm$/.test(name) ? 2 : 1);
        if (!isLost) return request.continue();
        lost.set(name, before + 1);
        return request.abort('internetdisconnected');
      });
    });
    await page.waitForSelector('#pick-files + button:not([disabled])');
    assert.ok(lost.size >= 5, `lost on the way: ${[...lost.keys()]}`);
    const colour = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--bg'));
    assert.notEqual(colour, '', 'the colours came the second time');
    await page.browserContext().close();
  });

  test('without WebRTC the page plays from the site and says so', async () => {
    const page = await visit('/', WIDE, (page) => page.evaluateOnNewDocument('delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;'));
    await until(page, 'plays', ({ at }) => at >= 1);
    const { text } = await until(page, 'says so', ({ text }) => /Sharing with other viewers is off in this browser/.test(text));
    assert.doesNotMatch(text, /gets the video from you/, 'nobody can');
    await page.browserContext().close();
  });

  test('what the manifest names is there: icons of the sizes that it says, and pages', async () => {
    const base = `${stage.server.url}/manifest.webmanifest`;
    const ask = async (what) => {
      const answer = await fetch(new URL(what, base));
      const type = answer.headers.get('content-type').split(';')[0];
      return { status: answer.status, type, bytes: Buffer.from(await answer.arrayBuffer()) };
    };
    const told = await ask(base);
    assert.deepEqual([told.status, told.type], [200, 'application/manifest+json']);
    const manifest = JSON.parse(told.bytes);
    assert.ok(manifest.icons.length > 0 && manifest.shortcuts.length > 0);
    for (const { src, type, sizes } of manifest.icons) {
      const icon = await ask(src);
      assert.deepEqual([icon.status, icon.type], [200, type], src);
      // Width and height are at the same place in every PNG.
      if (type === 'image/png') assert.equal(`${icon.bytes.readUInt32BE(16)}x${icon.bytes.readUInt32BE(20)}`, sizes, src);
      else assert.match(icon.bytes.toString(), /<svg/, src);
    }
    for (const url of [manifest.start_url, ...manifest.shortcuts.map((shortcut) => shortcut.url)]) {
      const page = await ask(url);
      assert.deepEqual([page.status, page.type], [200, 'text/html'], url);
      // Any address answers with the page: that there is something at this one is what the routes above are for.
      assert.ok(url in ROUTES, `${url} is a page`);
    }
  });

  test('a signaling server that is gone is told quietly, and no more when it is back', async () => {
    const other = await openStage();
    try {
      const context = await chromium.createBrowserContext();
      const page = await context.newPage();
      await page.evaluateOnNewDocument(PROBE);
      await page.goto(`${other.server.url}/watch?src=${encodeURIComponent(other.src)}`, { waitUntil: 'domcontentloaded' });
      const GONE = /The signaling server can(no|')t be reached/;
      const before = await until(page, 'plays', ({ at }) => at >= 1);
      assert.doesNotMatch(before.text, GONE);
      await other.server.kill();
      const told = await until(page, 'tells it', ({ text }) => GONE.test(text));
      await until(page, 'plays on', ({ at, stats }) => at >= told.at + 3 && !stats.error);
      await other.server.start();
      await until(page, 'is content again', ({ text }) => !GONE.test(text));
      await context.close();
    } finally {
      await other.close();
    }
  });
});

/** Sums up what moved without a person's doing, before any script of the page. */
const WATCHES_SHIFTS = `
window.__shifts = { score: 0, what: [] };
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries()) {
    if (hadRecentInput) continue;
    window.__shifts.score += value;
    window.__shifts.what.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? String(node?.nodeName))]);
  }
}).observe({ type: 'layout-shift', buffered: true });`;

/** In the page: names of the bar of places that are wider than their place. */
function crowded() {
  const places = [...document.querySelectorAll('.tab-bar a')];
  if (places.length === 0) return ['there is no bar'];
  return places.filter((place) => place.querySelector('span').offsetWidth > place.clientWidth - 4).map((place) => place.innerText);
}

/** In the page: what is to be pressed and is not hit 21 px above and below its middle. */
function hardToHit() {
  const all = [...document.querySelectorAll('main :is(button:not(:disabled), a.button, summary, .segment, .lock-choice)')];
  const hard = [];
  for (const one of all.filter((element) => element.checkVisibility())) {
    one.scrollIntoView({ block: 'center', behavior: 'instant' });
    const { left, width, top, height } = one.getBoundingClientRect();
    const hits = [-21, 21].every((off) => {
      const found = document.elementFromPoint(left + width / 2, top + height / 2 + off);
      return found !== null && (one.contains(found) || found.closest('label') === one);
    });
    if (!hits) hard.push(`${one.outerHTML.slice(0, 90)}: ${height}`);
  }
  return hard;
}

/** Presses Tab until focus comes round; gives every stop with its accessible name. */
async function walkByKeyboard(page) {
  const stops = [];
  for (let press = 0; press < TAB_PRESSES_MAX; press += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return null;
      const label = element.labels?.[0]?.innerText;
      const name = element.getAttribute('aria-label') ?? label ?? element.innerText ?? element.getAttribute('title') ?? '';
      return { html: element.outerHTML.slice(0, 120), name: name.trim() || (element.tagName === 'STARLING-PLAYER' ? 'player' : '') };
    });
    if (stop === null && stops.length > 0) break;
    if (stop !== null) stops.push(stop);
  }
  return stops;
}

