// The ledger in a worker of the page: opens sockets, asks servers, keeps the wallet on this device. What to do is
// decided in `crates/wallet`; this file performs.
//
// From the page: first `{ origin, root }` (root: text of a trust root from a link, or null), then commands as bytes, or
// `{ keys }`: a port of the worker with the person's keys (`static/identity/worker.js`), over which the seed of the
// account to use comes: the page asks for that and does not see it.
// To the page: `{ state }` (`waiting`: the wallet is open in another tab; `failed`: no ledger here, and why;
// `open`: `served` is the trust root that the page's own server names), `{ view, took }` (bytes; the milliseconds
// that the step took), `{ records }` (bytes: what the page watches, proved anew), `{ purse }` (bytes: payments for
// bytes, as shown), `{ carry }` (bytes: what the page is to do in one of its shares), `{ letters }` (bytes: what was
// sealed for others) or `{ kept }` (whether all that is to be remembered is written on this device).
//
// On this device, one wallet for each ledger under the text of its trust root, and which one was pinned at the first
// visit under `pinned`; what is kept of an account's payments, under that text, the word `purse` and the account.

import start, { Tab } from './ledger.js';

const DATABASE = 'starling-ledger';
const STORE = 'wallet';
const PINNED = 'pinned';
const ANSWER_BYTES_MAX = 131_072;
/** How long the page's own server has to say which ledger it runs, and how long if that is known. */
const ASK_MS = 10_000;
const KNOWN_MS = 5_000;
/** When it is tried again to write what could not be. */
const KEEP_AGAIN_MS = 5_000;
const ASK_AGAIN_MS = 2_000;
const ASK_ON_MS = 30_000;
/** Why a server has no ledger, where waiting for it is no use: others may have the one that is known. */
const GONE = ['off', 'stopped', 'unreachable', 'other-ledger'];
/** Most hosts that a server names beside itself. */
const HOSTS_MAX = 8;

let tab = null;
let timer = 0;
/** Text of the trust root. */
let root = '';
/** The account in use, hexadecimal. */
let account = '';
/** Whether the page's own server has a faucet. */
let demo = false;
/** Sockets by the number of their connection. */
const sockets = new Map();
/** Writes follow each other: the last one wins. */
let writing = Promise.resolve();
/** What could not be written, by its name: before it is, nothing more is sent or promised to anybody. */
const unkept = new Map();
/** Whether the account's key was written in this visit, and what the page was told of that last; null: nothing yet. */
let isKeyKept = false;
let kept = null;
let keeping = 0;

self.addEventListener('message', ({ data }) => {
  if (data.keys instanceof MessagePort) takeKeys(data.keys);
  else if (data.origin) open(data).catch((error) => self.postMessage({ state: 'failed', why: String(error) }));
  else perform((one) => one.command(data));
});

async function open({ origin, root: linked }) {
  const loaded = start({ module_or_path: new URL('./ledger_bg.wasm', import.meta.url) });
  // Two tabs that sign for one account would use the same numbers. Without locks (plain HTTP) they may.
  await new Promise((resolve) => {
    if (!navigator.locks) return resolve();
    return navigator.locks.request('starling-wallet', { ifAvailable: true }, (lock) => {
      if (lock) return hold(resolve);
      self.postMessage({ state: 'waiting' });
      return navigator.locks.request('starling-wallet', () => hold(resolve));
    });
  });
  await loaded;
  const pinned = await keep('readonly', (store) => store.get(PINNED));
  const wanted = linked ?? pinned;
  // Who knows the ledger already begins without its server: neighbours may prove it.
  const status = await ask(origin, wanted !== undefined);
  root = wanted ?? status.root;
  if (!pinned) save(PINNED, root);
  const saved = await keep('readonly', (store) => store.get(root));
  const seed = crypto.getRandomValues(new Uint8Array(32));
  demo = status?.demo ?? false;
  await begin(Tab.open(saved, seed, root, linked !== null, origin, demo));
  self.postMessage({ state: 'open', served: status?.root ?? null });
  if (!status?.root) askOn(origin);
  perform((one) => one.tick());
  takeHosts(status);
}

