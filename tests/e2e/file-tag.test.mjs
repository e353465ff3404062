// Proves that <starling-file> works on another origin under a strict policy: from a peer, from the gateway where nobody
// is online, and as a plain link where WebAssembly or WebRTC is forbidden; and that a page with a player only loads
// nothing of it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cidOf, expected } from './files.mjs';
import { MIB, PATIENT_MS, added, withPeople } from './people.mjs';
import { Viewer, eventually } from './stage.mjs';

const NO_WEBRTC = 'delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;';

describe('the file tag on another origin', () => {
  const { stage, browser, arrive } = withPeople();
  let visits = 0;

  /** Somebody with a tab on a site with the tag; `asked`: what it requested. */
  async function visit(attributes, { csp = 'strict', inject = '' } = {}) {
    const visitor = await arrive();
    const { page } = visitor;
    visitor.asked = [];
    page.on('request', (request) => visitor.asked.push(request.url()));
    if (inject) await page.evaluateOnNewDocument(inject);
    const tags = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`tag-${name}`, value]));
    const query = new URLSearchParams({ server: stage.server.url, media: stage.server.url, csp, ...tags });
    await page.goto(`http://f${(visits += 1)}.localhost:${stage.pages.port}/file?${query}`, { waitUntil: 'domcontentloaded' });
    return visitor;
  }

  const drawn = ({ page, console: said }) =>
    eventually('there is a button', async () => {
      const value = await page.evaluate(() => document.querySelector('starling-file')?.shadowRoot?.querySelector('a')?.href ?? '');
      return { value, seen: said.slice(-5) };
    });

  const press = async (visitor) => {
    await drawn(visitor);
    await visitor.page.evaluate(() => {
      const tag = document.querySelector('starling-file');
      window.__states = [];
      tag.addEventListener('starling-file', ({ detail }) => window.__states.push(detail.state));
      // As a person presses it: the tests' own `click` only takes down what is saved.
      tag.shadowRoot.querySelector('a').dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true, cancelable: true }));
    });
  };

  const saved = async (visitor) => {
    const { page, console: said } = visitor;
    await eventually('it is saved', async () => {
      const seen = await page.evaluate(() => ({ state: document.querySelector('starling-file').dataset.state, states: window.__states, note: document.querySelector('starling-file').shadowRoot.textContent }));
      return { value: seen.state === 'done', seen: [seen, said.slice(-5)] };
    }, PATIENT_MS);
    return visitor.handedOver(-1);
  };

  test('a file comes from who shares it, under a strict policy, and nobody is asked before', async () => {
    const file = { name: 'set.bin', size: 3 * MIB, seed: 61 };
    const person = await arrive();
    const link = await person.share([file], { isPublic: true, withinMs: PATIENT_MS });
    const cid = cidOf(link);
    const visitor = await visit({ cid, name: file.name });
    await drawn(visitor);
    const peer = () => visitor.asked.filter((url) => url.startsWith(`${stage.server.url}/files/files`));
    const gateway = () => visitor.asked.filter((url) => url.includes('/ipfs/'));
    assert.deepEqual([...peer(), ...gateway()], [], 'before it is pressed');
    await press(visitor);
    assert.deepEqual(await saved(visitor), { name: file.name, size: file.size, sha256: await expected(file) });
    assert.equal(peer().length, 2, 'the peer and its glue');
    assert.deepEqual(gateway(), [], 'the gateway was not needed');
    assert.deepEqual(visitor.console.filter((text) => /content security policy/i.test(text)), [], 'nothing of ours breaks the policy');
    const states = await visitor.page.evaluate(() => window.__states);
    assert.equal(states[0], 'starting');
    assert.equal(states.at(-1), 'done');
  });

  test('a sealed share is a link with its key', async () => {
    const file = { name: 'for you.txt', size: 5_000, seed: 67 };
    const person = await arrive();
    const link = await person.share([file]);
    const visitor = await visit({ cid: link });
    await press(visitor);
    assert.deepEqual(await saved(visitor), { name: file.name, size: file.size, sha256: await expected(file) });
  });

  test('it comes from the gateway when nobody is online', async () => {
    const file = { name: 'alone.bin', size: 2 * MIB + 1, seed: 71 };
    const visitor = await visit({ cid: await added(stage, file), name: file.name });
    await press(visitor);
    assert.deepEqual(await saved(visitor), { name: file.name, size: file.size, sha256: await expected(file) });
  });

  for (const [what, options] of [['WebAssembly', { csp: 'no-wasm' }], ['WebRTC', { inject: NO_WEBRTC }]]) {
    test(`it is a plain link without ${what}`, async () => {
      const file = { name: 'plain.bin', size: 70_001, seed: 73 };
      const cid = await added(stage, file);
      const visitor = await visit({ cid, name: file.name }, options);
      await press(visitor);
      const asked = await eventually('the browser follows the link', async () => {
        const value = visitor.asked.find((url) => url.includes(`/ipfs/${cid}`));
        return { value, seen: [visitor.asked.slice(-5), visitor.console.slice(-5)] };
      });
      const answer = await fetch(asked);
      assert.match(answer.headers.get('content-disposition'), /^attachment; filename="plain.bin"/);
      assert.equal((await answer.arrayBuffer()).byteLength, file.size);
    });
  }

  test('a page with a player alone loads nothing of it', async () => {
    const viewer = await Viewer.open(await browser(), stage, { csp: 'strict' });
    const asked = [];
    viewer.page.on('request', (request) => asked.push(request.url()));
    await viewer.page.reload({ waitUntil: 'domcontentloaded' });
    await viewer.until('plays', ({ video }) => video?.at >= 0.5);
    assert.ok(asked.some((url) => url.endsWith('/embed.js')));
    assert.deepEqual(asked.filter((url) => new URL(url).pathname.startsWith('/files/')), []);
    await viewer.close();
  });
});
