#!/usr/bin/env node
// The ledger with one and four validators on this machine: how long until a transfer is final, how many there are in a
// second, what a certificate and a proof weigh and take to check natively. Writes the section "Ledger" of docs/bench.md.
//
//   cargo xtask bench ledger [--rounds 3] [--dry]
//
// It is given `--load`, an example of `starling`.

import { parseArgs } from 'node:util';
import { cell, conditions, load, writeSection } from './programs.mjs';
import { measureNetwork } from './validators.mjs';

const { values: options } = parseArgs({
  options: {
    load: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    dry: { type: 'boolean', default: false },
  },
});

const measured = await conditions();
const found = { 1: [], 4: [] };
const domain = [];
for (let round = 0; round < Number(options.rounds); round += 1) {
  for (const count of Object.keys(found)) {
    const { final_ms: final, together, checks, bytes } = await measureNetwork(options.load, Number(count));
    const row = { p50: final.p50, p99: final.p99, rate: together.per_s, bytes, ...checks };
    console.log(`${count} validators ${JSON.stringify(row)}`);
    found[count].push(row);
  }
  const { signed } = await load(options.load, ['domain']);
  domain.push({ checked: signed[0].checked_per_s, run: signed[0].run_per_s, both: signed[0].both_per_s });
}

const columns = (name, of, unit) => `| ${name} | ${cell(found[1], of, unit)} | ${cell(found[4], of, unit)} |`;
const text = `## Ledger

${measured}. Medians of ${options.rounds} rounds, in brackets the least and the most. Every validator is a process with its own disk; all of them and the load share the cores.

| transfers, signatures checked | 1 validator | 4 validators |
|---|---|---|
${columns('final, half of them within', 'p50', 'ms')}
${columns('final, 99 of 100 within', 'p99', 'ms')}
${columns('in a second', 'rate')}
${columns('bytes of one', 'bytes')}
${columns('certificate, bytes', 'certificate_bytes')}
${columns('proof of a record, bytes', 'proof_bytes')}
${columns('both with header and record, bytes', 'answer_bytes')}
${columns('certificate, to check natively', 'certificate_us', 'µs')}
${columns('proof, to check natively', 'record_us', 'µs')}

The state machine alone, in memory, on one core: ${cell(domain, 'both')} signed transfers in a second; ${cell(domain, 'checked')} signatures, ${cell(domain, 'run')} transfers whose signatures were checked before.

- *Final*: from handing a transfer over by HTTP to the receipt of a final block from the same validator, asked for every 2 ms; one after the other, 50 of them, each to the next validator.
- *In a second*: 32 accounts send 60 each at the same time, to all validators in turn, until every account's last receipt.`;
await writeSection('ledger', 'ledger.mjs', text, options.dry);
