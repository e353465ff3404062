// Proves that a file goes to the person's disk as it was by every way a browser has (that of a file the person picks is
// in share-page.test.mjs), that nothing is read on once the download is cancelled, here or there, and that what can't be
// saved says so.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { expected } from './files.mjs';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';
import { eventually } from './stage.mjs';

/** What a browser may lack, by what takes it away before the page's scripts run. */
const LACKS = {
  ownFiles: () => delete StorageManager.prototype.getDirectory,
  worker: () => Object.defineProperty(Navigator.prototype, 'serviceWorker', { value: undefined }),
};
/** Pieces that reach the worker before it has to wait. */
const HELD_FROM = 4;

describe('saving', () => {
  const { stage, browser, arrive } = withPeople();

  /** Somebody who has all of a file, and a folder for the browser's downloads. */
  async function holder(file, { name = 'chromium', lacks = [], held = false } = {}) {
    const folder = await fs.mkdtemp(path.join(stage.folder, 'downloads-'));
    const context = await (await browser(name)).createBrowserContext({ downloadBehavior: { policy: 'allow', downloadPath: folder } });
    const [sender, receiver] = [await arrive(), await arrive({ browser: name, context })];
    for (const what of lacks) await receiver.page.evaluateOnNewDocument(LACKS[what]);
    if (held) await receiver.page.evaluateOnNewDocument(holdBack, HELD_FROM);
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    await receiver.get(link, { withinMs: PATIENT_MS });
    await receiver.done(PATIENT_MS);
    return { receiver, folder, context };
  }

  for (const name of ['chromium', 'firefox']) {
    test(`${name} takes a download from the worker where a page has no files of its own`, async () => {
      const file = { name: 'fähre (neu).bin', size: 9 * MIB + 77, seed: 101 };
      const { receiver, folder } = await holder(file, { name, lacks: ['ownFiles'] });
      await press(receiver);
      assert.deepEqual(await downloaded(folder, file, receiver), { name: file.name, sha256: await expected(file) });
      await comes(receiver, 'saved');
      assert.deepEqual((await receiver.look()).saved, [], 'by no other way');
    });

    test(`${name} takes a file of the origin where there is no worker`, async () => {
      const file = { name: 'fähre (alt).bin', size: 3 * MIB + 5, seed: 103 };
      const { receiver } = await holder(file, { name, lacks: ['worker'] });
      assert.deepEqual(await receiver.save(0, PATIENT_MS), { name: file.name, size: file.size, sha256: await expected(file) });
      assert.equal(await receiver.page.evaluate(own), 1, 'it was written there');
    });

    test(`a person who presses again cancels it, and ${name} is given nothing more`, async () => {
      const file = { name: 'long.bin', size: 24 * MIB, seed: 107 };
      const { receiver, folder } = await holder(file, { name, lacks: ['ownFiles'], held: true });
      await press(receiver);
      await given(receiver, HELD_FROM + 1);
      assert.match(await receiver.page.evaluate(() => document.querySelector('.file-row .save').title), /^Cancel, \d+\s%$/);
      await press(receiver);
      await comes(receiver, 'cancelled');
      await receiver.page.evaluate(() => window.__release());
      await nothingLeft(folder);
      // Another saving would find whatever still went on.
      await press(receiver);
      await downloaded(folder, file, receiver);
      await comes(receiver, 'saved');
      assert.equal(await receiver.page.evaluate(() => window.__given), HELD_FROM + 1 + 24);
    });
  }

  test('a large file is streamed although the page has files of its own', async () => {
    const file = { name: 'large.bin', size: 65 * MIB, seed: 109 };
    const { receiver, folder } = await holder(file);
    await press(receiver);
    assert.equal((await downloaded(folder, file, receiver)).sha256, await expected(file));
    await comes(receiver, 'saved');
    assert.equal(await receiver.page.evaluate(own), 0, 'no second copy on the disk');
  });

  test('a download that is cancelled among the browser’s own reads no further', async () => {
    const file = { name: 'unwanted.bin', size: 24 * MIB, seed: 113 };
    const { receiver, folder, context } = await holder(file, { lacks: ['ownFiles'], held: true });
    const browserContextId = context.id;
    const client = await (await browser('chromium')).target().createCDPSession();
    const begun = new Promise((resolve) => client.once('Browser.downloadWillBegin', resolve));
    await client.send('Browser.setDownloadBehavior', { behavior: 'allow', browserContextId, downloadPath: folder, eventsEnabled: true });
    await press(receiver);
    await given(receiver, HELD_FROM + 1);
    const { guid, suggestedFilename } = await begun;
    assert.equal(suggestedFilename, file.name);
    await client.send('Browser.cancelDownload', { guid, browserContextId });
    // A browser may notice only at the next piece.
    await receiver.page.evaluate(() => window.__release());
    // Whether the worker is told, or ended, is the browser's affair.
    const state = await comes(receiver, 'cancelled', 'failed');
    console.log(`cancelled among the downloads: the page says ${state}`);
    const pieces = await receiver.page.evaluate(() => window.__given);
    assert.ok(pieces < 24, `${pieces} of 24 pieces`);
  });

  test('a worker that the browser ends in the middle is noticed, and the file can be saved again', async () => {
    const file = { name: 'twice.bin', size: 24 * MIB, seed: 127 };
    const { receiver, folder } = await holder(file, { lacks: ['ownFiles'], held: true });
    await press(receiver);
    await given(receiver, HELD_FROM + 1);
    const client = await receiver.page.createCDPSession();
    await client.send('ServiceWorker.enable');
    await client.send('ServiceWorker.stopAllWorkers');
    await comes(receiver, 'failed');
    assert.match((await receiver.look()).text, /The browser ended the download in the middle.* Save it again/);
    await receiver.page.evaluate(() => window.__release());
    await nothingLeft(folder);
    await press(receiver);
    assert.equal((await downloaded(folder, file, receiver)).sha256, await expected(file));
    await comes(receiver, 'saved');
  });

  test('with neither, a small file is saved, and one that would fill the memory says so', async () => {
    const small = { name: 'small.bin', size: MIB + 3, seed: 131 };
    const lacks = ['ownFiles', 'worker'];
    const { receiver } = await holder(small, { lacks });
    assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await expected(small));
    const { receiver: other } = await holder({ name: 'large.bin', size: 33 * MIB, seed: 137 }, { lacks });
    await press(other);
    await comes(other, 'failed');
    assert.match((await other.look()).text, /This browser can't save a file of this size.* open the link in another browser/);
  });
});