/** Lets the wallet ask the hosts that the page's own names, if it is of this ledger. */
function takeHosts(said) {
  if (said?.root === root) perform((one) => one.named(said.hosts));
}

/** Works for the account of an opened wallet from now on, and with what was kept of its payments. */
async function begin(opened) {
  if (!opened) throw new Error('not a trust root');
  account = opened.holder;
  const purse = await known(purseName());
  if (purse) opened.purse(purse);
  tab = opened;
}

/** Uses the account that the person's keys name, once. */
function takeKeys(port) {
  port.onmessage = ({ data: { account } }) => {
    if (account) perform((one) => one.account(account));
    account?.fill(0);
    port.close();
  };
}

/** Opens the wallet of another account, after this one's connections are gone. */
async function reopen() {
  for (const server of [...sockets.keys()]) hangUp(server);
  clearTimeout(timer);
  tab = null;
  await writing;
  // No seed: there must be something kept, or nothing is opened.
  await begin(Tab.open(await known(root), new Uint8Array(0), root, false, self.origin, demo));
  perform((one) => one.tick());
}

/** Holds a lock for as long as the worker lives. */
function hold(resolve) {
  resolve();
  return new Promise(() => {});
}

/**
 * What the page's own server says of its ledger: `{ root, demo, hosts }` (others that it names, one a line), or
 * `{ why }` if it has none; null: nothing.
 */
async function look(origin, withinMs) {
  const answer = await fetch(`${origin}/ledger/status`, { signal: AbortSignal.timeout(withinMs) }).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (answer?.ok && told?.root) return { root: told.root, demo: told.demo === true, hosts: hostsOf(told.hosts) };
  return told ? { why: told.error?.code ?? 'unreachable' } : null;
}

function hostsOf(told) {
  const list = Array.isArray(told) ? told.slice(0, HOSTS_MAX) : [];
  return list.filter((one) => typeof one === 'string').join('\n');
}

/** The same, asked until there is a ledger; if it is `known` which, only once. */
async function ask(origin, known) {
  for (;;) {
    const said = await look(origin, known ? KNOWN_MS : ASK_MS);
    if (said?.root || (known && (!said || GONE.includes(said.why)))) return said;
    const why = said?.why ?? 'unreachable';
    self.postMessage({ state: 'failed', why });
    if (why === 'off') return new Promise(() => {});
    await rest(ASK_AGAIN_MS);
  }
}

/** Asks on beside an open wallet, to tell the page which ledger its host runs. A faucet is there at the next visit. */
async function askOn(origin) {
  for (;;) {
    const said = await look(origin, ASK_MS);
    if (said?.root) {
      takeHosts(said);
      return self.postMessage({ state: 'open', served: said.root });
    }
    await rest(ASK_ON_MS);
  }
}

