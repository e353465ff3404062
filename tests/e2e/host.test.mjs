// Proves that whoever has the host's token sees how it is with the server, that nobody else does, and that every
// state of the page is a page: no token, a wrong one, waiting, figures, a server without a host, one that is gone.

import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { startStarling } from '../rig/starling.mjs';
import { eventually, openStage } from './stage.mjs';

const TOKEN = 'north of the river, 16';
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

describe("the host's page", () => {
  let chromium;
  let stage;
  before(async () => {
    chromium = await launchChromium();
    stage = await openStage({ segments: 2, config: `[signaling.admin]\ntoken = "${TOKEN}"\n` });
  });
  after(async () => {
    await chromium?.close();
    await stage?.close();
  });

  const visit = async (server, viewport = WIDE) => {
    const context = await chromium.createBrowserContext();
    const page = await context.newPage();
    await page.setViewport(viewport);
    await page.goto(`${server.url}/host`, { waitUntil: 'domcontentloaded' });
    await page.waitForSelector('#token');
    return page;
  };
  const unlock = async (page, token) => {
    await page.type('#token', token);
    await page.keyboard.press('Enter');
  };
  const shows = (page, text) =>
    eventually(`the page shows ${text}`, async () => {
      const seen = await page.evaluate(() => document.body.innerText);
      return { value: text.test(seen), seen };
    });

  test('asks for the token, and says when it is the wrong one', async () => {
    const page = await visit(stage.server);
    await shows(page, /\[signaling\.admin\]/);
    await page.keyboard.press('Escape');
    await page.click('form button[type=submit]');
    await shows(page, /Paste the token first/);
    await unlock(page, 'south of the river');
    await shows(page, /That is not this server's token/);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'a wrong token is not kept');
    await page.browserContext().close();
  });

  test('waits, then shows nodes, swarms, the relay and refusals, on a phone too', async () => {
    const page = await visit(stage.server, PHONE);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.setRequestInterception(true);
    page.on('request', async (request) => {
      if (request.url().endsWith('/v1/status')) await held;
      await request.continue();
    });
    await unlock(page, TOKEN);
    await shows(page, /Asking the server/);
    release();
    await shows(page, /answers here/);
    await shows(page, /This node is alone/);
    await shows(page, /Nobody is watching/);
    const seen = await page.evaluate(() => ({
      session: Object.values(sessionStorage),
      local: Object.values(localStorage),
      cookies: document.cookie,
      wide: document.documentElement.scrollWidth,
    }));
    assert.deepEqual(seen.session, [TOKEN], 'the tab has the token');
    assert.ok(!seen.local.includes(TOKEN) && seen.cookies === '', 'and nothing else has');
    assert.ok(seen.wide <= PHONE.width, `${seen.wide} px wide on a screen of ${PHONE.width}`);
    await page.evaluate(() => [...document.querySelectorAll('button')].find((button) => button.innerText === 'Forget the token').click());
    await page.waitForSelector('#token');
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.browserContext().close();
  });

  test('says that a server without a token has no host, and that one is gone', async () => {
    const folder = path.join(stage.folder, 'without');
    await fs.mkdir(folder);
    const without = await startStarling({ folder });
    const page = await visit(without);
    await unlock(page, TOKEN);
    await shows(page, /This server shows nothing to anybody/);
    await page.browserContext().close();
    await without.close();

    const open = await visit(stage.server);
    await unlock(open, TOKEN);
    await shows(open, /answers here/);
    await stage.server.close();
    await shows(open, /The server does not answer/);
    await shows(open, /answers here/);
    await open.browserContext().close();
  });
});
