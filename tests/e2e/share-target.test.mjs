// Proves that files which another app of a phone shares with the installed page become a share. No test can press a
// phone's share sheet: a page posts the form that the system would. The server has no answer to it, the worker has. In
// Firefox, for Chromium's workers can't read the files of a form that a page posts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, expected } from './files.mjs';
import { withPeople } from './people.mjs';

describe('the share sheet of a phone', () => {
  const { stage, arrive } = withPeople({ browsers: ['firefox'] });

  test('what is shared with the page gets a link, and arrives', async () => {
    const { share_target: target } = await (await fetch(`${stage.server.url}/manifest.webmanifest`)).json();
    const file = { name: 'photo ä 1.jpg', size: 70_001, seed: 53, type: 'image/jpeg' };
    const [sender, receiver] = [await arrive(), await arrive()];
    await sender.go('/share');
    await sender.page.waitForFunction(active, {}, target.action);
    const there = sender.page.waitForNavigation({ waitUntil: 'domcontentloaded' });
    await sender.page.evaluate(post, target, file, Buffer.from(bytesOf(file)).toString('base64'));
    await there;
    assert.equal(sender.page.url(), `${stage.server.url}/share`);
    const link = await sender.madeLink();
    await receiver.get(link);
    await receiver.done();
    assert.deepEqual(await receiver.save(), { name: file.name, size: file.size, sha256: await expected(file) });
  });
});

/** In the page: whether the worker of this folder runs. */
async function active(folder) {
  const registration = await navigator.serviceWorker.getRegistration(folder);
  return registration?.scope.endsWith(folder) && registration.active?.state === 'activated';
}

/** In the page: posts a file as the manifest says that the system does. */
function post({ action, method, enctype, params }, { name, type }, base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const input = Object.assign(document.createElement('input'), { type: 'file', name: params.files[0].name, multiple: true });
  input.files = transfer.files;
  const form = Object.assign(document.createElement('form'), { action, method, enctype });
  form.append(input);
  document.body.append(form);
  form.submit();
}
