// Proves that a site's owner can pay viewers who upload: the one who sends earns what the other verified, the player says
// so, and it is on the ledger in the account that the tag names; that a page without a fund loads nothing of it; that
// a fund that is not there costs the video nothing; and that our own Watch page earns for its wallet once a person says so,
// not before, and proves what was paid.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { launchChromium } from '../rig/browser.mjs';
import { freePort, starlingBinary } from '../rig/starling.mjs';
import { Native, place } from './native.mjs';
import { eventually, openStage, Viewer } from './stage.mjs';

/** Units for a MiB. */
const PRICE = 10_000;
const MIB = 1 << 20;
/** Two reports of each side, fifteen seconds apart, a block and a round of payments. */
const PATIENT_MS = 120_000;
/** Accounts that signed nothing yet. */
const [FIRST, SECOND] = ['a1'.repeat(32), 'b2'.repeat(32)];

describe('a fund for a video', () => {
  let chromium;
  let stage;
  let fund;
  before(async () => {
    chromium = await launchChromium();
    stage = await openStage();
  });
  afterEach(async () => {
    await stage.clear();
    await fund?.kill();
    fund = undefined;
  });
  after(async () => {
    await stage?.close();
    await chromium?.close();
  });

  /** Starts `starling fund` for the video, from an account that was given something; where viewers report. */
  const openFund = async () => {
    const folder = await place(stage.folder);
    const words = ['keys', 'show', 'me.key', '--json'];
    const { stdout } = await promisify(execFile)(starlingBinary(), words, { cwd: folder });
    const { account } = JSON.parse(stdout);
    await eventually('the faucet gives', async () => {
      const { status } = await fetch(`${stage.server.url}/ledger/faucet/${account}`, { method: 'POST' });
      return { value: status < 300, seen: status };
    });
    await eventually('the gift is there', async () => {
      const seen = await unitsOf(account);
      return { value: seen > 0, seen };
    });
    fund = Native.start(folder, [
      ...['fund', stage.src, '--key', 'me.key', '--node', stage.server.url, '--listen', `127.0.0.1:${await freePort()}`],
      // All viewers of a test have one address.
      ...['--amount', '2000000', '--hourly', '2000000', '--price', String(PRICE), '--payout', '5000', '--every', '1s', '--same-address'],
    ]);
    return (await fund.until('is open', ({ event }) => event === 'open')).url;
  };

  const unitsOf = async (account) => {
    const answer = await fetch(`${stage.server.url}/ledger/accounts/${account}`);
    return Number((await answer.json()).units ?? 0);
  };

  test('who uploads earns what the other viewer verified, and has it on the ledger', async () => {
    const url = await openFund();
    const first = await Viewer.open(chromium, stage, { attributes: { fund: url, account: FIRST, debug: '' } });
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
    await first.until('is known to the fund', ({ stats }) => stats.earned?.state === 'on');
    const second = await Viewer.open(chromium, stage, { attributes: { fund: url, account: SECOND } });
    await second.until('holds 20 s', ({ video }) => video?.bufferedTo >= 20);
    const least = PRICE;
    const seen = await first.until('earned something', ({ stats }) => stats.earned.units >= least, PATIENT_MS);
    const price = (bytes) => (bytes / MIB) * PRICE;
    assert.ok(seen.stats.earned.units <= price(seen.stats.uploadBytes), 'no more than it sent');
    const { stats } = await second.look();
    assert.ok(seen.stats.earned.units <= price(stats.p2pBytes), 'no more than the other says it got');
    const paid = await fund.until('it is paid', (line) => Number(line.paid) >= least, PATIENT_MS);
    assert.ok(Number(paid.paid) <= Number(paid.earned));
    await eventually('the ledger has it', async () => {
      const units = await unitsOf(FIRST);
      return { value: units >= least, seen: units };
    });
    await first.until('the player says that it is paid', (look) => look.stats.earned.paid >= least, PATIENT_MS);
    const readout = await first.page.evaluate(() => document.querySelector('starling-player').shadowRoot.querySelector('[part=overlay]').textContent);
    assert.match(readout, /earned +0\.\d{6} STAR, 0\.\d{6} paid/);
    assert.equal(await fund.stop(), 0);
    const last = fund.lines.findLast(({ paid: units }) => units !== undefined);
    assert.equal(await unitsOf(FIRST) + await unitsOf(SECOND), Number(last.paid), 'nobody else was paid');
  });

  test('a viewer who names no account gives for nothing', async () => {
    const url = await openFund();
    const first = await Viewer.open(chromium, stage, { attributes: { fund: url } });
    await first.until('has a head start', ({ video }) => video?.bufferedTo >= 20);
    const second = await Viewer.open(chromium, stage, { attributes: { fund: url } });
    await second.until('takes from the first', ({ stats, video }) => video?.bufferedTo >= 20 && stats.p2pBytes > MIB / 2);
    await second.until('reported', ({ stats }) => stats.earned?.state === 'on');
    await fund.until('knows both', ({ viewers }) => viewers === 2, PATIENT_MS);
    assert.ok(fund.lines.every(({ earned }) => earned === undefined || earned === '0'));
  });

  test('our Watch page earns once a person says so, and proves what was paid', async () => {
    const url = await openFund();
    const context = await chromium.createBrowserContext();
    try {
      const page = await context.newPage();
      const query = new URLSearchParams({ src: stage.src, fund: url });
      await page.goto(`${stage.server.url}/watch?${query}`, { waitUntil: 'domcontentloaded' });
      const until = (what, condition, withinMs) => eventually(what, async () => {
        const seen = await page.evaluate(watched);
        return { value: condition(seen) && seen, seen };
      }, withinMs);
      const before = await until('has a head start', ({ bufferedTo }) => bufferedTo >= 20);
      assert.match(before.card, /127\.0\.0\.1:\d+ pays who passes it on/);
      assert.deepEqual([before.fund, before.account, before.earned], [null, null, null], 'nothing is told before');
      assert.ok(fund.lines.every(({ viewers }) => !viewers));

      await page.click('#earning .switch');
      const on = await until('names its account', ({ account }) => account !== null, PATIENT_MS);
      assert.equal(on.fund, url);
      assert.match(on.account, /^[0-9a-f]{64}$/);
      await fund.until('knows it', ({ viewers }) => viewers === 1, PATIENT_MS);
      const second = await Viewer.open(chromium, stage, { attributes: { fund: url } });
      await second.until('holds 20 s', ({ video }) => video?.bufferedTo >= 20);
      const seen = await until('what was paid is proved', ({ proved }) => proved >= PRICE, PATIENT_MS);
      assert.match(seen.card, /Earned so far\s+\d+\.\d+\sSTAR/);
      assert.match(seen.card, /\d+\.\d+\sSTAR are in your account, proved at block \d+/);
      assert.ok(seen.proved <= await unitsOf(on.account), 'no more than the ledger has');

      await page.click('#earning .switch');
      await until('tells nothing any more', (now) => now.fund === null && now.account === null && now.earned === null);
    } finally {
      await context.close();
    }
  });

  test('a page without a fund loads nothing of it', async () => {
    const viewer = await Viewer.open(chromium, stage);
    const { stats } = await viewer.until('plays', ({ video, stats }) => video?.at >= 3 && stats.mode === 'starling');
    assert.equal(stats.earned, undefined);
    assert.deepEqual(await loadedOfFund(viewer), []);
  });

  test('a fund that is not there costs the video nothing, and may come with an attribute later', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}/fund`;
    const viewer = await Viewer.open(chromium, stage);
    await viewer.until('meets others', ({ stats }) => stats?.mode === 'starling');
    await viewer.page.evaluate((url) => (document.querySelector('starling-player').fund = url), nowhere);
    await viewer.until('says that it does not answer', ({ stats }) => stats.earned?.state === 'unreachable');
    assert.equal((await loadedOfFund(viewer)).length, 1);
    await viewer.playsOn(2);
    await viewer.page.evaluate(() => document.querySelector('starling-player').removeAttribute('fund'));
    await viewer.until('is off again', ({ stats }) => stats.earned === undefined);
    assert.equal((await viewer.look()).video.error, null);
  });
});

/** What our Watch page shows of the fund, and what its player names. Runs in the page. */
function watched() {
  const player = document.querySelector('starling-player');
  const { video } = player ?? {};
  const figures = document.querySelector('#earned');
  return {
    bufferedTo: video?.buffered.length > 0 ? video.buffered.end(video.buffered.length - 1) : 0,
    fund: player?.getAttribute('fund') ?? null,
    account: player?.getAttribute('account') ?? null,
    card: document.querySelector('#earning')?.innerText ?? '',
    earned: figures && Number(figures.dataset.units),
    proved: Number(figures?.dataset.proved ?? 0),
  };
}

/** Scripts of ours about funds that a tab loaded. */
async function loadedOfFund(viewer) {
  return viewer.page.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /\/fund\/reports/.test(name)),
  );
}
