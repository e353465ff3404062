// Proves that <starling-file> works on another origin under a strict policy: from a peer, from the gateway where nobody
// is online, and as a plain link where WebAssembly or WebRTC is forbidden; and that a page with a player only loads
// nothing of it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { after, afterEach, before, describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { starlingBinary } from '../rig/starling.mjs';
import { INJECTED, Person, bytesOf, expected } from './files.mjs';
import { Viewer, eventually, openStage } from './stage.mjs';

const MIB = 1 << 20;
const PATIENT_MS = 150_000;
const NO_WEBRTC = 'delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;';

describe('the file tag on another origin', () => {
  let chromium;
  let stage;
  let visits = 0;
  const open = [];
  before(async () => {
    chromium = await launchChromium();
    stage = await openStage({ segments: 2, signed: false });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close().catch(() => {})));
  });
  after(async () => {
    await chromium?.close();
    await stage?.close();
  });

  /** A tab on a site with the tag. */
  async function visit(attributes, { csp = 'strict', inject = '' } = {}) {
    const context = await chromium.createBrowserContext();
    open.push(context);
    const page = await context.newPage();
    page.said = [];
    page.asked = [];
    page.on('console', (message) => page.said.push(message.text()));
    page.on('request', (request) => page.asked.push(request.url()));
    await page.evaluateOnNewDocument(INJECTED + inject);
    const tags = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`tag-${name}`, value]));
    const query = new URLSearchParams({ server: stage.server.url, media: stage.server.url, csp, ...tags });
    await page.goto(`http://f${(visits += 1)}.localhost:${stage.pages.port}/file?${query}`, { waitUntil: 'domcontentloaded' });
    return page;
  }

  const press = async (page) => {
    await eventually('there is a button', async () => {
      const value = await page.evaluate(() => document.querySelector('starling-file')?.shadowRoot?.querySelector('a')?.href ?? '');
      return { value, seen: page.said.slice(-5) };
    });
    await page.evaluate(() => {
      const tag = document.querySelector('starling-file');
      window.__states = [];
      tag.addEventListener('starling-file', ({ detail }) => window.__states.push(detail.state));
      // As a person presses it: the tests' own `click` only takes down what is saved.
      tag.shadowRoot.querySelector('a').dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true, cancelable: true }));
    });
  };

  const saved = async (page) => {
    await eventually('it is saved', async () => {
      const seen = await page.evaluate(() => ({ state: document.querySelector('starling-file').dataset.state, states: window.__states, note: document.querySelector('starling-file').shadowRoot.textContent }));
      return { value: seen.state === 'done', seen: [seen, page.said.slice(-5)] };
    }, PATIENT_MS);
    return page.evaluate(async () => {
      const { name, href } = window.__saved.at(-1);
      const bytes = await window.__blobs.get(href).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      return { name, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') };
    });
  };

  const added = async (file) => {
    const where = path.join(stage.folder, file.name);
    await fs.writeFile(where, bytesOf(file));
    const { stdout } = await promisify(execFile)(starlingBinary(), ['add', '--data', path.join(stage.folder, 'data'), where]);
    return stdout.split(/\s+/).find((word) => word.startsWith('baf'));
  };

  test('a file comes from who shares it, under a strict policy, and nobody is asked before', async () => {
    const file = { name: 'set.bin', size: 3 * MIB, seed: 61 };
    const person = await Person.arrive(chromium, stage.server);
    open.push({ close: () => person.leave() });
    const link = await person.share([file], { isPublic: true, withinMs: PATIENT_MS });
    const cid = new URL(link).hash.slice('#/get/'.length).split('?')[0];
    const page = await visit({ cid, name: file.name });
    await press(page);
    assert.deepEqual(await saved(page), { name: file.name, sha256: await expected(file) });
    assert.deepEqual(page.said.filter((text) => /content security policy/i.test(text)), [], 'nothing of ours breaks the policy');
    assert.ok(!page.asked.some((url) => url.includes(`/ipfs/baf`) && url.includes('format=raw')), 'the gateway was not needed');
    const states = await page.evaluate(() => window.__states);
    assert.equal(states[0], 'starting');
    assert.equal(states.at(-1), 'done');
  });

  test('a sealed share is a link with its key', async () => {
    const file = { name: 'for you.txt', size: 5_000, seed: 67 };
    const person = await Person.arrive(chromium, stage.server);
    open.push({ close: () => person.leave() });
    const link = await person.share([file]);
    const page = await visit({ cid: link });
    await press(page);
    assert.deepEqual(await saved(page), { name: file.name, sha256: await expected(file) });
  });

  test('it comes from the gateway when nobody is online', async () => {
    const file = { name: 'alone.bin', size: 2 * MIB + 1, seed: 71 };
    const page = await visit({ cid: await added(file), name: file.name });
    await press(page);
    assert.deepEqual(await saved(page), { name: file.name, sha256: await expected(file) });
  });

  for (const [what, options] of [['WebAssembly', { csp: 'no-wasm' }], ['WebRTC', { inject: NO_WEBRTC }]]) {
    test(`it is a plain link without ${what}`, async () => {
      const file = { name: 'plain.bin', size: 70_001, seed: 73 };
      const cid = await added(file);
      const page = await visit({ cid, name: file.name }, options);
      await press(page);
      const asked = await eventually('the browser follows the link', async () => {
        const value = page.asked.find((url) => url.includes(`/ipfs/${cid}`));
        return { value, seen: [page.asked.slice(-5), page.said.slice(-5)] };
      });
      const answer = await fetch(asked);
      assert.match(answer.headers.get('content-disposition'), /^attachment; filename="plain.bin"/);
      assert.equal((await answer.arrayBuffer()).byteLength, file.size);
    });
  }

  test('a page with a player alone loads nothing of it', async () => {
    const viewer = await Viewer.open(chromium, stage, { csp: 'strict' });
    const asked = [];
    viewer.page.on('request', (request) => asked.push(request.url()));
    await viewer.page.reload({ waitUntil: 'domcontentloaded' });
    await viewer.until('plays', ({ video }) => video?.at >= 0.5);
    assert.ok(asked.some((url) => url.endsWith('/embed.js')));
    assert.deepEqual(asked.filter((url) => new URL(url).pathname.startsWith('/files/')), []);
    await viewer.close();
  });
});
