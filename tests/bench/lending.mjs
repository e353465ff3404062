#!/usr/bin/env node
// Markets: actions in a second through the state machine alone and through final blocks, and what an action costs in a
// market of 2 (a lender and a debtor), 100 and 10,000 positions. Writes the section "Lending" of docs/bench.md.
//
//   cargo xtask bench lending [--rounds 3] [--dry]
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
const [actions, signed, positions, networks] = [{}, [], {}, { 1: [], 4: [] }];
for (let round = 0; round < Number(options.rounds); round += 1) {
  const told = await load(options.load, ['domain']);
  console.log(JSON.stringify(told));
  for (const { name, per_s: rate } of told.actions) (actions[name] ??= []).push({ rate });
  const supply = told.signed.find(({ name }) => name === 'supply');
  signed.push({ rate: supply.both_per_s, bytes: supply.bytes });
  for (const { positions: count, p50_us: p50, p99_us: p99 } of told.accrual) (positions[count] ??= []).push({ p50, p99 });
  for (const count of Object.keys(networks)) {
    const { final_ms: final, together } = await measureNetwork(options.load, Number(count), ['--lending', '--payers', '16']);
    const row = { p50: final.p50, p99: final.p99, rate: together.per_s };
    console.log(`${count} validators ${JSON.stringify(row)}`);
    networks[count].push(row);
  }
}

const rows = (table, line) => Object.entries(table).map(line).join('\n');
const text = `## Lending

${measured}. Medians of ${options.rounds} rounds, in brackets the least and the most.

| action, unsigned, state in memory, one core | in a second |
|---|---|
${rows(actions, ([name, runs]) => `| ${name} | ${cell(runs, 'rate')} |`)}
| supply, signed, in a block | ${cell(signed, 'rate')} |

A signed supply is ${cell(signed, 'bytes')} bytes.

| supplies through final blocks | final, half within | 99 of 100 within | in a second |
|---|---|---|---|
${rows(networks, ([count, runs]) => `| ${count} validator${count === '1' ? '' : 's'} | ${cell(runs, 'p50', 'ms')} | ${cell(runs, 'p99', 'ms')} | ${cell(runs, 'rate')} |`)}

| positions in the market | a supply that brings interest up to date, p50 | p99 |
|---|---|---|
${rows(positions, ([count, runs]) => `| ${Number(count).toLocaleString('en')} | ${cell(runs, 'p50', 'µs')} | ${cell(runs, 'p99', 'µs')} |`)}

Interest is two indices of the reserve: no action visits positions, so that their number costs what a larger map of records costs. *Final* and *in a second* are measured as under "Ledger", by 16 accounts.`;
await writeSection('lending', 'lending.mjs', text, options.dry);
