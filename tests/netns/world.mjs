// What tests in namespaces stand on: a server on a small internet of addresses that are nobody's (RFC 5737 and
// 2544), hosts behind routers of all kinds, a browser in each host, and what its page shows.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Person, expected } from '../e2e/files.mjs';
import { RECIPE, eventually, stageFolder } from '../e2e/stage.mjs';
import { CHROMIUM, FIREFOX, launchChromium, launchFirefox } from '../rig/browser.mjs';
import { startChild } from '../rig/child.mjs';
import { layOut } from '../rig/media.mjs';
import { freePort, publish } from '../rig/starling.mjs';
import { bridge } from './bridge.mjs';
import { Network } from './netns.mjs';

/** Deadline of anything that a browser's own timers of ICE may delay. */
export const PATIENT_MS = 120_000;
/** Segments of 2 s that a viewer holds before the next one comes. */
const HEAD_START_S = 20;
const SERVER_NET = '203.0.113';
/** Address of the page, and of what else the server is asked for. */
export const SERVER = `${SERVER_NET}.2`;
/** A second address of the server. */
export const RELAY = `${SERVER_NET}.3`;
/** The same where there is IPv6 only, of the addresses of RFC 3849. */
const SERVER_NET_V6 = '2001:db8:cb00';
const SEGMENTS = 45;

/** Remembers the page's connections, to see which paths the browser itself says they take. */
const REMEMBERS_CONNECTIONS = `{
  window.__connections = [];
  window.__restarts = 0;
  const Plain = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Plain {
    constructor(...args) {
      super(...args);
      window.__connections.push(this);
    }
    createOffer(options, ...rest) {
      if (options?.iceRestart) window.__restarts += 1;
      return super.createOffer(options, ...rest);
    }
  };
}`;

