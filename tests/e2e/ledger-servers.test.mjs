// Proves what a tab says of the ledger's servers and of its own clock: who stays behind, who keeps proofs back and who
// shows a second history is named, and another is heard; a clock that is behind is nobody's fault; what became of a
// transfer is known though the validator that took it was killed; and validators who take over are followed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { startStarling, starling } from '../rig/starling.mjs';
import { dealValidators, startValidator } from '../rig/validators.mjs';
import { enabled, put } from './identity-forms.mjs';
import { BLOCKS_MS, WIDE, accountOf, askToo, picture, press, text, until, withLedger } from './ledger-pages.mjs';
import { openProxy } from './ledger-proxy.mjs';
import { eventually } from './stage.mjs';

/** What a row of the list of servers says, after the address. */
const says = (url, words) => new RegExp(`${url}\\s+${words}`);
/** Of one that is gone, which may have been asked something in that moment. */
const AWAY = '(not connected|keeps answers back)';
/** Blocks of a page's text. */
const newest = (seen) => Number(/Newest block\s+(\d+)/.exec(seen)?.[1] ?? 0);
const provedAt = (seen) => Number(/Proved at block (\d+)/.exec(seen)?.[1] ?? 0);
/** What is said of nobody who is honest. */
const LIED = /Not asked any more/;

describe('servers of the ledger', () => {
  const { stage, visit } = withLedger({ config: '[ledger]\nheartbeat_ms = 1000\n' });
  /** What the stage's server answers below `/ledger`; null: nothing. */
  const ask = (route) => fetch(`${stage.server.url}/ledger/${route}`).then((answer) => answer.json()).catch(() => null);
  /** How high it is, once it answers. */
  const height = async () => {
    const { height: now } = await eventually('the server has blocks', async () => {
      const seen = await ask('status');
      return { value: seen?.height > 0 && seen, seen };
    }, BLOCKS_MS);
    return now;
  };
  /** Waits until a page on the Ledger page has seen a block as high as that. */
  const follows = (page, wanted) =>
    eventually(`block ${wanted} was seen`, async () => {
      const seen = await text(page);
      return { value: newest(seen) >= wanted, seen };
    }, BLOCKS_MS);

  test('a host that stays behind and one that keeps proofs back are named, and a third one is heard', async () => {
    const [behind, silent] = [await openProxy(stage.server), await openProxy(stage.server)];
    silent.keepsBack = (url) => url.startsWith('/ledger/state/');
    try {
      const page = await visit('/ledger', WIDE, behind.url);
      await until(page, 'the balance is proved', /Proved at block \d+/);
      await askToo(page, stage.server.url);
      await until(page, 'the third one is heard', says(stage.server.url, 'at block'));
      behind.freeze();
      const began = newest(await text(page));
      await askToo(page, silent.url);
      await until(page, 'who keeps proofs back is named', says(silent.url, 'keeps answers back'));
      const seen = await until(page, 'who stays behind is named', says(behind.url, 'stays behind the others'));
      await picture(page, 'ledger-withholds-and-lags');
      assert.ok(newest(seen) > began && provedAt(seen) > began, `block ${newest(seen)}, proved at ${provedAt(seen)}, after ${began}`);
      assert.match(seen, says(stage.server.url, 'at block'));
      assert.doesNotMatch(seen, LIED, 'neither lied');
      behind.thaw();
      await until(page, 'it is as far as the others again', says(behind.url, 'at block'));
    } finally {
      await Promise.all([behind.close(), silent.close()]);
    }
  });

  test('a device whose clock is behind is told by how much, and no server is blamed', async () => {
    const slow = await openProxy(stage.server, (url, body) =>
      url.startsWith('/wallet/worker.js') ? Buffer.concat([Buffer.from(THREE_MINUTES_BEHIND), body]) : body);
    try {
      const page = await visit('/ledger', WIDE, slow.url);
      await until(page, 'the clock is named', /Proved at block \d+, but the clock is off/);
      await page.evaluate(() => document.querySelector('.proof-badge').setAttribute('open', ''));
      await until(page, 'it is said by how much', /clock is about 3\s*min behind[\s\S]*Nothing is sent until the clock is set/);
      const seen = await until(page, 'its server is heard', says(slow.url, 'at block'));
      await follows(page, newest(seen) + 2);
      assert.doesNotMatch(await text(page), LIED);
      await picture(page, 'ledger-clock-behind');
      assert.deepEqual(page.errors, []);
    } finally {
      await slow.close();
    }
  });

  test('the validator that took a transfer is killed, and another one tells what became of it', async () => {
    const network = await openNetwork();
    let killed;
    const first = await openProxy(network.host, (url, body, status) => {
      // Its answer is the last that is heard of it.
      if (url === '/ledger/transactions' && status === 202) killed ??= network.host.kill();
      return body;
    });
    const second = await openProxy(network.other);
    try {
      const page = await visit('/wallet', WIDE, first.url);
      await until(page, 'the wallet is open', /Proved at block/);
      await network.give(await accountOf(page), 10_000_000);
      await until(page, 'what was given is proved', /10\.00\s*STAR/);
      await press(page, 'a[href="/ledger"]');
      await until(page, 'servers are listed', /Servers asked/);
      await askToo(page, second.url);
      await until(page, 'the other validator is heard', says(second.url, 'at block'));
      // A transfer goes to all who are up: this one has not heard of it.
      await second.down();
      await until(page, 'the other one is away', says(second.url, AWAY));
      await press(page, 'a[href="/wallet"]');
      await page.waitForSelector('#send-to');
      await put(page, '#send-to', '5'.repeat(64));
      await put(page, '#send-units', '2.5');
      await enabled(page, '.send-foot button');
      await page.focus('#send-units');
      await page.keyboard.press('Enter');
      await until(page, 'the fee is shown before signing', /Sign and send\?[\s\S]*Total/);
      assert.equal(killed, undefined);
      await press(page, '#send-sign');
      await eventually('the validator that dies took it', async () => ({ value: killed !== undefined, seen: 'no answer' }));
      await killed;
      await second.back();
      await until(page, 'the transfer is done', /Done in [\s\S]*block \d+/);
      await until(page, 'what is left is proved', /7\.49\d*\s*STAR/);
      await press(page, 'a[href="/ledger"]');
      await until(page, 'the one that died is named', says(first.url, AWAY));
      await until(page, 'the other one is heard', says(second.url, 'at block'));
      // That nobody listens there any more is an error to the browser, also where it looks for another version of the worker.
      assert.deepEqual(page.errors.filter((error) => !/WebSocket|ERR_|fetching the script/.test(error)), []);
    } finally {
      await Promise.all([first.close(), second.close()]);
      await network.close();
    }
  });

  test('a validator whose data was rolled back makes a second history, and the tab believes neither', async () => {
    const { server } = stage;
    const ledger = path.join(server.data, 'ledger');
    const kept = path.join(server.data, 'kept');
    const page = await visit('/ledger');
    await until(page, 'the balance is proved', /Proved at block \d+/);
    await server.kill();
    await fs.cp(ledger, kept, { recursive: true });
    await server.start();
    await follows(page, (await height()) + 3);
    await server.kill();
    await fs.rm(ledger, { recursive: true });
    await fs.rename(kept, ledger);
    await server.start();
    const seen = await until(page, 'the second history is named', says(server.url, 'shows a second history, signed by the same validators'));
    assert.match(seen, /The ledger has two histories/);
    await picture(page, 'ledger-fork');
  });

  test('validators take over while a tab is open, and it follows them', async () => {
    const { server } = stage;
    const [ledger, next] = ['ledger', 'next'].map((name) => path.join(server.data, name));
    const page = await visit('/ledger');
    await until(page, 'the balance is proved', /Proved at block \d+/);
    const root = await text(page, '.receive .copy-text');
    const first = (await height()) + 5;
    await server.kill();
    await starling('keys', 'successor', path.join(ledger, 'network.toml'), '--height', String(first), '--validators', '1', '--out', next);
    await fs.copyFile(path.join(next, 'network.toml'), path.join(ledger, 'network.toml'));
    await server.start();
    await eventually('the last block names the next ones', async () => {
      const seen = await ask('successions');
      return { value: seen?.successions?.length === 1, seen };
    }, BLOCKS_MS);
    await server.kill();
    for (const name of ['validator.key', 'validator.share', 'validator.fresh']) {
      await fs.copyFile(path.join(next, 'validator-0', name), path.join(ledger, name));
    }
    await server.start();
    await until(page, 'the change is told', new RegExp(`The validators changed at block\\s${first} \\(proved\\)`));
    await follows(page, first + 1);
    const seen = await eventually('the balance is proved by the next ones', async () => {
      const now = await text(page);
      return { value: provedAt(now) >= first && now, seen: now };
    }, BLOCKS_MS);
    assert.match(seen, says(server.url, 'at block'));
    assert.doesNotMatch(seen, LIED);
    assert.equal(await text(page, '.receive .copy-text'), root, 'what was pinned is pinned');
    await picture(page, 'ledger-succession');
  });
});

