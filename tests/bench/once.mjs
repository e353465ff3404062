// One run: N viewers of one player in one Chromium, and one row of what the origin, the probes and the
// browser's own counters saw.

import { promises as fs, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../rig/browser.mjs';
import { startChild } from '../rig/child.mjs';
import { startLive } from '../rig/live.mjs';
import { layOut, segmentSeconds } from '../rig/media.mjs';
import { publish, publishWatch, startStarling, witnessConfig } from '../rig/starling.mjs';
import { startTracker } from '../rig/tracker.mjs';
import { cpuSeconds, machineCpuSeconds } from './cpu.mjs';

const RECIPE = 'bench-media';
const rig = (name) => new URL(`../rig/${name}`, import.meta.url);
const PROBE = readFileSync(rig('probe.js'), 'utf8');
const CORRUPT = readFileSync(rig('corrupt.js'), 'utf8');
const PAGES = { hls: '/pages/hls.html', p2pml: '/pages/p2pml.html', starling: '/starling/bench.html' };
const LOOK_EVERY_MS = 2000;
const ANSWER_MS_MAX = 8000;

/** Runs `scenario` with `player`; `folder` is for this run alone. Resolves to the row. */
export async function runOnce({ scenario, player, folder, web }) {
  const open = [];
  const keep = (part) => (open.push(part), part);
  try {
    const media = path.join(folder, 'media');
    const stream = await prepareStream(scenario, player, media, folder, keep);
    const origin = keep(await startChild(rig('origin.mjs'), 'startOrigin', originOptions(scenario, media, web)));
    const shaper = scenario.net && keep(await startChild(rig('shaper.mjs'), 'startShaper', scenario.net));
    const signal = await startSignal(scenario, player, folder, origin, keep);
    const browser = keep(await launchChromium());
    const machineBefore = machineCpuSeconds();
    const cpuBefore = cpuSeconds(process.pid);
    const run = { scenario, player, origin, shaper, signal, browser, viewers: [], startedAt: performance.now() };
    await watch(run);
    const wallS = (performance.now() - run.startedAt) / 1000;
    const cpuS = cpuSeconds(process.pid) - cpuBefore;
    const machine = machineCpuSeconds();
    const counts = await origin.counts();
    const row = summarize(run, counts, stream);
    row.wallS = round(wallS, 0);
    row.cpuS = round(cpuS, 1);
    row.otherCpuShare = round((machine.busy - machineBefore.busy - cpuS) / (machine.all - machineBefore.all), 3);
    if (shaper) row.shaper = await shaper.counts();
    return row;
  } finally {
    for (const part of open.reverse()) await part.close();
  }
}

/** Lays out the video; for Starling it is signed as a publisher would. */
async function prepareStream(scenario, player, media, folder, keep) {
  if (scenario.live) {
    keep(await startLive(RECIPE, media, { rendition: scenario.renditions[0], windowSegments: scenario.segments }));
    if (player === 'starling' && !scenario.witness) keep(await publishWatch(media, path.join(folder, 'publisher')));
    return { bytes: null };
  }
  const sizes = await layOut(RECIPE, media, scenario);
  if (player === 'starling') await publish(media, path.join(folder, 'publisher'));
  return { bytes: scenario.renditions.length === 1 ? sizes[scenario.renditions[0]] : null };
}

function originOptions(scenario, media, web) {
  const here = fileURLToPath(new URL('.', import.meta.url));
  return {
    mounts: { '/stream': media, '/pages': path.join(here, 'pages'), '/vendor': path.join(here, '..', 'node_modules'), '/starling': web },
    viewerKbps: scenario.viewerKbps ?? 0,
    totalKbps: scenario.totalKbps ?? 0,
    latencyMs: scenario.latencyMs ?? 0,
  };
}

async function startSignal(scenario, player, folder, origin, keep) {
  if (player === 'p2pml') return keep(await startTracker()).url;
  if (player !== 'starling') return '';
  // A witness fetches each segment of this origin once; where a publisher signs, nobody asks it.
  const config = scenario.witness ? witnessConfig(origin.url) : '';
  return keep(await startStarling({ folder, config })).signal;
}

/** Lets the viewers join and watches until all have seen the end, or time is up. */
async function watch(run) {
  const { scenario } = run;
  const joining = joinAll(run);
  const videoS = scenario.live ? scenario.seconds : scenario.segments * segmentSeconds(RECIPE);
  const lastJoinS = (scenario.viewers - 1) * scenario.joinEveryS;
  const limitS = lastJoinS + (scenario.live ? videoS : videoS * 1.6 + 25);
  while (performance.now() - run.startedAt < limitS * 1000) {
    await sleep(LOOK_EVERY_MS);
    await Promise.all(run.viewers.map(look));
    if (run.viewers.length === scenario.viewers && run.viewers.every(({ seen }) => seen?.probe.ended)) break;
  }
  await joining;
  await Promise.all(run.viewers.map(look));
  if (process.env.BENCH_TIMELINE) for (const viewer of run.viewers) await showTimeline(viewer);
}

/** When each segment was asked of the origin, and how long before it was due: the first thing to look at when offload is low. */
async function showTimeline({ id, page, seen }) {
  const asked = await page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /\.(m4s|ts)(\?|$)/.test(name)).map(({ name, startTime, responseEnd, transferSize }) => [name, startTime, responseEnd, transferSize]));
  const startupMs = seen?.probe.startupMs ?? 0;
  const lines = asked.map(([name, start, end, bytes]) => {
    const index = Number(/(\d+)\.(?:m4s|ts)/.exec(name)?.[1] ?? 0);
    const leadS = (startupMs + index * segmentSeconds(RECIPE) * 1000 - start) / 1000;
    return `${index}@${(start / 1000).toFixed(1)}+${((end - start) / 1000).toFixed(1)}s lead ${leadS.toFixed(1)} ${Math.round(bytes / 1000)}kB`;
  });
  const { firstConnectionMs, firstOpenMs, firstReceivedMs } = seen?.probe ?? {};
  console.error(`${id} startup ${startupMs}, first connection made ${firstConnectionMs}, open ${firstOpenMs}, bytes ${firstReceivedMs} ms: ${lines.join(' | ')}`);
}