export class World {
  /**
   * A server at the middle of the internet. Options: `config` (TOML), `tls` (the page by https; `config` is a function
   * of the certificate's files), `family` (6: nobody has IPv4, and there is neither `tls`, NAT nor firewall).
   */
  static async open({ config = '', tls = false, family = 4 } = {}) {
    const world = new World();
    world.family = family;
    world.serverNet = family === 6 ? `${SERVER_NET_V6}::/64` : `${SERVER_NET}.0/24`;
    world.address = family === 6 ? `${SERVER_NET_V6}::2` : SERVER;
    world.bridges = [];
    world.browsers = [];
    world.hosts = [];
    world.count = 0;
    world.network = await Network.open();
    try {
      world.folder = await stageFolder();
      await world.serve({ config, tls });
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  async serve({ config, tls }) {
    const { network, folder } = this;
    this.internet = await network.router('internet');
    const machine = await network.namespace('server');
    if (this.family === 6) {
      await network.wire(machine, this.internet, SERVER_NET_V6);
    } else {
      await network.wire(machine, this.internet, SERVER_NET);
      await machine.ip('address', 'add', `${RELAY}/24`, 'dev', 'eth0');
    }
    const media = path.join(folder, 'media');
    await layOut(RECIPE, media, { segments: SEGMENTS, renditions: ['hi'] });
    await publish(media, path.join(folder, 'publisher'));
    this.certificate = tls ? await certificate(folder, [SERVER, RELAY]) : null;
    const part = {
      folder,
      media,
      address: this.family === 6 ? `[${this.address}]` : this.address,
      port: tls ? 443 : 80,
      config: tls ? tlsConfig(this.certificate) + config(this.certificate) : config,
      scheme: tls ? 'https' : 'http',
    };
    this.server = await startChild(new URL('server.mjs', import.meta.url), 'start', part, {
      execPath: await machine.wrapper(process.execPath),
      // Whether it is ready and what its metrics are is asked without looking at its certificate.
      env: tls ? { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' } : process.env,
    });
    this.url = this.server.url.replace(/:(80|443)$/, '');
  }

  /**
   * A host on the internet, or behind a router of its own. Options: `reaches` (`server`: it has a route to the server's
   * network and to no other), `nat` (`cone` or `symmetric`), `firewall` (nftables rules for what the router hands on:
   * the rest is dropped), `rate` (of what comes in, as tc has it).
   */
  async host(name, options = {}) {
    const host = await this.network.namespace(name);
    this.hosts.push(host);
    await this.connect(host, options);
    return host;
  }

  /**
   * A host loses its line and gets another one with another address, as a phone does that leaves the Wi-Fi. Options:
   * those of the new line, and `between`, awaited while it has none; without it the new line is there first.
   */
  async move(host, { between, ...options } = {}) {
    const before = host.device;
    if (between) {
      await host.ip('link', 'delete', before);
      await between();
    }
    await this.connect(host, options);
    if (!between) await host.ip('link', 'delete', before);
  }

  /** Gives a host a line, by which it reaches the internet from then on. */
  async connect(host, { reaches = 'all', nat, firewall, rate }) {
    const { network, internet } = this;
    const number = (this.count += 1);
    const outside = this.family === 6 ? `2001:db8:${number}` : `198.18.${number}`;
    const wiring = { device: `eth${number}`, reaches: reaches === 'server' ? this.serverNet : 'default' };
    if (!nat && !firewall) {
      const end = await network.wire(host, internet, outside, wiring);
      if (rate) await internet.slow(end, rate);
      return;
    }
    const router = await network.router(`router${number}`);
    this.hosts.push(router);
    const end = await network.wire(router, internet, outside);
    if (rate) await internet.slow(end, rate);
    await network.wire(host, router, `192.168.${number}`, wiring);
    if (nat) await router.translate('eth0', nat);
    else await internet.ip('route', 'add', `192.168.${number}.0/24`, 'via', `${outside}.2`);
    if (firewall) await router.rules(filter(firewall));
  }

  /** A person with a browser of their own in a host: `chromium`, or `firefox` where the page needs no certificate. */
  async arrive(host, { browser: kind = 'chromium' } = {}) {
    const browser = await (kind === 'firefox' ? this.firefox(host) : this.chromium(host));
    this.browsers.push(browser);
    const person = await Person.arrive(browser, this);
    await person.page.evaluateOnNewDocument(REMEMBERS_CONNECTIONS);
    return person;
  }

  async chromium(host) {
    // Browsers keep storage and more to secure pages, and most tests of paths need no certificate.
    const flags = [this.certificate ? `--ignore-certificate-errors-spki-list=${this.certificate.pin}` : `--unsafely-treat-insecure-origin-as-secure=${this.url}`];
    return launchChromium({ flags, executablePath: await host.wrapper(CHROMIUM) });
  }

  /** Chromium is driven by a pipe, Firefox by a port of the host's own loopback interface. */
  async firefox(host) {
    const port = await freePort();
    this.bridges.push(await bridge(host, path.join(this.folder, `${host.name}.socket`), port));
    return launchFirefox({ executablePath: await host.wrapper(FIREFOX), port, preferences: { 'dom.securecontext.allowlist': this.address } });
  }

  /** One figure of the relay's metrics. */
  async relayed(name) {
    const line = (await this.server.metrics()).split('\n').find((found) => found.startsWith(`starling_relay_${name} `));
    assert.ok(line, `${name} is in the metrics`);
    return Number(line.split(' ')[1]);
  }

  /** Everybody leaves, and their hosts are taken down: the next test has the server to itself. */
  async leave() {
    await Promise.all(this.browsers.splice(0).map((browser) => browser.close().catch(() => {})));
    await Promise.all(this.bridges.splice(0).map((each) => each.close()));
    this.network.remove(this.hosts.splice(0));
  }

  async close() {
    await this.leave();
    await this.server?.stop().catch(() => {});
    await this.server?.close();
    await this.network.close();
    if (this.folder) await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** What the browser says of the page's connections that are connected: types of candidates, transport, own address. */
export async function paths(person) {
  return person.page.evaluate(async () => {
    const found = [];
    for (const connection of window.__connections) {
      if (connection.connectionState !== 'connected') continue;
      const report = await connection.getStats();
      const transport = [...report.values()].find(({ type }) => type === 'transport');
      const pair = report.get(transport?.selectedCandidatePairId);
      if (!pair) continue;
      const [local, remote] = [report.get(pair.localCandidateId), report.get(pair.remoteCandidateId)];
      found.push({
        local: local?.candidateType,
        address: local?.address,
        by: local?.relayProtocol ?? local?.protocol,
        remote: remote?.candidateType,
      });
    }
    return found;
  });
}

/** Connections the page made so far, and ICE restarts it asked for. */
export async function attempts(person) {
  return person.page.evaluate(() => ({ connections: window.__connections.length, restarts: window.__restarts }));
}

/** Waits until the page of a share says of its one peer how it is reached: `direct` or `relayed`. */
export async function pathShown(person, withinMs = PATIENT_MS) {
  return eventually('the page says how the peer is reached', async () => {
    const seen = await person.page.evaluate(() => [...document.querySelectorAll('.peer-rows li')].map((row) => row.lastElementChild.textContent));
    return { value: seen.length === 1 && /^(direct|relayed)/.exec(seen[0])?.[1], seen };
  }, withinMs);
}

/** Moves a file from one to the other and checks every byte; `during` is called when a part of it is there. */
export async function moveFile(sender, receiver, file, { at = 0, during = async () => {} } = {}) {
  const link = await sender.share([file], { withinMs: PATIENT_MS });
  await receiver.get(link, { withinMs: PATIENT_MS });
  await receiver.until(`${at} % is there`, ({ percent, stage }) => percent >= at && ['fetching', 'done'].includes(stage), PATIENT_MS);
  await during();
  await receiver.done(PATIENT_MS);
  const saved = await receiver.save(0, PATIENT_MS);
  assert.deepEqual(saved, { name: file.name, size: file.size, sha256: await expected(file) });
}

/** Two watch the video of the front page; resolves when the second plays what the first gave. */
export async function watchTogether(first, second) {
  for (const [viewer, what, isThere] of [
    [first, 'the first has a head start', ({ bufferedTo }) => bufferedTo >= HEAD_START_S],
    [second, 'the second plays what the first gave', ({ stats, at }) => stats?.peers === 1 && stats.p2pBytes > 500_000 && at >= 2],
  ]) {
    await viewer.go('/');
    await eventually(what, async () => {
      const seen = await playback(viewer);
      return { value: isThere(seen), seen: { ...seen, console: viewer.console.slice(-5) } };
    }, PATIENT_MS);
  }
}

/** Where the video of a page stands. */
export async function playback(viewer) {
  return viewer.page.evaluate(() => {
    const player = document.querySelector('starling-player');
    const buffered = player?.video?.buffered;
    return {
      stats: player?.stats ?? null,
      at: player?.video?.currentTime ?? 0,
      bufferedTo: buffered?.length ? buffered.end(buffered.length - 1) : 0,
      error: player?.video?.error?.message ?? null,
      page: `${document.readyState}, ${performance.getEntriesByType('resource').length} fetched: ${document.body.innerText.slice(0, 200)}`,
    };
  });
}

/** Waits until the network page names the path to the one other viewer, by its own link so that the video goes on. */
export async function pathInTable(viewer) {
  await viewer.page.click('a[href="/network"]');
  return eventually('the table says how the bytes travel', async () => {
    const seen = await viewer.page.evaluate(() => [...document.querySelectorAll('table.peers td[data-label="Path"]')].map((cell) => cell.textContent));
    return { value: seen.length === 1 && ['Direct', 'Relayed'].includes(seen[0]) && seen[0], seen };
  }, PATIENT_MS);
}

/** Of what goes through a router only this passes, and what answers it. */
function filter(passes) {
  return `
table ip firewall {
  chain through {
    type filter hook forward priority filter; policy drop
    ct state established accept
    ${passes}
  }
}
`;
}

/** A certificate for some addresses, good for two days, with the pin by which a browser is told to believe it. */
async function certificate(folder, addresses) {
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  const alternatives = addresses.map((address) => `IP:${address}`).join(',');
  await promisify(execFile)('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=starling`, '-addext', `subjectAltName=${alternatives}`, '-keyout', key, '-out', cert,
  ]);
  const { publicKey } = new X509Certificate(await fs.readFile(cert));
  const pin = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
  return { cert, key, pin };
}

function tlsConfig({ cert, key }) {
  return `[tls]\ncert = "${cert}"\nkey = "${key}"\n`;
}
