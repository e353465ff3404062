// Proves that a site's owner can pay viewers who upload: the one who sends earns what the other verified, the player says
// so, and it is on the ledger in the account that the tag names; that a page without a fund loads nothing of it; that
// a fund that is not there costs the video nothing; that our own Watch page earns for its wallet once a person says so,
// not before, and proves what was paid; that a pool is set aside, drawn on and taken back on the Wallet page; and that tabs
// which share files tell the fund that the share's link names.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { launchChromium } from '../rig/browser.mjs';
import { freePort, starlingBinary } from '../rig/starling.mjs';
import { enabled, fund as gift, put } from './identity-forms.mjs';
import { BLOCKS_MS, press, until as reads } from './ledger-pages.mjs';
import { Native, place } from './native.mjs';
import { withPeople } from './people.mjs';
import { eventually, openStage, Viewer } from './stage.mjs';

/** Units for a MiB. */
const PRICE = 10_000;
const MIB = 1 << 20;
/** Two reports of each side, fifteen seconds apart, a block and a round of payments. */
const PATIENT_MS = 120_000;
/** Accounts that signed nothing yet. */
const [FIRST, SECOND, THIRD] = ['a1', 'b2', 'c3'].map((byte) => byte.repeat(32));

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

  const openFund = async () => {
    fund = await startFund(stage, stage.src);
    return (await fund.until('is open', ({ event }) => event === 'open')).url;
  };
  const unitsOf = (account) => holding(stage, account);

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

  test('a pool is set aside on the Wallet page, a fund draws on it and pays, and the rest comes back', async () => {
    const folder = await place(stage.folder);
    const starling = async (...words) => {
      const { stdout } = await promisify(execFile)(starlingBinary(), [...words, '--json'], { cwd: folder });
      return JSON.parse(stdout);
    };
    const { key, account } = await starling('keys', 'show', 'fund.key');
    const context = await chromium.createBrowserContext();
    try {
      const page = await context.newPage();
      await page.goto(`${stage.server.url}/wallet`, { waitUntil: 'domcontentloaded' });
      await gift(page);
      const owner = await page.evaluate(() => document.querySelector('.receive .copy-text').innerText.trim());
      const pool = () => page.evaluate(() => ({ ...document.querySelector('[data-fund]')?.dataset }));
      const next = (name) => eventually(`${name} is next`, async () => {
        const seen = await pool();
        return { value: seen.next === name && seen, seen };
      }, BLOCKS_MS);
      const does = async (name, wanted) => {
        await enabled(page, `#funds [data-do=${name}]`);
        await press(page, `#funds [data-do=${name}]`);
        await signs(page, wanted);
      };

      await put(page, '#fund-key', `key     ${key}account ${account}`);
      await put(page, '#fund-units', '2');
      await put(page, '#fund-days', '7');
      await press(page, '#fund-review');
      await signs(page, /Locked\s+2\.00\sSTAR\s+For\s+7\sdays/);
      const { fund: number } = await next('allow');
      await reads(page, 'it may not be drawn on yet', /the fund may not draw on it yet\s+Proved at block \d+/, '#funds');
      await does('allow', /May draw\s+2\.00\sSTAR/);
      await next('close');
      await reads(page, 'it may be drawn on', /2\.00\sSTAR may be drawn until \d{4}-\d\d-\d\d/, '#funds');
      await does('fees', /Amount\s+1\.00\sSTAR/);
      await eventually('the fund has units for fees', async () => {
        const units = await unitsOf(account);
        return { value: units === 1_000_000, seen: units };
      });

      await put(page, `#fund-about-${number}`, stage.src);
      const [, video, options] = await eventually('the command names the video', async () => {
        const all = await page.evaluate(() => [...document.querySelectorAll('#funds .copy-text')].map((one) => one.textContent.trim()));
        return { value: all.map((one) => /^starling fund '([^']+)' (.+)$/.exec(one)).find(Boolean), seen: all };
      });
      assert.equal(video, stage.src);
      fund = Native.start(folder, [
        ...['fund', video, ...options.split(' '), '--listen', `127.0.0.1:${await freePort()}`],
        ...['--hourly', '500000', '--price', String(PRICE), '--payout', '5000', '--every', '1s', '--same-address'],
      ]);
      const { url } = await fund.until('is open', ({ event }) => event === 'open');
      const first = await Viewer.open(chromium, stage, { attributes: { fund: url, account: THIRD } });
      await first.until('has a head start', ({ video: shown }) => shown?.bufferedTo >= 20);
      await first.until('is known to the fund', ({ stats }) => stats.earned?.state === 'on');
      const second = await Viewer.open(chromium, stage, { attributes: { fund: url } });
      await second.until('holds 20 s', ({ video: shown }) => shown?.bufferedTo >= 20);
      const paid = await fund.until('it is paid', (line) => Number(line.paid) >= PRICE, PATIENT_MS);
      assert.ok((await unitsOf(THIRD)) >= PRICE && Number(paid.paid) <= 500_000);
      await eventually('the page proves what was drawn', async () => {
        const seen = await pool();
        return { value: Number(seen.drawn) >= 1_000_000, seen };
      }, BLOCKS_MS);

      assert.equal(await fund.stop(), 0);
      const where = ['--key', 'fund.key', '--node', stage.server.url, '--data', path.join(folder, 'store')];
      assert.equal((await starling('fund', '--close', ...where, '--pool', number)).event, 'closing');
      // It may draw again, or the rest may be taken: nobody has to be waited for.
      await page.waitForFunction(() => !document.querySelector('#funds [data-do=take]').hidden);
      const left = await next('allow');
      assert.equal(Number(left.left) + Number(left.drawn), 2_000_000);
      await does('take', /Left in it\s+\d+\.\d+\sSTAR/);
      await reads(page, 'it is gone', /There is none: it is closed/, '#funds');
      const has = await unitsOf(owner);
      const most = 9_000_000 - Number(left.drawn);
      assert.ok(has < most && has > most - 100_000, `${has} units: ten STAR without what was drawn, one for fees, and its own`);
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

describe('a fund for a share', () => {
  const { stage, arrive } = withPeople();
  let fund;
  afterEach(async () => {
    await fund?.kill();
    fund = undefined;
  });

  test('who gives a share to another tab is paid by the fund that its link names', async () => {
    const file = { name: 'film.bin', size: 8 * MIB + 5, seed: 91 };
    const [sender, receiver] = [await arrive(), await arrive()];
    const bare = await sender.share([file], { withinMs: PATIENT_MS });
    fund = await startFund(stage, bare);
    const { url } = await fund.until('is open', ({ event }) => event === 'open');
    await sender.page.click('.funding summary');
    await sender.page.type('.funding .text-field', url);
    await sender.page.click('.funding [type=submit]');
    const link = await eventually('the link names the fund', async () => {
      const seen = await sender.madeLink();
      return { value: new URL(seen).searchParams.get('fund') === url && seen, seen };
    });
    assert.equal(new URL(link).hash, new URL(bare).hash, 'what opens the share is as before');
    await sender.page.click('.funding .switch');
    await fund.until('knows who gives', ({ viewers }) => viewers === 1, PATIENT_MS);
    await eventually('the wallet of who gives is open', async () => {
      const seen = await sender.page.evaluate(() => document.querySelector('.funding [role=status]')?.innerText ?? '');
      return { value: /earned/.test(seen), seen };
    }, PATIENT_MS);

    await receiver.page.goto(link, { waitUntil: 'domcontentloaded' });
    await receiver.page.waitForSelector('#earning .switch', { timeout: PATIENT_MS });
    await receiver.page.click('#earning .switch');
    await receiver.until('names and sizes are shown', ({ stage: shown }) => shown === 'offered', PATIENT_MS);
    await receiver.page.click('[data-do=get]');
    await receiver.done(PATIENT_MS);
    const price = (file.size / MIB) * PRICE;
    const told = await eventually('who gave is told', async () => {
      const seen = await sender.page.evaluate(() => ({ ...document.querySelector('.funding [data-earned]')?.dataset }));
      return { value: Number(seen.paid) >= PRICE && seen, seen };
    }, PATIENT_MS);
    assert.ok(Number(told.earned) <= price * 1.1, `${told.earned} units for ${file.size} bytes`);
    await sender.go('/wallet');
    await reads(sender.page, 'the wallet is open', /Proved at block \d+/);
    const account = await sender.page.evaluate(() => document.querySelector('.receive .copy-text').innerText.trim());
    assert.ok((await holding(stage, account)) >= Number(told.paid), 'the ledger has it');
  });
});

/** Starts `starling fund` for a video or a share, from an account that was given something. */
async function startFund(stage, what) {
  const folder = await place(stage.folder);
  const words = ['keys', 'show', 'me.key', '--json'];
  const { stdout } = await promisify(execFile)(starlingBinary(), words, { cwd: folder });
  const { account } = JSON.parse(stdout);
  await eventually('the faucet gives', async () => {
    const { status } = await fetch(`${stage.server.url}/ledger/faucet/${account}`, { method: 'POST' });
    return { value: status < 300, seen: status };
  });
  await eventually('the gift is there', async () => {
    const seen = await holding(stage, account);
    return { value: seen > 0, seen };
  });
  return Native.start(folder, [
    ...['fund', what, '--key', 'me.key', '--node', stage.server.url, '--listen', `127.0.0.1:${await freePort()}`],
    // All viewers of a test have one address.
    ...['--amount', '2000000', '--hourly', '2000000', '--price', String(PRICE), '--payout', '5000', '--every', '1s', '--same-address'],
  ]);
}

/** Units that an account has, as a server says. */
async function holding(stage, account) {
  const answer = await fetch(`${stage.server.url}/ledger/accounts/${account}`);
  return Number((await answer.json()).units ?? 0);
}

/** Looks at what is about to be signed of a pool, with its fee, and signs it. */
async function signs(page, wanted) {
  await reads(page, 'what is signed is told', wanted, '#fund-bill');
  await reads(page, 'the fee is told before signing', /Fee, at most\s+0\.0\d+\sSTAR/, '#fund-bill');
  await enabled(page, '#fund-sign');
  await press(page, '#fund-sign');
  await page.waitForSelector('#fund-bill', { hidden: true });
}

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