function rest(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Lets the wallet take something, does what it asks for, and sets the one timer. */
function perform(step) {
  if (!tab) return;
  const began = performance.now();
  const outputs = step(tab);
  const took = performance.now() - began;
  // What is signed is on the disk before anybody else has it.
  for (const { kind, bytes } of outputs) {
    if (kind === 'save') save(root, bytes);
    else if (kind === 'keep') save(purseName(), bytes);
  }
  for (const output of outputs) {
    if (output.kind === 'save' || output.kind === 'keep') continue;
    if (output.kind === 'connect') connect(output);
    else if (output.kind === 'hangup') hangUp(output.server);
    else if (output.kind === 'reopen') {
      reopen().catch((error) => self.postMessage({ state: 'failed', why: error.name }));
      return;
    } else if (output.kind === 'ask' && output.body === null) request(output);
    else if (output.kind === 'ask') send(output);
    else if (output.kind === 'carry') writing = writing.then(() => carry(output.bytes)).catch(notKept);
    else if (output.kind === 'purse') writing = writing.then(() => self.postMessage({ purse: output.bytes }));
    else if (output.kind === 'records') self.postMessage({ records: output.bytes });
    else if (output.kind === 'letters') self.postMessage({ letters: output.bytes });
    else self.postMessage({ view: output.bytes, took });
  }
  clearTimeout(timer);
  const { wake } = tab;
  if (wake !== undefined) timer = setTimeout(() => perform((one) => one.tick()), Math.min(wake, 60_000));
}

function connect({ server, url }) {
  const socket = socketTo(url);
  if (!socket) {
    const asked = tab;
    setTimeout(() => tab === asked && perform((one) => one.down(server)));
    return;
  }
  socket.binaryType = 'arraybuffer';
  sockets.set(server, socket);
  socket.addEventListener('open', () => sockets.get(server) === socket && perform((one) => one.up(server)));
  socket.addEventListener('message', ({ data }) => {
    if (sockets.get(server) === socket && data.byteLength <= ANSWER_BYTES_MAX) perform((one) => one.pushed(server, new Uint8Array(data)));
  });
  socket.addEventListener('close', () => {
    if (sockets.get(server) === socket && sockets.delete(server)) perform((one) => one.down(server));
  });
}

/** A socket; null: there can be none to such an address, or not from this page: it is as a server that does not answer. */
function socketTo(url) {
  try {
    return new WebSocket(`${url.replace(/^http/, 'ws')}/ledger/ws`);
  } catch {
    return null;
  }
}

function hangUp(server) {
  const socket = sockets.get(server);
  sockets.delete(server);
  socket?.close();
}

/** Sends what was signed, once all that is to be remembered is written: what nobody remembers would be made again. */
function send(output) {
  const asked = tab;
  writing = writing.then(keepRest).catch(notKept);
  writing.then(() => {
    if (unkept.size === 0) request(output);
    else if (tab === asked) perform((one) => one.answered(output.request, 0, '', new Uint8Array()));
  });
}

async function request({ request: id, url, body }) {
  const asked = tab;
  const { status, code, bytes } = await answer(url, body).catch(() => ({ status: 0, code: '', bytes: new Uint8Array() }));
  // Numbers of requests are one wallet's own: another account's wallet would take this for an answer to it.
  if (tab === asked) perform((one) => one.answered(id, status, code, bytes));
}

async function answer(url, body) {
  const options = { headers: { accept: 'application/cbor' }, signal: AbortSignal.timeout(15_000), cache: 'no-store' };
  const response = await fetch(url, body === null ? options : { ...options, method: 'POST', body });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > ANSWER_BYTES_MAX) throw new Error('longer than any answer');
  // Not one of the ledger's own errors: it says nothing of what was asked.
  const code = response.ok ? '' : (readError(bytes) ?? 'unreadable');
  return { status: response.status, code, bytes };
}

function readError(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)).error.code;
  } catch {
    return null;
  }
}

/** Under which name payments are kept: they are signed by the account's key, so each account has its own. */
function purseName() {
  return `${root} purse ${account}`;
}

function save(name, bytes) {
  writing = writing.then(() => put(name, bytes)).catch(notKept);
}

async function put(name, bytes) {
  unkept.set(name, bytes);
  await keep('readwrite', (store) => store.put(bytes, name));
  unkept.delete(name);
  isKeyKept ||= name === root;
  if (unkept.size === 0 && isKeyKept) tellKept(true);
}

/** Writes what could not be before. */
async function keepRest() {
  for (const [name, lost] of [...unkept]) await put(name, lost);
}

/** What is kept under a name, or should be. */
async function known(name) {
  return unkept.get(name) ?? keep('readonly', (store) => store.get(name));
}

/** Lets the page say it, once all that was promised is written; what can't be is not said. */
async function carry(bytes) {
  await keepRest();
  self.postMessage({ carry: bytes });
}

/** It is tried again by itself: a key that is not kept is gone with the page. */
function notKept(error) {
  console.error('starling: the wallet could not be kept', error);
  tellKept(false);
  clearTimeout(keeping);
  keeping = setTimeout(() => {
    writing = writing.then(keepRest).catch(notKept);
  }, KEEP_AGAIN_MS);
}

function tellKept(now) {
  if (kept !== now) self.postMessage({ kept: now });
  kept = now;
}

/** One request to this device's database. */
async function keep(mode, use) {
  const database = await new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = use(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}
