// What is measured, and what was promised.

/** A home connection: 20 ms one way between peers, 5 Mbit/s up, 20 Mbit/s down; the origin 40 ms away. */
const HOME = { net: { delayMs: 20, upKbps: 5000, downKbps: 20_000 }, viewerKbps: 20_000, latencyMs: 40 };
/** Plain hls.js offloads nothing: it runs where its startup and its stalls tell something. */
const SWARMS = ['starling', 'p2pml'];
const EIGHT_JOIN_SLOWLY = { viewers: 8, joinEveryS: 5, segments: 30, renditions: ['hi'] };

/**
 * Scenarios by letter. `viewers` join `joinEveryS` seconds apart; VOD of `segments` segments, or `live` with a
 * window of as many for `seconds`, signed by its publisher or else vouched for by the server (`witness`); `net` puts the shaper between the peers; `viewerKbps`, `totalKbps`, `latencyMs`
 * slow the origin; the first `corrupting` viewers send wrong bytes; `repeats` runs are pooled.
 */
export const SCENARIOS = {
  A: { title: 'loopback VOD', ...EIGHT_JOIN_SLOWLY },
  B: { title: 'home links VOD', ...EIGHT_JOIN_SLOWLY, ...HOME, players: SWARMS },
  C: { title: 'origin capped at 8 Mbit/s', ...EIGHT_JOIN_SLOWLY, totalKbps: 8000 },
  D: { title: 'live, 40 s window', ...EIGHT_JOIN_SLOWLY, live: true, segments: 10, seconds: 80, players: SWARMS },
  I: { title: 'live, nobody signs it: the server’s witness', ...EIGHT_JOIN_SLOWLY, live: true, witness: true, segments: 10, seconds: 80, players: ['starling'] },
  E: { title: 'one of four corrupts what it sends', viewers: 4, joinEveryS: 8, segments: 15, renditions: ['hi'], corrupting: 1, players: SWARMS },
  F: { title: 'startup on home links', viewers: 4, joinEveryS: 3, segments: 5, renditions: ['hi'], repeats: 3, ...HOME },
  G: { title: 'flash crowd, origin 16 Mbit/s', ...EIGHT_JOIN_SLOWLY, joinEveryS: 0, totalKbps: 16_000 },
  H: { title: 'ABR ladder on home links', ...EIGHT_JOIN_SLOWLY, renditions: ['lo', 'hi'], ...HOME, players: SWARMS },
};

export const PLAYERS = {
  starling: { title: 'Starling', peers: true },
  p2pml: { title: 'p2p-media-loader 2.3', peers: true },
  hls: { title: 'plain hls.js', peers: false },
};

/** The same story in a few minutes: fewer viewers, less video. Its numbers are for a first look only. */
export function quick(scenario) {
  const viewers = Math.ceil(scenario.viewers / 2);
  return {
    ...scenario,
    viewers,
    joinEveryS: Math.min(scenario.joinEveryS, 3),
    segments: Math.min(scenario.segments, 10),
    seconds: scenario.seconds && 40,
    repeats: 1,
    totalKbps: scenario.totalKbps && (scenario.totalKbps * viewers) / scenario.viewers,
  };
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const stalls = (row) => (row.stalls === 0 ? 'none' : `${seconds(row.stallMs)} in all`);
const ideal = (row) => percent(1 - 1 / row.viewers);

function offload(scenario, least) {
  return {
    scenario,
    what: 'offload',
    show: (row) => percent(row.offload),
    best: ideal,
    target: `≥ ${least * 100} %`,
    reached: (row) => row.offload >= least && row.endedAll !== false,
  };
}

function smooth(scenario, startupMsMax) {
  return {
    scenario,
    what: 'startup (median), stalls',
    show: (row) => `${seconds(row.startupMedianMs)}, ${stalls(row)}`,
    best: () => '-',
    target: `≤ ${startupMsMax / 1000} s, none`,
    reached: (row) => row.startupMedianMs <= startupMsMax && row.stalls === 0,
  };
}

/** Startup against plain hls.js in the same scenario. */
function startupOver(scenario) {
  return {
    scenario,
    what: 'startup over plain hls.js (median)',
    show: (row, plain) => (plain && plain !== row ? `${row.startupMedianMs >= plain.startupMedianMs ? '+' : '−'} ${Math.abs(row.startupMedianMs - plain.startupMedianMs)} ms` : `${row.startupMedianMs} ms in all`),
    best: () => '0',
    target: '≤ + 100 ms',
    reached: (row, plain) => (plain ? row.startupMedianMs - plain.startupMedianMs <= 100 : null),
  };
}

function fetchedTwice(scenario) {
  return {
    scenario,
    what: 'bytes received beyond the video, protocol included',
    show: (row) => percent(row.overFetch),
    best: () => '0',
    target: '≤ 2 %',
    reached: (row) => row.overFetch <= 0.02,
  };
}

/** Every promise: what to show of a row, and whether it was kept. */
export const GOALS = [
  offload('A', 0.87),
  offload('B', 0.8),
  offload('D', 0.8),
  smooth('C', 3000),
  offload('G', 0.7),
  smooth('G', 4000),
  offload('H', 0.7),
  {
    scenario: 'E',
    what: 'wrong bytes played, origin saved',
    show: (row) => `${row.corruptAppends} segments, ${percent(row.originSaved)}`,
    best: (row) => `0, ${percent(1 - 1 / (row.viewers - 1))}`,
    target: '0, ≥ 60 %',
    reached: (row) => row.corruptAppends === 0 && row.originSaved >= 0.6,
  },
  startupOver('F'),
  startupOver('A'),
  fetchedTwice('A'),
  fetchedTwice('B'),
];
