// Proves that what stands on the Share and Get pages does what it says: files come by dropping and pasting, only those
// that were chosen are fetched, pausing and stopping work, a file and a folder are written where the person picks, and
// one tab fetches two shares at once.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { bytesOf, expected } from './files.mjs';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';

describe('the pages of files', () => {
  const { arrive } = withPeople();

  for (const way of ['drop', 'paste']) {
    test(`what a person gives by ${way} gets a link, with its code`, async () => {
      const file = { name: `by ${way}.txt`, size: 1_234, seed: 59 };
      const [sender, receiver] = [await arrive(), await arrive()];
      await sender.go('/share');
      await sender.page.waitForSelector('#pick-files + button:not([disabled])', { timeout: PATIENT_MS });
      await sender.page.evaluate(give, way, file.name, Buffer.from(bytesOf(file)).toString('base64'));
      const link = await sender.madeLink();
      assert.ok(await sender.page.$('.made .share-link svg'), 'the code');
      await receiver.get(link);
      await receiver.done();
      assert.deepEqual(await receiver.save(), { name: file.name, size: file.size, sha256: await expected(file) });
    });
  }

  test('only what was chosen comes; a paused share waits and goes on; a stopped one has nobody', async () => {
    const files = [{ name: 'a.bin', size: 12 * MIB, seed: 61 }, { name: 'b.bin', size: MIB, seed: 67 }];
    const [sender, receiver] = [await arrive(), await arrive()];
    await sender.limitUpload(16);
    const link = await sender.share(files, { withinMs: PATIENT_MS });
    await receiver.open(link);
    await receiver.until('names and sizes are shown', ({ stage: shown, files: count }) => shown === 'offered' && count === 2);
    await receiver.page.evaluate(() => document.querySelectorAll('.file-row input[type=checkbox]')[1].click());
    await receiver.page.click('[data-do=get]');
    await receiver.until('it has begun', ({ percent }) => percent > 5, PATIENT_MS);
    await receiver.page.click('[data-do=pause]');
    await receiver.until('it says so', ({ text }) => /Paused at \d+\s%/.test(text));
    await receiver.page.click('[data-do=pause]');
    const { whole } = await receiver.done(PATIENT_MS);
    assert.equal(whole, 1, 'the other was not chosen');
    assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await expected(files[0]));
    await sender.page.click('[data-do=stop]');
    await receiver.until('nobody is there', ({ peers }) => peers === 0);
  });

  test('a file and a folder are written where the person picks', async () => {
    const files = [{ name: 'trip/day 1.txt', size: 90_000, seed: 71 }, { name: 'trip/old/day 0.txt', size: 700, seed: 73 }];
    const [sender, receiver] = [await arrive(), await arrive()];
    await receiver.page.evaluateOnNewDocument(pickers);
    const link = await sender.share(files, { withinMs: PATIENT_MS });
    await receiver.get(link);
    await receiver.done();
    await receiver.page.evaluate(() => document.querySelectorAll('.file-row .save')[0].click());
    await receiver.page.waitForFunction(written, {}, 'one');
    const one = await receiver.page.evaluate(written, 'one');
    await receiver.page.evaluate(() => document.querySelector('.transfer-actions .button--strong').click());
    await receiver.page.waitForFunction(written, {}, 'all/old/day 0.txt');
    const digest = (file) => createHash('sha256').update(bytesOf(file)).digest('base64');
    assert.equal(one, digest(files[0]));
    for (const file of files) {
      assert.equal(await receiver.page.evaluate(written, file.name.replace('trip/', 'all/')), digest(file), file.name);
    }
  });

  test('one tab fetches two shares at once', async () => {
    const [large, small] = [{ name: 'large.bin', size: 12 * MIB, seed: 79 }, { name: 'small.bin', size: MIB, seed: 83 }];
    const [one, other, receiver] = [await arrive(), await arrive(), await arrive()];
    await one.limitUpload(16);
    const links = [await one.share([large], { withinMs: PATIENT_MS }), await other.share([small])];
    await receiver.get(links[0], { withinMs: PATIENT_MS });
    await receiver.until('it has begun', ({ percent }) => percent > 5, PATIENT_MS);
    await receiver.get(links[1]);
    await receiver.until('the second is here', ({ stage: shown, text }) => shown === 'done' && text.includes(small.name), PATIENT_MS);
    assert.equal((await receiver.save()).sha256, await expected(small));
    await receiver.open(links[0]);
    await receiver.until('and the first', ({ stage: shown, text }) => shown === 'done' && text.includes(large.name), PATIENT_MS);
    assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await expected(large));
  });
});

/** In the page: gives a file as a mouse or a keyboard would. */
function give(way, name, base64) {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name));
  const how = { bubbles: true, cancelable: true };
  if (way === 'drop') document.querySelector('.drop').dispatchEvent(new DragEvent('drop', { ...how, dataTransfer: transfer }));
  else window.dispatchEvent(new ClipboardEvent('paste', { ...how, clipboardData: transfer }));
}

/** In the page, before its scripts: the system's pickers, which no test can press, pick a place of this origin. */
function pickers() {
  const root = () => navigator.storage.getDirectory();
  window.showSaveFilePicker = async () => (await root()).getFileHandle('one', { create: true });
  window.showDirectoryPicker = async () => (await root()).getDirectoryHandle('all', { create: true });
}

/** In the page: the digest of a file that was written, once it is; or nothing. */
async function written(path) {
  try {
    let folder = await navigator.storage.getDirectory();
    const names = path.split('/');
    for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
    const bytes = await (await (await folder.getFileHandle(names.at(-1))).getFile()).arrayBuffer();
    // It is there, and empty, from the first moment.
    if (bytes.byteLength === 0) return null;
    return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))));
  } catch {
    return null;
  }
}
