// Proves that what a tab received is safe: a disk that fills up is said and costs nothing that was here, a browser that
// dies while it writes comes back with what it had, and what was removed from the library can be had back.

import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { launchChromium } from '../rig/browser.mjs';
import { Person, expected } from './files.mjs';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';
import { eventually } from './stage.mjs';

describe('what a tab keeps', () => {
  const { stage, arrive } = withPeople();

  test('a full disk is said, what is here stays, and room goes on', async () => {
    const file = { name: 'box.bin', size: 16 * MIB, seed: 41 };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    const client = await receiver.page.createCDPSession();
    const origin = new URL(stage.server.url).origin;
    // Six tenths of it may be files.
    await client.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 16 * MIB });
    await receiver.get(link);
    const { text, percent } = await receiver.until('it says so', (seen) => /The disk is full at \d+\s%/.test(seen.text), PATIENT_MS);
    assert.match(text, /Free some space, or remove something from the library, then go on/);
    assert.ok(percent > 0 && percent < 100, `${percent} %`);
    await client.send('Storage.overrideQuotaForOrigin', { origin });
    // What the browser grants is asked for at a visit.
    await receiver.page.reload({ waitUntil: 'domcontentloaded' });
    await receiver.done(PATIENT_MS);
    assert.equal((await receiver.save(0, PATIENT_MS)).sha256, await expected(file));
  });

  test('a browser that dies while it writes comes back with what it had', async () => {
    const profile = `--user-data-dir=${path.join(stage.folder, 'profile')}`;
    const file = { name: 'half.bin', size: 32 * MIB, seed: 43 };
    const sender = await arrive();
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    const first = await launchChromium({ flags: [profile] });
    const receiver = await Person.arrive(first, stage.server, { context: first.defaultBrowserContext() });
    await receiver.get(link, { withinMs: PATIENT_MS });
    const { percent } = await receiver.until('a third is here', (seen) => seen.percent >= 33, PATIENT_MS);
    assert.ok(percent < 100, 'it is in the middle');
    const gone = new Promise((resolve) => first.process().once('exit', resolve));
    first.process().kill('SIGKILL');
    await gone;
    const second = await eventually('it starts again', async () => {
      const started = await launchChromium({ flags: [profile] }).catch((error) => error);
      return { value: started instanceof Error ? null : started, seen: started.message };
    });
    try {
      const again = await Person.arrive(second, stage.server, { context: second.defaultBrowserContext() });
      await again.open(link);
      const back = await again.until('what was here is here', (seen) => seen.files === 1 && seen.percent > 0, PATIENT_MS);
      assert.ok(back.percent >= percent - 1, `${back.percent} % of ${percent} %`);
      await again.done(PATIENT_MS);
      assert.equal((await again.save(0, PATIENT_MS)).sha256, await expected(file));
    } finally {
      await second.close();
    }
  });

  test('what was removed from the library can be had back', async () => {
    const file = { name: 'kept.txt', size: 500, seed: 47 };
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([file]);
    await receiver.get(link);
    await receiver.done();
    await receiver.go('/library');
    await receiver.until('it stands there', ({ text }) => text.includes('kept.txt'));
    await receiver.page.click('[aria-label=Remove]');
    await receiver.until('it says so', ({ text }) => text.includes('Removed from this device') && !text.includes('kept.txt'));
    await receiver.page.click('.shelf-row .button');
    await receiver.until('it is back', ({ text }) => text.includes('kept.txt'));
    await sender.leave();
    await receiver.open(link);
    await receiver.done();
    assert.equal((await receiver.save()).sha256, await expected(file), 'with all its blocks');
  });
});