async function joinAll(run) {
  const { viewers: count, joinEveryS } = run.scenario;
  const joins = [];
  for (let position = 0; position < count; position += 1) {
    joins.push(join(run, position));
    if (position < count - 1) await sleep(joinEveryS * 1000);
  }
  await Promise.all(joins);
}

async function join({ scenario, player, origin, shaper, signal, browser, viewers }, position) {
  const id = `v${position}`;
  const corrupting = position < (scenario.corrupting ?? 0);
  const viewer = { id, corrupting, seen: null, page: null };
  viewers.push(viewer);
  const context = await browser.createBrowserContext();
  await context.setCookie({ name: 'viewer', value: id, domain: '127.0.0.1', path: '/' });
  viewer.page = await context.newPage();
  const options = { scan: Boolean(scenario.corrupting), shaper: shaper ? { url: shaper.url, viewer: id } : null };
  await viewer.page.evaluateOnNewDocument(`window.__probeOptions=${JSON.stringify(options)};${corrupting ? CORRUPT : ''}${PROBE}`);
  if (process.env.BENCH_CONSOLE) viewer.page.on('console', (message) => console.error(id, message.text()));
  const query = new URLSearchParams({ src: `${origin.url}/stream/master.m3u8`, tracker: signal, v: id });
  await viewer.page.goto(`${origin.url}${PAGES[player]}?${query}`, { waitUntil: 'domcontentloaded' }).catch((error) => console.error(`${id}: ${error.message}`));
}

async function look(viewer) {
  if (!viewer.page) return;
  const answer = viewer.page.evaluate(async () => ({
    probe: window.__probe.now(),
    stats: window.__stats,
    connections: (await window.__probe.connectionStats?.()) ?? null,
  }));
  viewer.seen = (await Promise.race([answer, sleep(ANSWER_MS_MAX, null)]).catch(() => null)) ?? viewer.seen;
}

function summarize({ scenario, player, viewers }, counts, stream) {
  const honest = viewers.filter((viewer) => !viewer.corrupting);
  const of = (read) => honest.map((viewer) => read(viewer) ?? 0);
  const sum = (read) => of(read).reduce((total, value) => total + value, 0);
  const unknown = counts.unknown?.media ?? 0;
  const http = sum(({ id }) => counts[id]?.media) + unknown;
  const p2p = sum(({ seen }) => Math.max(seen?.probe.receivedBytes ?? 0, seen?.connections?.received ?? 0));
  const claimed = { http: sum(({ seen }) => seen?.stats?.httpBytes), p2p: sum(({ seen }) => seen?.stats?.p2pBytes) };
  const startups = honest.map(({ seen }) => seen?.probe.startupMs ?? Infinity).sort((a, b) => a - b);
  const needed = stream.bytes === null ? null : stream.bytes * honest.length;
  return {
    player,
    viewers: scenario.viewers,
    httpMB: round(http / 1e6, 2),
    p2pMB: round(p2p / 1e6, 2),
    offload: round(p2p / (p2p + http) || 0, 4),
    offloadClaimed: round(claimed.p2p / (claimed.p2p + claimed.http) || 0, 4),
    originSaved: needed && round(1 - http / needed, 4),
    overFetch: needed && round((http + p2p) / needed - 1, 4),
    unknownMB: round(unknown / 1e6, 2),
    startupMs: startups,
    startupMedianMs: startups[startups.length >> 1],
    startupMaxMs: startups.at(-1),
    stalls: sum(({ seen }) => seen?.probe.stalls),
    stallMs: Math.round(sum(({ seen }) => seen?.probe.stallMs)),
    endedAll: scenario.live ? null : honest.every(({ seen }) => seen?.probe.ended === true),
    latencyMedianS: median(of(({ seen }) => seen?.stats?.latencyS)),
    corruptAppends: sum(({ seen }) => seen?.probe.corruptAppends),
    connections: sum(({ seen }) => seen?.probe.connections),
    integrity: [...new Set(honest.map(({ seen }) => seen?.stats?.integrity).filter(Boolean))].join(', '),
    errors: [...new Set(honest.flatMap(({ seen }) => seen?.probe.errors ?? []))].slice(0, 10),
    each: viewers.map(({ id, corrupting, seen }) => ({ id, corrupting, media: counts[id]?.media ?? 0, aborted: counts[id]?.aborted, probe: seen?.probe, stats: seen?.stats, connections: seen?.connections })),
  };
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? null;
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}

/** Removes what a run left behind. */
export async function forget(folder) {
  await fs.rm(folder, { recursive: true, force: true });
}
