// A person's keys in a worker of the page: what is kept on this device lies here, and what is open is in this worker's
// memory only. What to do is decided in `crates/identity/src/session.rs`; this file performs.
//
// From the page: `{ call, id }` (a command as bytes, and a number that its answer carries), `{ credentials, id }` (the
// same for the room of credentials, `crates/identity/src/credentials.rs`) or `{ port, chain }` (for the wallet's
// worker: a port to it, and the ledger's chain). To the page: `{ answer, id }` (bytes; id 0: nobody
// asked, it locked by itself; answers of other rooms than `call` carry `room`; null: this device could not keep what
// was to be kept, and nothing was done) or `{ state }` (`waiting`: keys are open in another tab; `failed`: and why).
//
// On this device: the session under `session`, and the credentials of whoever signed in here under a name that follows
// from their seed, sealed by it. Signing out leaves those: they can't be made again from 24 words, only opened.
//
// Over the port, to the wallet, once: `{ account }`: the seed of the account's key, or null while it is locked.

import start, { Keys } from './identity.js';

const DATABASE = 'starling-identity';
const STORE = 'kept';
const SESSION = 'session';
/** The command that only looks, as CBOR: number 0 without fields. */
const LOOK = new Uint8Array([0x82, 0x00, 0x80]);

let keys = null;
let timer = 0;
const waiting = [];
/** Calls follow each other, and an answer waits until what it says is kept. */
let working = Promise.resolve();

self.addEventListener('message', ({ data }) => {
  if (keys) take(data);
  else waiting.push(data);
});

open().catch((error) => self.postMessage({ state: 'failed', why: error.name }));

async function open() {
  const loaded = start({ module_or_path: new URL('./identity_bg.wasm', import.meta.url) });
  // Two tabs that keep different things would lose one of them. Without locks (plain HTTP) they may.
  await new Promise((resolve) => {
    if (!navigator.locks) return resolve();
    return navigator.locks.request('starling-identity', { ifAvailable: true }, (lock) => {
      if (lock) return hold(resolve);
      self.postMessage({ state: 'waiting' });
      return navigator.locks.request('starling-identity', () => hold(resolve));
    });
  });
  await loaded;
  keys = Keys.open(await keep('readonly', (store) => store.get(SESSION)));
  self.postMessage({ state: 'open' });
  for (const data of waiting.splice(0)) take(data);
}

/** Holds a lock for as long as the worker lives. */
function hold(resolve) {
  resolve();
  return new Promise(() => {});
}

function take(data) {
  if (data.port) {
    const account = keys.account(data.chain) ?? null;
    data.port.postMessage({ account });
    account?.fill(0);
    data.port.close();
    return;
  }
  working = working.then(() => answer(data)).catch((error) => undo(data, error));
}

/** What could not be kept is not used either: it is as it was kept last, and who asked is told. */
async function undo({ id }, error) {
  console.error('starling: the identity could not be kept', error.name);
  try {
    const kept = await keep('readonly', (store) => store.get(SESSION));
    const old = keys;
    keys = Keys.open(kept);
    // What was open is wiped.
    try {
      old.free();
    } catch (busy) {
      // It broke in the middle of a call, and can't be.
      console.error('starling: old keys stay in memory', busy.name);
    }
  } catch (reading) {
    self.postMessage({ state: 'failed', why: reading.name });
    return;
  }
  self.postMessage({ answer: null, id });
  // The page shows what there is now.
  look();
  settle();
}

/** Tells the page how it is. */
function look() {
  const [bytes] = keys.call(LOOK, crypto.getRandomValues(new Uint8Array(32)));
  self.postMessage({ answer: bytes, id: 0 });
}

async function answer(data) {
  if (data.credentials) await answerCredentials(data);
  else await answerCall(data);
  settle();
}

async function answerCredentials({ credentials, id }) {
  const name = keys.credentialsName();
  const before = name && await keep('readonly', (store) => store.get(`credentials ${name}`));
  const entropy = crypto.getRandomValues(new Uint8Array(32));
  const [bytes, kept] = keys.credentials(credentials, entropy, before);
  entropy.fill(0);
  if (kept) await keep('readwrite', (store) => store.put(kept, `credentials ${name}`));
  self.postMessage({ answer: bytes, id, room: 'credentials' });
}

async function answerCall({ call, id }) {
  const entropy = crypto.getRandomValues(new Uint8Array(32));
  const [bytes, kept] = keys.call(call, entropy);
  entropy.fill(0);
  call.fill(0);
  if (kept === null) await keep('readwrite', (store) => store.delete(SESSION));
  else if (kept) await keep('readwrite', (store) => store.put(kept, SESSION));
  self.postMessage({ answer: bytes, id });
}

/** Sets the one timer. */
function settle() {
  clearTimeout(timer);
  const { wake } = keys;
  if (wake !== undefined) timer = setTimeout(lock, Math.min(wake + 1, 60_000));
}

function lock() {
  const bytes = keys.tick();
  if (bytes) self.postMessage({ answer: bytes, id: 0 });
  settle();
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
      const transaction = database.transaction(STORE, mode, { durability: 'strict' });
      const asked = use(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}