/** Presses the button of the only file. */
const press = (person) => person.page.evaluate(() => document.querySelector('.file-row .save').click());

/** Waits until the button of the only file says one of these, and gives that. */
async function comes(person, ...states) {
  return eventually(`it is ${states.join(' or ')}`, async () => {
    const seen = await person.page.evaluate(() => document.querySelector('.file-row .save').dataset.state);
    return { value: states.includes(seen) && seen, seen: [seen, person.console.slice(-5)] };
  }, PATIENT_MS);
}

/** Waits until so many pieces were given to the worker. */
async function given(person, count) {
  return eventually(`${count} pieces were given`, async () => {
    const seen = await person.page.evaluate(() => window.__given);
    return { value: seen === count, seen: [seen, person.console.slice(-5)] };
  }, PATIENT_MS);
}

/** The whole file among the browser's downloads, as soon as it is there: its name and SHA-256. */
async function downloaded(folder, file, person) {
  return eventually('it is among the downloads', async () => {
    const names = await fs.readdir(folder);
    for (const name of names.filter((each) => !/\.(?:crdownload|part)$/.test(each))) {
      const bytes = await fs.readFile(path.join(folder, name)).catch(() => null);
      if (bytes?.length === file.size) return { value: { name, sha256: createHash('sha256').update(bytes).digest('hex') } };
    }
    const button = await person.page.evaluate(() => [document.querySelector('.file-row .save').dataset.state, window.__given]);
    return { value: null, seen: [names, button, person.console.slice(-5)] };
  }, PATIENT_MS);
}

/**
 * Waits until Chromium has removed what it had of a download that ended. It gives the next one the same name before
 * that, and then removes the file of that one, which ends as cancelled with all its bytes. (Firefox keeps the part, and
 * the next has a name of its own.)
 */
async function nothingLeft(folder) {
  return eventually('nothing of it is left', async () => {
    const names = await fs.readdir(folder);
    return { value: !names.some((name) => name.endsWith('.crdownload')), seen: names };
  }, PATIENT_MS);
}

/** In the page, before its scripts: counts the pieces that go to the worker, and holds back those after so many. */
function holdBack(most) {
  const held = [];
  const post = MessagePort.prototype.postMessage;
  window.__given = 0;
  window.__release = () => {
    most = Infinity;
    for (const go of held.splice(0)) go();
  };
  MessagePort.prototype.postMessage = function (message, ...rest) {
    const go = () => post.call(this, message, ...rest);
    if (!message?.bytes?.length) return go();
    window.__given += 1;
    if (window.__given > most) held.push(go);
    else go();
  };
}

/** In the page: how many files the origin has for saving. */
async function own() {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle('saving').catch(() => null);
  let count = 0;
  if (folder) for await (const _ of folder.keys()) count += 1;
  return count;
}
