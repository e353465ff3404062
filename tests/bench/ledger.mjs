#!/usr/bin/env node
// The ledger with one and four validators on this machine: how long until a transfer is final, how many there are in a
// second, what certificates and proofs weigh and take to check, natively and in browsers; what the light client weighs;
// what transfers take on the disk; how long a start takes with a large state; how many vouchers two tills exchange.
// Writes the section "Ledger" of docs/bench.md.
//
//   cargo xtask bench ledger [--rounds 3] [--accounts 10000000] [--fill-seconds 240] [--each 3000] [--dry]
//
// It is given `--load`, an example of `starling`, `--light`, the folder of the light client alone, and `--proofs`, that of
// its checks alone.

import { promises as fs, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { versions } from '../rig/browser.mjs';
import { WEB } from '../rig/starling.mjs';
import { measureDisk, measureRestart } from './ledger_disk.mjs';
import { measureLightClient } from './light_client.mjs';
import { cell, conditions, load, median, writeSection } from './programs.mjs';
import { loadNetwork, withValidators } from './validators.mjs';

const { values: options } = parseArgs({
  options: {
    load: { type: 'string' },
    light: { type: 'string' },
    proofs: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    accounts: { type: 'string', default: '10000000' },
    'fill-seconds': { type: 'string', default: '240' },
    each: { type: 'string', default: '3000' },
    dry: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);

const measured = await conditions();
const { chromium, firefox, node } = await versions();
const networks = { 1: [], 4: [] };
const inside = { 1: [], 4: [] };
const [domain, vouchers, light] = [[], [], {}];
for (let round = 0; round < rounds; round += 1) {
  for (const count of [1, 4]) {
    await withValidators(count, async (network) => {
      const row = networkRow(await loadNetwork(options.load, network, ['--each', '300']));
      console.log(`${count} validators ${JSON.stringify(row)}`);
      networks[count].push(row);
      if (count > 1) return;
      for (const [where, times] of Object.entries(await measureLightClient(network.nodes[0]))) {
        console.log(`light client in ${where} ${JSON.stringify(times)}`);
        (light[where] ??= []).push({ ...times, both95: Number((times.certificate95 + times.proof95).toFixed(2)) });
      }
    });
    const row = await measureInside(count);
    console.log(`${count} validators without HTTP ${JSON.stringify(row)}`);
    inside[count].push(row);
  }
  const { signed } = await load(options.load, ['domain']);
  domain.push({ checked: signed[0].checked_per_s, run: signed[0].run_per_s, both: signed[0].both_per_s });
  const { per_s: both, signed_per_s: made, counted_per_s: counted, bytes } = await load(options.load, ['vouchers']);
  vouchers.push({ both, made, counted, bytes });
}
const disk = await measureDisk(options.load, Number(options.each));
console.log(`disk ${JSON.stringify(disk)}`);
const restart = await measureRestart(options.load, { accounts: options.accounts, seconds: options['fill-seconds'], rounds });
const sizes = { alone: weigh(options.light, 'light'), proofs: weigh(options.proofs, 'proofs'), wallet: weigh(path.join(WEB, 'wallet'), 'ledger') };

function networkRow({ final_ms: final, together, checks, bytes }) {
  return { p50: final.p50, p99: final.p99, rate: together.per_s, bytes, ...checks };
}

/** Validators of one process, to which transfers are handed over within it, as the prototype's were. */
async function measureInside(count) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'starling-inside-'));
  try {
    return networkRow(await load(options.load, ['inside', '--folder', folder, '--validators', count]));
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/** Bytes of a module, wasm and script, as they are and by brotli at its best. */
function weigh(folder, name) {
  const chosen = readdirSync(folder).filter((file) => file.startsWith(name) && /\.(js|wasm)$/.test(file));
  const sizes = { plain: 0, brotli: 0 };
  for (const file of chosen) {
    const bytes = readFileSync(path.join(folder, file));
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
    sizes.plain += bytes.length;
    sizes.brotli += brotliCompressSync(bytes, { params }).length;
  }
  return sizes;
}

const shown = (number) => number.toLocaleString('en');
const verdict = (good) => (good ? 'kept' : '**missed**');
const within = (found, most, unit) => `≤ ${shown(most)} ${unit}: ${verdict(found <= most)}`;
const goal = (runs, of, most, unit = 'ms') => within(median(runs.map((run) => run[of])), most, unit);
const reached = (runs, of, least) => `≥ ${shown(least)}: ${verdict(median(runs.map((run) => run[of])) >= least)}`;
const count = (number) => `${number} validator${number === 1 ? '' : 's'}`;
const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
const ofOne = { p50: 30, p99: 150, rate: 10_000 };
const ofFour = { p50: 300, rate: 5_000 };

/** Rows of one number of validators: those of servers that are asked by HTTP, and those without. */
function finality(number, goals, floor) {
  const line = (what, runs, of, unit, told) => `| ${count(number)}, ${what} | ${cell(runs, of, unit)} | ${told} | ${floor[of]} |`;
  return [['by HTTP', networks[number]], ['without HTTP, one process', inside[number]]].flatMap(([how, runs]) => [
    line(`${how}: final, half of them within`, runs, 'p50', 'ms', goal(runs, 'p50', goals.p50)),
    line(`${how}: final, 99 of 100 within`, runs, 'p99', 'ms', goals.p99 ? goal(runs, 'p99', goals.p99) : ''),
    line(`${how}: in a second`, runs, 'rate', '', reached(runs, 'rate', goals.rate)),
  ]);
}

const checks = networks[1];
const lines = [
  ...finality(1, ofOne, { p50: '19-21 ms with 1,000 in a block', p99: '38-45 ms', rate: '61-69 k, signatures not checked' }),
  ...finality(4, ofFour, { p50: '78 ms with 100 in a block, 282-315 ms with 2,000', p99: '149 ms, 538-558 ms', rate: '1.9 k, 8.2-8.9 k' }),
  `| bytes of a transfer | ${cell(checks, 'bytes')} | | |`,
  `| certificate, bytes | ${cell(checks, 'certificate_bytes')} | | 83 |`,
  `| proof of a record, bytes | ${cell(checks, 'proof_bytes')} | | 487-681 |`,
  `| both with header and record, bytes | ${cell(checks, 'answer_bytes')} | | |`,
  `| certificate, to check natively | ${cell(checks, 'certificate_us', 'µs')} | | |`,
  `| proof, to check natively | ${cell(checks, 'record_us', 'µs')} | | |`,
];
const browsers = Object.entries(light).map(([where, runs]) => {
  const cells = ['certificateFirst', 'certificate50', 'certificate95', 'proofFirst', 'proof50', 'proof95'].map((of) => cell(runs, of, 'ms'));
  return `| ${where} | ${cells.join(' | ')} | ${goal(runs, 'both95', 20)} | ${goal(runs, 'certificateFirst', 40)} |`;
});
const perMillion = (bytes) => gigabytes((bytes / disk.count) * 1e6);
const text = `## Ledger

${measured}; ${chromium}, ${firefox}, Node ${node}. Medians of ${options.rounds} rounds, in brackets the least and the most. Every validator has its own disk; all of them and the load share the cores. *Floor*: a prototype of before, on two shared cores of this kind: all in one process, records of 32 bytes, without HTTP; its times are a block's, from being proposed to final and applied.

| transfers, signatures checked | | goal | floor |
|---|---|---|---|
${lines.join('\n')}

The state machine alone, in memory, on one core: ${cell(domain, 'both')} signed transfers in a second; ${cell(domain, 'checked')} signatures, ${cell(domain, 'run')} transfers whose signatures were checked before.

| light client, in | certificate, the first | half within | 95 of 100 within | proof, the first | half within | 95 of 100 within | both, 95 of 100 | the first certificate |
|---|---|---|---|---|---|---|---|---|
${browsers.join('\n')}

Floor: 14-17 ms for a certificate and two proofs, in pure Rust in Node 20; with C code 9-11 ms.

| size by brotli, wasm and its script | bytes | goal | floor |
|---|---|---|---|
| light client alone (\`ledger-wasm/examples/light.rs\`, ${shown(sizes.alone.plain)} bytes uncompressed) | ${shown(sizes.alone.brotli)} | ${within(sizes.alone.brotli, 150_000, 'bytes')} | |
| its checks of certificates and proofs alone (\`ledger-wasm/examples/proofs.rs\`, ${shown(sizes.proofs.plain)} uncompressed) | ${shown(sizes.proofs.brotli)} | | 32,000; with C code 38,000 |
| as pages load it, with wallet and tills (${shown(sizes.wallet.plain)} uncompressed) | ${shown(sizes.wallet.brotli)} | see [Sizes](#sizes-brotli) | |

| disk and start, one validator | |
|---|---|
| disk per million transfers, everything kept, extrapolated from ${shown(disk.count)} | ${perMillion(disk.bytes)} |
| of this, receipts, events, headers and records; the rest is blocks, certificates and the store's log | ${perMillion(disk.recordsBytes)} |
| records in the state of the next rows, made in ${shown(Math.round(restart.seconds))} s (goal 10,000,000) | ${shown(restart.records)} |
| killed and started again: until it answers | ${cell(restart.rows, 'answersMs', 'ms')} |
| until a transfer that is handed over then is final | ${cell(restart.rows, 'finalMs', 'ms')} |
| resident memory then | ${cell(restart.rows, 'memoryMiB', 'MiB')} |
| disk of that state | ${gigabytes(restart.bytes)} |

| vouchers between two tills, one lane, one core for both | |
|---|---|
| signed, carried, checked and counted in a second | ${cell(vouchers, 'both')} |
| the payer alone, in a second of its own | ${cell(vouchers, 'made')} |
| the payee alone | ${cell(vouchers, 'counted')} |
| frames for each, bytes | ${cell(vouchers, 'bytes')} |

- *Final*: from handing a transfer over to the receipt of a final block from the same validator; one after the other, 50 of them, each to the next validator. By HTTP it is asked for every 2 ms.
- *In a second*: by HTTP 32 accounts send 300 each at the same time, one request each, to all validators in turn, until every account's last receipt; without HTTP 64 accounts send 1,000 each. At most 64 of an account wait at a time.
- The light client is the wallet's module, in a page of its own or in Node, a hundred times a new one; certificate and proof come from a validator that runs. *Both*: the sum of the two, goal 20 ms; the first certificate, goal 40 ms.
- Disk: transfers between accounts that are there, so that the state does not grow. Blocks that the file system has allocated.
- Start: accounts of one unit each, put into the store and the file of records in batches of 50,000 (\`ledger-node/src/fill.rs\`), then ${restart.rows.length} times killed and started; the system still has files in memory.
- Vouchers: one for each 512 KiB; what the ledger is asked for (a lane, its proof) is answered at once, and nothing is written down.`;
await writeSection('ledger', 'ledger.mjs', text, options.dry);
process.exit(0);
