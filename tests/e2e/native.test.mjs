// Proves that a native peer exchanges blocks with real browsers: `starling seed` serves a tab of Chromium and one of
// Firefox, `starling get` takes from either, and one that was killed in the middle fetches only what is missing.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { expected } from './files.mjs';
import { Native, place, seed, sha256Of } from './native.mjs';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';

const BROWSERS = ['chromium', 'firefox'];

describe('native peers', () => {
  const natives = [];
  afterEach(async () => {
    await Promise.all(natives.splice(0).map((native) => native.kill()));
  });
  const { stage, arrive } = withPeople({ browsers: BROWSERS });
  const get = (folder, link) => {
    const native = Native.start(folder, ['get', link, '-o', 'got']);
    natives.push(native);
    return native;
  };

  test('starling seed serves a Chromium tab and a Firefox tab', async () => {
    const folder = await place(stage.folder);
    const bytes = randomBytes(9 * MIB + 77);
    await fs.writeFile(path.join(folder, 'film ä.bin'), bytes);
    const sha256 = await sha256Of(path.join(folder, 'film ä.bin'));
    const native = await seed(folder, ['film ä.bin', '--server', stage.server.url]);
    natives.push(native);
    for (const name of BROWSERS) {
      const receiver = await arrive({ browser: name });
      const started = Date.now();
      await receiver.get(native.link, { withinMs: PATIENT_MS });
      await receiver.done(PATIENT_MS);
      console.log(`seed to ${name}: ${bytes.length} bytes in ${Date.now() - started} ms`);
      assert.deepEqual(await receiver.save(0, PATIENT_MS), { name: 'film ä.bin', size: bytes.length, sha256 });
      // The next one must get it from here.
      await receiver.leave();
    }
    const whole = ({ sent_bytes: sent }) => sent >= 2 * bytes.length;
    await native.until('it says what it gave', whole);
    assert.equal(await native.stop(), 0);
  });

  for (const name of BROWSERS) {
    test(`starling get takes from a tab of ${name}`, async () => {
      const file = { name: 'across.bin', size: 6 * MIB + 13, seed: 31 };
      const sender = await arrive({ browser: name });
      const link = await sender.share([file], { withinMs: PATIENT_MS });
      const folder = await place(stage.folder);
      const started = Date.now();
      const got = await get(folder, link).got(PATIENT_MS);
      console.log(`${name} to get: ${file.size} bytes in ${Date.now() - started} ms`);
      assert.deepEqual([got.files, got.content_bytes, got.blocks_here], [1, file.size, 0]);
      assert.equal(await sha256Of(path.join(folder, 'got')), await expected(file));
    });
  }

  test('a folder goes from the picker of a tab to get, and from seed to a tab, as it was', async () => {
    const folder = await place(stage.folder);
    const files = { 'film ä.bin': 2 * MIB + 5, 'notes/day 1.txt': 300, 'notes/old/day 0.txt': 7, 'notes/nothing.txt': 0 };
    for (let number = 0; number < 40; number += 1) files[`many/${number}.txt`] = 200 + number;
    for (const [name, size] of Object.entries(files)) {
      await fs.mkdir(path.dirname(path.join(folder, 'trip', name)), { recursive: true });
      await fs.writeFile(path.join(folder, 'trip', name), randomBytes(size));
    }
    const sender = await arrive();
    const link = await sender.shareFolder(path.join(folder, 'trip'), { withinMs: PATIENT_MS });
    const got = await get(folder, link).got(PATIENT_MS);
    assert.equal(got.files, Object.keys(files).length);
    await sameFolder(path.join(folder, 'trip'), path.join(folder, 'got'));
    await sender.leave();
    const native = await seed(folder, ['got', '--server', stage.server.url]);
    natives.push(native);
    const receiver = await arrive();
    await receiver.get(native.link, { withinMs: PATIENT_MS });
    const { files: shown } = await receiver.done(PATIENT_MS);
    assert.equal(shown, Object.keys(files).length);
    const { name, sha256 } = await receiver.save(0, PATIENT_MS);
    const whole = Object.keys(files).find((each) => path.basename(each) === name);
    assert.equal(sha256, await sha256Of(path.join(folder, 'trip', whole)), name);
  });

  test('a get that was killed in the middle fetches only what is missing', async () => {
    const blocks = 32;
    const file = { name: 'half.bin', size: blocks * MIB, seed: 37 };
    const sender = await arrive();
    const link = await sender.share([file], { withinMs: PATIENT_MS });
    const folder = await place(stage.folder);
    const first = get(folder, link);
    await first.until('a quarter is here', ({ progress }) => progress?.done_bytes >= file.size / 4, PATIENT_MS);
    await first.kill();
    assert.equal(first.lines.find(({ output }) => output), undefined, 'it was killed in the middle');
    const { blocks_here: here, fetched_blocks: fetched } = await get(folder, link).got(PATIENT_MS);
    console.log(`${here} blocks were here, ${fetched} came`);
    assert.ok(here >= blocks / 4, `${here} blocks were here`);
    // The leaves, the node above them, and the manifest.
    assert.equal(here + fetched, blocks + 2);
    assert.equal(await sha256Of(path.join(folder, 'got')), await expected(file));
  });
});

/** Both folders hold the same files, and nothing else. */
async function sameFolder(one, other) {
  const below = async (folder) => {
    const found = await fs.readdir(folder, { recursive: true, withFileTypes: true });
    return found.filter((entry) => entry.isFile()).map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name))).sort();
  };
  const names = await below(one);
  assert.deepEqual(await below(other), names);
  for (const name of names) assert.equal(await sha256Of(path.join(other, name)), await sha256Of(path.join(one, name)), name);
}
