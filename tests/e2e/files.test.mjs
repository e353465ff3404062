// Proves that files go from tab to tab as the pages say: the same bytes, one to one and one to many, when the sender
// leaves, through reloads, behind a password, between Chromium and Firefox, large and in thousands.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expected } from './files.mjs';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';

const PHONE = { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

describe('files', () => {
  const { arrive } = withPeople();

  test('a small text file arrives as it was', async () => {
    const file = { name: 'note ä.txt', size: 2_345, seed: 7, type: 'text/plain' };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file]);
    await receiver.get(link);
    await receiver.done();
    const saved = await receiver.save();
    assert.deepEqual(saved, { name: file.name, size: file.size, sha256: await expected(file) });
    assert.deepEqual((await receiver.look()).errors, []);
  });

  test('the card of a share stands as one column at both ends, on a phone too', async () => {
    const files = [
      { name: 'holiday/beach.jpg', size: 70_000, seed: 3 },
      { name: 'a name as long as somebody really gave to the last version of a thesis (corrected, 12).pdf', size: 9_000, seed: 5 },
    ];
    const [sender, receiver, phone] = [await arrive(), await arrive(), await arrive({ viewport: PHONE })];
    const link = await sender.share(files);
    for (const person of [receiver, phone]) {
      await person.open(link);
      await person.until('it is offered', ({ stage: shown }) => shown === 'offered');
      assert.deepEqual(await person.page.evaluate(misplaced), [], 'offered');
      await person.page.click('[data-do=get]');
      await person.done();
      assert.deepEqual(await person.page.evaluate(misplaced), [], 'done');
    }
    assert.deepEqual(await sender.page.evaluate(misplaced), [], 'shared');
    assert.ok((await phone.page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.width);
  });

  test('64 MiB arrive as they were', async () => {
    const file = { name: 'film.mp4', size: 64 * MIB, seed: 11, type: 'video/mp4' };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    const started = Date.now();
    await receiver.get(link);
    await receiver.done(PATIENT_MS);
    console.log(`64 MiB in ${Date.now() - started} ms`);
    const saved = await receiver.save(0, PATIENT_MS);
    assert.deepEqual(saved, { name: file.name, size: file.size, sha256: await expected(file) });
  });

  test('four receive from one and from each other; the sender leaves at 60 %, comes back and leaves, and a fifth gets all', async () => {
    const file = { name: 'box.bin', size: 24 * MIB, seed: 13 };
    const sender = await arrive();
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    const receivers = [await arrive(), await arrive(), await arrive(), await arrive()];
    await Promise.all(receivers.map((receiver) => receiver.get(link, { withinMs: PATIENT_MS })));
    await Promise.all(receivers.map((receiver) => receiver.until('60 % are here', ({ percent }) => percent >= 60, PATIENT_MS)));
    await sender.closeTab();
    // If together they hold all of it, they complete; else each says who is missing.
    const settled = ({ stage: shown, text }) => shown === 'done' || text.includes('The sender is offline');
    const seen = await Promise.all(receivers.map((receiver) => receiver.until('it is done, or says why not', settled, PATIENT_MS)));
    console.log(`the sender left: ${seen.map(({ percent }) => `${percent} %`).join(', ')}`);
    await sender.newTab();
    await sender.go('/share');
    await Promise.all(receivers.map((receiver) => receiver.done(PATIENT_MS)));
    await sender.closeTab();
    const late = await arrive();
    await late.get(link, { withinMs: PATIENT_MS });
    await late.done(PATIENT_MS);
    const sha256 = await expected(file);
    for (const receiver of [...receivers, late]) assert.equal((await receiver.save()).sha256, sha256);
  });

  test('a receiver that reloads at half goes on, and one whose sender reloads too', async () => {
    const file = { name: 'half.bin', size: 48 * MIB, seed: 17 };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    await receiver.get(link);
    await receiver.until('half is here', ({ percent }) => percent >= 50, PATIENT_MS);
    await receiver.page.reload({ waitUntil: 'domcontentloaded' });
    const { percent } = await receiver.until('what was here is here', (seen) => seen.files === 1 && seen.percent > 0);
    assert.ok(percent >= 40, `${percent} % after the reload`);
    await receiver.get(link);
    await sender.page.reload({ waitUntil: 'domcontentloaded' });
    await receiver.done(PATIENT_MS);
    assert.equal((await receiver.save()).sha256, await expected(file));
  });

  test('a password is asked for, a wrong one says so, the right one opens', async () => {
    const file = { name: 'secret.txt', size: 900, seed: 19 };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file], { password: 'correct horse', withinMs: PATIENT_MS });
    await receiver.open(link);
    await receiver.until('it asks', ({ stage: shown }) => shown === 'locked');
    const enter = async (password) => {
      // What was typed before is replaced.
      await receiver.page.click('#password', { count: 3 });
      await receiver.page.type('#password', password);
      await receiver.page.keyboard.press('Enter');
    };
    await enter('wrong horse');
    await receiver.until('it says so', ({ text }) => text.includes('Wrong password.'), PATIENT_MS);
    await enter('correct horse');
    await receiver.until('it opens', ({ stage: shown }) => shown === 'offered', PATIENT_MS);
    await receiver.page.click('[data-do=get]');
    await receiver.done();
    assert.equal((await receiver.save()).sha256, await expected(file));
  });

  test('it says that the sender is gone, how much is here, and that others have the rest', async () => {
    const file = { name: 'gone.bin', size: 24 * MIB, seed: 37 };
    const [sender, first, second] = [await arrive(), await arrive(), await arrive()];
    await sender.limitUpload(16);
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    await first.get(link);
    await first.until('some is here', ({ percent }) => percent >= 10, PATIENT_MS);
    await sender.closeTab();
    await first.until('it says so', ({ text }) => /The sender is offline, \d+\s% here/.test(text), PATIENT_MS);
    await second.get(link, { withinMs: PATIENT_MS });
    await second.until('it says who has some', ({ text }) => /But one other has (some of )?the rest/.test(text), PATIENT_MS);
  });

  test('a folder of 2,000 small files arrives, each as it was', async () => {
    const files = Array.from({ length: 2_000 }, (_, number) => ({ name: `notes/${number % 9}/note ${number}.txt`, size: 300 + number, seed: number + 1 }));
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share(files, { withinMs: PATIENT_MS });
    await receiver.get(link, { withinMs: PATIENT_MS });
    const { files: shown } = await receiver.done(PATIENT_MS);
    assert.equal(shown, 2_000);
    for (const row of [0, 17, 299]) {
      const saved = await receiver.save(row);
      const file = files.find(({ name }) => name.endsWith(`/${saved.name}`));
      assert.equal(saved.sha256, await expected(file), saved.name);
    }
  });

  test('between Chromium and Firefox, both ways', async () => {
    for (const [from, to] of [['chromium', 'firefox'], ['firefox', 'chromium']]) {
      const file = { name: 'across.bin', size: 5 * MIB + 77, seed: 23 };
      const [sender, receiver] = [await arrive({ browser: from }), await arrive({ browser: to })];
      const link = await sender.share([file], { withinMs: PATIENT_MS });
      await receiver.get(link, { withinMs: PATIENT_MS });
      await receiver.done(PATIENT_MS);
      assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await expected(file));
    }
  });

  test('a link that was cut off, and a library that remembers and forgets', async () => {
    const file = { name: 'kept.txt', size: 500, seed: 29 };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file]);
    await receiver.open(link.slice(0, -5));
    await receiver.until('it says what is wrong', ({ text }) => text.includes('Check that the whole link was copied'));
    await receiver.open(`${link}&x=1000`);
    await receiver.until('it says that it is over', ({ text }) => text.includes('This share has ended') && text.includes('Ask the sender for a new link'));
    await receiver.get(link);
    await receiver.done();
    await receiver.go('/library');
    await receiver.until('it stands there', ({ text }) => text.includes('kept.txt') && text.includes('Received'));
    await receiver.page.click('[aria-label=Remove]');
    await receiver.until('it is gone', ({ text }) => text.includes('Nothing here yet'));
  });
});

/** In the page: parts of the card of a share that are not below the one before, or not as wide as the card. */
function misplaced() {
  const card = document.querySelector('.card.transfer');
  const { paddingLeft, paddingRight } = getComputedStyle(card);
  const room = card.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  const parts = [...card.children].filter((part) => part.checkVisibility()).map((part) => [part, part.getBoundingClientRect()]);
  const wrong = parts.filter(([, { top, width }], each) => width < room - 1 || width > room + 1 || (each > 0 && top < parts[each - 1][1].bottom));
  return wrong.map(([part, { width }]) => `${part.className}: ${width} of ${room}`);
}