/** What the wallet's worker begins with on a device whose clock is behind. */
const THREE_MINUTES_BEHIND = '{ const now = Date.now; Date.now = () => now() - 180_000; }\n';

/**
 * A network of four validators, of whom one is a page's host: `host`, as of `startStarling`; `other` is the `port` of the
 * second one; `give(account, units)` gives units of its own asset; `close()` ends them.
 */
async function openNetwork() {
  const dealt = await dealValidators(4, { heartbeatMs: 1_000 });
  const folder = path.join(dealt.folder, 'host');
  await fs.mkdir(path.join(folder, 'data'), { recursive: true });
  await fs.cp(dealt.homes[0], path.join(folder, 'data', 'ledger'), { recursive: true });
  const children = dealt.settings.slice(1).map((settings) => startValidator(settings));
  const config = `[ledger]\nnetwork = "${dealt.network}"\nlisten = "${dealt.listen}"\nheartbeat_ms = 1000\n`;
  const end = async (child) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const network = { host: null, other: { port: Number(new URL(dealt.nodes[1]).port) } };
  network.give = (account, units) =>
    starling('ledger', '--node', dealt.nodes[1], 'send', account, String(units), '--key', dealt.key);
  network.close = async () => {
    await Promise.all([network.host?.kill(), ...children.map(end)]);
    await fs.rm(dealt.folder, { recursive: true, force: true });
  };
  try {
    network.host = await startStarling({ folder, config });
  } catch (error) {
    await network.close();
    throw error;
  }
  return network;
}
