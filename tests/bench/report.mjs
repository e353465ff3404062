// Rows to words: docs/bench.md.
//
// The report owns what stands between its two marks; anything around them, such as sections other chores write,
// stays as it is.

import { GOALS, PLAYERS } from './scenarios.mjs';

const BEGIN = '<!-- browsers: written by tests/bench/run.mjs -->';
const END = '<!-- /browsers -->';

/** Puts the section of these results into a document, in place of an older one. */
export function report(results, before) {
  const section = `${BEGIN}\n${browsers(results)}\n${END}`;
  const from = before.indexOf(BEGIN);
  const to = before.indexOf(END);
  if (from >= 0 && to > from) return before.slice(0, from) + section + before.slice(to + END.length);
  return `${before || '# Bench\n'}\n${section}\n`;
}

/** One row of several runs: medians, all startups together, the worst of what must not happen. */
export function pool(rows) {
  if (rows.length === 1) return { ...rows[0], runs: 1 };
  const startups = rows.flatMap((row) => row.startupMs).sort((a, b) => a - b);
  const pooled = { ...rows[0], runs: rows.length };
  for (const name of Object.keys(pooled)) {
    const values = rows.map((row) => row[name]).filter((value) => typeof value === 'number');
    if (values.length === rows.length) pooled[name] = values.sort((a, b) => a - b)[values.length >> 1];
  }
  return {
    ...pooled,
    runs: rows.length,
    startupMs: startups,
    startupMedianMs: startups[startups.length >> 1],
    startupMaxMs: startups.at(-1),
    corruptAppends: Math.max(...rows.map((row) => row.corruptAppends)),
    endedAll: rows.every((row) => row.endedAll !== false),
    errors: [...new Set(rows.flatMap((row) => row.errors))],
    each: rows.flatMap((row) => row.each),
  };
}

function browsers({ conditions, scenarios, rows }) {
  return [
    '## Browsers',
    '',
    ...intro(conditions),
    '',
    ...goals(scenarios, rows),
    '',
    '### All rows',
    '',
    ...details(scenarios, rows),
    '',
    ...howMeasured(),
  ].join('\n');
}

function intro(conditions) {
  const head = `Measured ${conditions.date} with \`cargo xtask bench\`, each row at the commit it names: ${conditions.cores} cores, ${conditions.memoryGB} GB, ${conditions.chromium}, Node ${conditions.node}; everything on one machine, over its loopback interface.`;
  if (!conditions.quick) return [head];
  return [head, '', '**A quick run**: half the viewers, less video. For a first look; the promises are about the full one.'];
}

function goals(scenarios, rows) {
  const titles = Object.keys(PLAYERS).map((player) => PLAYERS[player].title);
  const lines = [
    `| scenario | measure | ${titles.join(' | ')} | best possible | promised | kept |`,
    `|---|---|${titles.map(() => '---|').join('')}---|---|---|`,
  ];
  for (const goal of GOALS) {
    const measured = rows[goal.scenario];
    if (!measured) continue;
    const plain = measured.hls;
    const cells = Object.keys(PLAYERS).map((player) => (measured[player] ? goal.show(measured[player], plain) : '-'));
    const ours = measured.starling;
    const kept = ours ? { true: 'yes', false: '**no**', null: '-' }[goal.reached(ours, plain)] : '-';
    const any = ours ?? measured.p2pml ?? plain;
    lines.push(`| ${goal.scenario}: ${scenarios[goal.scenario].title} | ${goal.what} | ${cells.join(' | ')} | ${goal.best(any)} | ${goal.target} | ${kept} |`);
  }
  return lines;
}

function details(scenarios, rows) {
  const lines = [
    '| scenario | player | commit | runs | viewers | origin MB | peers MB | offload | as the page says | beyond the video | startup median / worst | stalls | integrity | CPU s | others’ CPU |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|',
  ];
  const percent = (share) => (share === null || share === undefined ? '-' : `${(share * 100).toFixed(1)} %`);
  for (const [letter, measured] of Object.entries(rows)) {
    for (const row of Object.values(measured)) {
      const stalls = row.stalls === 0 ? '0' : `${row.stalls} (${(row.stallMs / 1000).toFixed(1)} s)`;
      const unfinished = row.endedAll === false ? ', not all finished' : '';
      lines.push(
        `| ${letter} | ${PLAYERS[row.player].title} | ${row.commit ?? '-'} | ${row.runs} | ${row.viewers} | ${row.httpMB} | ${row.p2pMB} | ${percent(row.offload)} | ${percent(row.offloadClaimed)} | ${percent(row.overFetch)} | ${row.startupMedianMs} / ${row.startupMaxMs} ms | ${stalls}${unfinished} | ${row.integrity || '-'} | ${row.cpuS} | ${percent(row.otherCpuShare)} |`,
      );
    }
  }
  return lines;
}

function howMeasured() {
  return [
    '### How it is measured',
    '',
    '- One Chromium; every viewer is a browser context of its own with cold caches. Players take turns within a scenario. All three use the same hls.js 1.7.4 (its ES module) with its defaults.',
    '- One run a row, but for F, whose three are pooled: a difference of a few points between two rows may be chance.',
    '- Plain hls.js takes nothing from other viewers: it has rows where its startup or its stalls tell something (A, C, F, G), and none where the question is offload or bytes that others send (B, D, E, H). I is about our witness: nobody else has one.',
    '- *Origin* bytes are counted by the origin as it writes segments, per viewer. *Peers* bytes are the larger of two counts: a listener on every data channel, put there before any script of the page, and the browser’s own statistics; they include protocol overhead. *Offload* = peers / (peers + origin). *Beyond the video* = (origin + peers) / video − 1.',
    '- *Startup*: navigation start to the first presented frame. *Stalls*: `waiting` to `playing` after that, seeks and the last half second left out.',
    '- Home links: a UDP forwarder between all peers, 20 ms one way, 5 Mbit/s up and 20 Mbit/s down per viewer, 200 ms drop-tail queues; the origin adds 40 ms and gives each viewer 20 Mbit/s. Video: 2.6 Mbit/s (0.87 Mbit/s on the ladder’s lower rung), 4 s segments, fMP4.',
    '- Starling takes VOD from peers on a signed manifest (`starling publish`) and live too (`starling publish --watch` beside the packager, which reads the disk); in I nobody signs and the server’s witness vouches: what it fetches counts as origin bytes. p2p-media-loader checks nothing and runs with its defaults and a local tracker.',
    '- *Others’ CPU*: share of the machine used by processes that are not part of the run. A high share makes a row doubtful.',
    '- Limits: one machine and one process tree, no NAT, HTTP paced by a token bucket instead of TCP dynamics.',
  ];
}
