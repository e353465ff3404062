#!/usr/bin/env node
// How long the light client takes for a certificate and for proofs, in Node, on the module that browsers load.
//
//   node tests/bench/light_client.mjs URL [times]
//
// URL: a running `starling serve`. Prints milliseconds: the first, and the 50th and 95th of a hundred of each.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { WEB } from '../rig/starling.mjs';

const [, , url, times = '100'] = process.argv;
const folder = path.join(WEB, 'wallet');
const file = (end) => path.join(folder, readdirSync(folder).find((name) => name.startsWith('ledger') && name.endsWith(end)));
const { default: start, Tab } = await import(pathToFileURL(file('.js')));
await start({ module_or_path: readFileSync(file('.wasm')) });

const told = async (asked) => {
  const answer = await fetch(asked, { headers: { accept: 'application/cbor' } });
  return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
};
const { root } = await (await fetch(`${url}/ledger/status`)).json();
const { bytes: newest } = await told(`${url}/ledger/certificates/latest`);
const certificates = [];
const proofs = [];
const clock = (list, step) => {
  const began = performance.now();
  const outputs = step();
  list.push(performance.now() - began);
  return outputs;
};
for (let turn = 0; turn < Number(times); turn += 1) {
  const tab = Tab.open(undefined, crypto.getRandomValues(new Uint8Array(32)), root, false, url, false);
  tab.up(0);
  const asks = clock(certificates, () => tab.pushed(0, newest)).filter(({ kind }) => kind === 'ask');
  for (const { request, url: asked } of asks) {
    const { status, bytes } = await told(asked);
    if (asked.includes('/state/')) clock(proofs, () => tab.answered(request, status, '', bytes));
  }
  tab.free();
}
for (const [name, list] of [['certificate', certificates], ['proof', proofs]]) {
  const [first] = list;
  list.sort((a, b) => a - b);
  const at = (share) => list[Math.floor((list.length - 1) * share)].toFixed(2);
  console.log(`${name}: first ${first.toFixed(2)} ms, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, of ${list.length}`);
}
