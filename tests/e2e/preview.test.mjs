// Proves that files are looked at on the page of a link: pictures and text when they are whole, sound while it still
// comes, from checked blocks, with nothing of a stranger's run.

import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import { describe, test } from 'node:test';
import { MIB, PATIENT_MS, withPeople } from './people.mjs';
import { eventually } from './stage.mjs';

describe('looking at files', () => {
  const { arrive } = withPeople();

  test('a single picture is shown when it is whole', async () => {
    const head = png(64, 32);
    const [sender, receiver] = [await arrive(), await arrive()];
    const link = await sender.share([{ name: 'field.png', size: Buffer.from(head, 'base64').length, seed: 1, head }]);
    await receiver.get(link);
    await receiver.done();
    const seen = await eventually('it is drawn', async () => {
      const seen = await receiver.page.evaluate(() => {
        const picture = document.querySelector('.preview-picture');
        return picture && { wide: picture.naturalWidth, high: picture.naturalHeight };
      });
      return { value: seen?.wide > 0 && seen, seen };
    });
    assert.deepEqual(seen, { wide: 64, high: 32 });
  });

  test('a page and a drawing with scripts are text, and a picture that is none says so', async () => {
    const evil = '<svg xmlns="http://www.w3.org/2000/svg"><script>window.__ran = 1</script></svg><b>é</b><script>window.__ran = 1</script>';
    const head = Buffer.from(evil).toString('base64');
    const size = Buffer.from(evil).length;
    const [sender, receiver] = [await arrive(), await arrive()];
    const files = ['a.html', 'b.svg', 'c.png'].map((name) => ({ name, size, seed: 3, type: 'text/html', head }));
    const link = await sender.share(files);
    await receiver.get(link);
    await receiver.done();
    for (const row of [0, 1]) {
      await receiver.page.evaluate((at) => document.querySelectorAll('[data-do=look]')[at].click(), row);
      await eventually('it is shown as it is written', async () => {
        const seen = await receiver.page.evaluate((at) => document.querySelectorAll('.file-row')[at].querySelector('.preview-text')?.textContent, row);
        return { value: seen === evil, seen };
      });
    }
    await receiver.page.evaluate(() => document.querySelectorAll('[data-do=look]')[2].click());
    await receiver.until('it says so', ({ text }) => text.includes('not what its name says'));
    assert.equal(await receiver.page.evaluate(() => window.__ran), undefined);
    assert.equal(await receiver.page.evaluate(() => document.querySelectorAll('.preview').length), 1, 'one at a time');
  });

  for (const name of ['Chromium', 'Firefox']) {
    test(`sound plays while it comes, from where a person jumps to, in ${name}`, async () => {
      const size = 24 * MIB;
      const file = { name: 'rain.wav', size, seed: 5, type: 'audio/wav', head: wav(size) };
      const sender = await arrive();
      // 16 Mbit/s: twelve seconds.
      await sender.limitUpload(16);
      const link = await sender.share([file], { withinMs: PATIENT_MS });
      const receiver = await arrive({ browser: name.toLowerCase() });
      await receiver.get(link);
      await receiver.until('some of it is here', ({ percent }) => percent >= 2, PATIENT_MS);
      await receiver.page.click('[data-do=look]');
      const playing = await eventually('it plays', async () => {
        const seen = await receiver.page.evaluate(player, { play: true });
        return { value: seen?.at > 0.3 && seen, seen: [seen, receiver.console.slice(-5)] };
      }, PATIENT_MS);
      assert.ok(Math.abs(playing.seconds - size / RATE) < 2, `${playing.seconds} s`);
      assert.equal((await receiver.look()).stage, 'fetching', 'the rest is still coming');
      const to = playing.seconds * 0.9;
      await receiver.page.evaluate(player, { to });
      await eventually('it plays there', async () => {
        const seen = await receiver.page.evaluate(player, {});
        return { value: seen?.at > to + 0.3 && seen, seen };
      }, PATIENT_MS);
      console.log(`${name}: jumped to 90 % at ${(await receiver.look()).percent} % here`);
      await receiver.done(PATIENT_MS);
    });
  }

  test('a PDF is offered only when it is whole, and then as a PDF where the browser shows one', async () => {
    const head = Buffer.from(PDF).toString('base64');
    const [sender, receiver] = [await arrive(), await arrive()];
    await sender.limitUpload(16);
    // Four seconds; what follows the paper in it is noise.
    const link = await sender.share([{ name: 'paper.pdf', size: 8 * MIB, seed: 9, head }], { withinMs: PATIENT_MS });
    await receiver.get(link);
    const coming = await eventually('it comes', async () => {
      const seen = await receiver.page.evaluate(() => ({
        stage: document.querySelector('.transfer').dataset.stage,
        buttons: document.querySelectorAll('[data-do=look]').length,
      }));
      return { value: seen.stage === 'fetching' && seen, seen };
    });
    assert.equal(coming.buttons, 0, 'while it comes');
    await receiver.done(PATIENT_MS);
    const answers = [];
    receiver.page.on('response', (response) => answers.push({ url: response.url(), status: response.status(), type: response.headers()['content-type'] }));
    await receiver.page.click('[data-do=look]');
    const shown = await eventually('there is a frame with an answer, or a word why not', async () => {
      const seen = await receiver.page.evaluate(() => ({
        able: navigator.pdfViewerEnabled,
        frame: document.querySelector('.preview-frame')?.src ?? '',
        text: document.querySelector('.preview')?.innerText ?? '',
      }));
      const answer = answers.find(({ url }) => url === seen.frame);
      return { value: (answer || /Save it/.test(seen.text)) && { ...seen, answer }, seen: [seen, answers] };
    });
    assert.equal(Boolean(shown.answer), shown.able, 'shown where the browser can');
    if (shown.able) assert.deepEqual([shown.answer.status, shown.answer.type], [200, 'application/pdf']);
  });
});

const RATE = 44_100 * 4;

/** The head of a WAV of so many bytes: 16 bits, two channels. What follows is noise, which sounds like rain. */
function wav(size) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(size - 8, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(44_100, 24);
  head.writeUInt32LE(RATE, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(size - 44, 40);
  return head.toString('base64');
}

/** A picture of one colour, in base64. */
function png(wide, high) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(wide, 0);
  head.writeUInt32BE(high, 4);
  head.set([8, 0, 0, 0, 0], 8);
  const lines = Buffer.alloc((wide + 1) * high, 0x80);
  for (let line = 0; line < high; line += 1) lines[line * (wide + 1)] = 0;
  const parts = [chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...parts]).toString('base64');
}

function chunk(name, bytes) {
  const body = Buffer.concat([Buffer.from(name), bytes]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(bytes.length);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

const PDF = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj
trailer<</Root 1 0 R>>
%%EOF
`;

/** In the page: the player in its frame, told what to do. */
function player({ play, to }) {
  const found = document.querySelector('.preview-frame')?.contentDocument?.querySelector('audio, video');
  if (!found) return null;
  found.muted = true;
  if (to !== undefined) found.currentTime = to;
  if (play && found.paused) found.play().catch(() => {});
  return { at: found.currentTime, seconds: found.duration, error: found.error?.message ?? null, state: found.readyState };
}
