// What tests of files begin with: a server, browsers, and people who come to it and are gone after each test.

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before } from 'node:test';
import { launchChromium, launchFirefox } from '../rig/browser.mjs';
import { starling } from '../rig/starling.mjs';
import { Person, bytesOf } from './files.mjs';
import { openStage } from './stage.mjs';

export const MIB = 1 << 20;
/** Deadline of what takes longer than a look at a page: many blocks, or two browsers that meet. */
export const PATIENT_MS = 150_000;
const LAUNCH = { chromium: launchChromium, firefox: launchFirefox };

/**
 * For a `describe`: before the first test it opens a stage and starts these browsers, after each one whoever arrived
 * leaves, after the last one all is closed. `config` is the server's, as TOML. Gives `stage`, which is empty until
 * then; `browser(name)`, which starts one that does not run yet; and `arrive({ browser, … })`, a {@link Person}. Without
 * a name it is the first browser.
 */
export function withPeople({ browsers = ['chromium'], config = '' } = {}) {
  const stage = {};
  const started = {};
  const people = [];
  const browser = (name = browsers[0]) => (started[name] ??= LAUNCH[name]());
  const arrive = async ({ browser: name, ...options } = {}) => {
    const person = await Person.arrive(await browser(name), stage.server, options);
    people.push(person);
    return person;
  };
  before(async () => {
    for (const name of browsers) await browser(name);
    Object.assign(stage, await openStage({ segments: 2, signed: false, config }));
  });
  afterEach(async () => {
    await Promise.all(people.splice(0).map((person) => person.leave().catch(() => {})));
  });
  after(async () => {
    for (const each of Object.values(started)) await (await each.catch(() => null))?.close();
    await stage.close?.();
  });
  return { stage, browser, arrive };
}

/** Writes a file as {@link Person.share} makes it up to the stage's disk. */
export async function written(stage, file) {
  const where = path.join(stage.folder, file.name);
  await fs.writeFile(where, bytesOf(file));
  return where;
}

/** Puts such a file into the server's own store; its CID. */
export async function added(stage, file) {
  const said = await starling('add', '--data', stage.server.data, await written(stage, file));
  return said.split(/\s+/).find((word) => word.startsWith('baf'));
}
