// How long the light client takes for a certificate and for proofs, on the module that pages load: wherever this runs.

/**
 * `start`, `Tab`: of the module; `wasm`: its bytes or where they are; `url`: of a server of the ledger. Milliseconds of
 * each certificate and of each proof, the first ones among them.
 */
export async function measure({ start, Tab, wasm, url, times }) {
  await start({ module_or_path: wasm });
  const told = async (asked) => {
    const answer = await fetch(asked, { headers: { accept: 'application/cbor' } });
    return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
  };
  const { root } = await (await fetch(`${url}/ledger/status`)).json();
  const found = { certificate: [], proof: [] };
  const clock = (list, step) => {
    const began = performance.now();
    const outputs = step();
    list.push(performance.now() - began);
    return outputs;
  };
  for (let turn = 0; turn < times; turn += 1) {
    // Asked each time: what a tab that has just been opened sees is the newest block.
    const { bytes: newest } = await told(`${url}/ledger/certificates/latest`);
    const tab = Tab.open(undefined, crypto.getRandomValues(new Uint8Array(32)), root, false, url, false);
    tab.up(0);
    const asks = clock(found.certificate, () => tab.pushed(0, newest)).filter(({ kind }) => kind === 'ask');
    for (const { request, url: asked } of asks) {
      const { status, bytes } = await told(asked);
      if (asked.includes('/state/')) clock(found.proof, () => tab.answered(request, status, '', bytes));
    }
    tab.free();
  }
  if (found.proof.length === 0) throw new Error('no proof was asked for');
  return found;
}
