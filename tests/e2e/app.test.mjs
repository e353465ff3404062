// Proves that the page a person opens works as it is: two visitors of the home page share the video, the keyboard
// reaches everything, and it fits a phone.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium, temporaryFolder } from '../rig/browser.mjs';
import { eventually, openStage } from './stage.mjs';
import { promises as fs, readFileSync } from 'node:fs';

const PROBE = readFileSync(new URL('../rig/probe.js', import.meta.url), 'utf8');
const PHONE = { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const WIDE = { width: 1280, height: 800 };
const ROUTES = ['/', '/watch', '/network', '/settings', '/host'];
const TAB_PRESSES_MAX = 60;

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

  const visit = async (route, viewport = WIDE) => {
    const context = await chromium.createBrowserContext();
    const page = await context.newPage();
    await page.setViewport(viewport);
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

  test('the keyboard reaches every control, and sees where it is', async () => {
    const page = await visit('/');
    await until(page, 'the home page plays', ({ at }) => at >= 0.5);
    const reached = await walkByKeyboard(page);
    const wanted = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input, select, summary')]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0)
      .map((element) => element.outerHTML.slice(0, 120)));
    const missed = wanted.filter((html) => !reached.some((stop) => stop.html === html));
    assert.deepEqual(missed, [], 'every control is reached by the tab key');
    assert.deepEqual(reached.filter((stop) => stop.name === '').map((stop) => stop.html), [], 'every stop has a name for a screen reader');
    await page.browserContext().close();
  });

  test('fits a phone on every route', async () => {
    const folder = await temporaryFolder('phone');
    for (const route of ROUTES) {
      const page = await visit(route, PHONE);
      await until(page, `${route} is drawn`, ({ text }) => text.trim().length > 20);
      const picture = path.join(folder, `${route === '/' ? 'home' : route.slice(1)}.png`);
      await page.screenshot({ path: picture });
      const { wide, view } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, view: innerWidth }));
      assert.ok(wide <= view, `${route} is ${wide} px wide on a screen of ${view}`);
      await page.browserContext().close();
    }
    console.log(`pictures of the phone: ${folder}`);
    assert.equal((await fs.readdir(folder)).length, ROUTES.length);
  });
});

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

