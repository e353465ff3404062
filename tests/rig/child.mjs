// Runs one part of the rig in a process of its own, so that a busy browser driver cannot delay its timers,
// and calls its methods from here.
//
// A part is a module export `start(options)` that resolves to an object of values and methods. Values come
// back once, at the start; methods are called over the process channel. `close` also ends the process.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);

/**
 * Starts `exportName(options)` of the module at `moduleUrl` in a child; resolves to its values and methods.
 * `execPath` starts it in the place of Node itself, `env` is its environment.
 */
export function startChild(moduleUrl, exportName, options, { execPath = process.execPath, env = process.env } = {}) {
  const child = fork(self, ['--part', String(moduleUrl), exportName, JSON.stringify(options ?? {})], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execPath,
    env,
  });
  const kill = () => child.kill();
  process.once('exit', kill);
  const waiting = new Map();
  let nextCall = 1;
  const call = (method, args) =>
    new Promise((resolve, reject) => {
      const id = nextCall++;
      waiting.set(id, { resolve, reject });
      child.send({ id, method, args });
    });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      process.off('exit', kill);
      const gone = new Error(`${exportName} ended with code ${code}`);
      for (const { reject: refuse } of waiting.values()) refuse(gone);
      waiting.clear();
      reject(gone);
    });
    child.on('message', (message) => {
      if (message.ready) {
        const part = { ...message.values };
        for (const method of message.methods) part[method] = (...args) => call(method, args);
        part.close = async () => {
          child.removeAllListeners('exit');
          process.off('exit', kill);
          child.kill();
        };
        resolve(part);
        return;
      }
      const pending = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error === undefined) pending?.resolve(message.value);
      else pending?.reject(new Error(message.error));
    });
  });
}

async function serveCalls() {
  const [moduleUrl, exportName, options] = process.argv.slice(3);
  const part = await (await import(moduleUrl))[exportName](JSON.parse(options));
  process.on('message', async ({ id, method, args }) => {
    try {
      process.send({ id, value: await part[method](...args) });
    } catch (error) {
      process.send({ id, error: String(error?.message ?? error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
  const entries = Object.entries(part);
  process.send({
    ready: true,
    values: Object.fromEntries(entries.filter(([, value]) => typeof value !== 'function')),
    methods: entries.filter(([, value]) => typeof value === 'function').map(([name]) => name),
  });
}

if (process.argv[1] === self && process.argv[2] === '--part') await serveCalls();
