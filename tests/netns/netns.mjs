// Networks made of namespaces: hosts and routers that are real to every program started inside them.
//
// A namespace is called `starling-<process id>-<name>`. What a process made goes away with it; what a killed process
// left is swept by the next one. Wires are veth pairs made inside the namespaces, so that nothing is ever seen in the
// machine's own. Address translation and firewalls are nftables rules of the router's namespace.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { promises as fs, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../rig/browser.mjs';

const PREFIX = 'starling-';
const run = promisify(execFile);

/** Why no network can be made here, and what to do; null: it can. */
export async function whyNot() {
  if (process.getuid() !== 0) return 'network namespaces need root: run this as root, for example by sudo';
  for (const [program, ...args] of [['ip', '-V'], ['nft', '--version'], ['tc', '-V']]) {
    if (!(await works(program, args))) return `${program} is missing: install the packages iproute2 and nftables`;
  }
  const probe = `${PREFIX}${process.pid}-probe`;
  try {
    await run('ip', ['netns', 'add', probe]);
    await feed('ip', ['netns', 'exec', probe, 'nft', '-f', '-'], translation('eth0', 'symmetric'));
    return null;
  } catch (error) {
    return `this machine makes no network namespaces with address translation: ${error.message.trim()}`;
  } finally {
    await run('ip', ['netns', 'del', probe]).catch(() => {});
  }
}

/** A set of namespaces, gone when closed or when the process ends. */
export class Network {
  static async open() {
    await sweep();
    const network = new Network();
    network.namespaces = [];
    network.folder = await temporaryFolder('netns');
    network.onExit = () => network.removeNow();
    network.onSignal = () => process.exit(1);
    process.once('exit', network.onExit);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, network.onSignal);
    return network;
  }

  /** A host or router without any wire; its own loopback interface is up. */
  async namespace(name) {
    const namespace = new Namespace(this, name);
    this.namespaces.push(namespace);
    await run('ip', ['netns', 'add', namespace.full]);
    // Addresses are there at once, or each would come a second later, and browsers end what is under way when one does.
    await namespace.run('sh', '-c', 'for each in all default; do echo 0 > /proc/sys/net/ipv6/conf/$each/accept_dad; done');
    await namespace.ip('link', 'set', 'lo', 'up');
    return namespace;
  }

  /** A router: hands on what comes in, by its routes. */
  async router(name) {
    const router = await this.namespace(name);
    await router.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding');
    return router;
  }

  /**
   * Wires a host to a router. `net` is the first three numbers of their network: the router has `.1`, the host `.2`. Or it
   * is the first parts of one of IPv6 (`2001:db8:1`), where they have `::1` and `::2`.
   * The host reaches `reaches` through it (all by default). The host's end is called `device`, the router's as
   * the host, with the device's number if it is not the first.
   */
  async wire(host, router, net, { device = 'eth0', reaches = 'default' } = {}) {
    const end = device === 'eth0' ? host.name : `${host.name}-${device}`;
    await host.ip('link', 'add', 'name', device, 'type', 'veth', 'peer', 'name', end, 'netns', router.full);
    // Nobody else is on the wire: no need to wait until an address is known to be free.
    const [dot, ...how] = net.includes(':') ? ['::', '/64', 'nodad'] : ['.', '/24'];
    const address = (number) => [`${net}${dot}${number}${how[0]}`, ...how.slice(1)];
    await router.ip('address', 'add', ...address(1), 'dev', end);
    await router.ip('link', 'set', end, 'up');
    [host.device, host.address] = [device, `${net}${dot}2`];
    await host.ip('address', 'add', ...address(2), 'dev', device);
    await host.ip('link', 'set', device, 'up');
    if (reaches) await host.ip(dot === '.' ? '-4' : '-6', 'route', 'replace', reaches, 'via', `${net}${dot}1`, 'dev', device);
    return end;
  }

  async close() {
    process.off('exit', this.onExit);
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, this.onSignal);
    this.removeNow();
  }

  /** Takes down some of the namespaces. */
  remove(namespaces) {
    for (const namespace of namespaces) removeNamespace(namespace.full);
    this.namespaces = this.namespaces.filter((each) => !namespaces.includes(each));
  }

  removeNow() {
    this.remove(this.namespaces);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One host or router. */
export class Namespace {
  constructor(network, name) {
    this.network = network;
    this.name = name;
    this.full = `${PREFIX}${process.pid}-${name}`;
  }

  /** Changes its links, addresses and routes. */
  async ip(...args) {
    await run('ip', ['-n', this.full, ...args]);
  }

  /** Runs a program inside; resolves to what it prints. */
  async run(program, ...args) {
    const { stdout } = await run('ip', ['netns', 'exec', this.full, program, ...args]);
    return stdout;
  }

  /** Adds nftables rules. */
  async rules(text) {
    await feed('ip', ['netns', 'exec', this.full, 'nft', '-f', '-'], text);
  }

  /** Translates addresses of what leaves by `device`. `kind`: `cone` or `symmetric`, see {@link translation}. */
  async translate(device, kind) {
    await this.rules(translation(device, kind));
  }

  /** Lets what leaves by `device` go at a rate only. */
  async slow(device, rate) {
    await run('tc', ['-n', this.full, 'qdisc', 'replace', 'dev', device, 'root', 'tbf', 'rate', rate, 'burst', '64kb', 'latency', '100ms']);
  }

  /** A script that runs `program` inside, with the arguments, descriptors and process id of the script. */
  async wrapper(program) {
    const file = path.join(this.network.folder, `${this.name}-${path.basename(program)}`);
    await fs.writeFile(file, `#!/bin/sh\nexec ip netns exec ${this.full} ${program} "$@"\n`, { mode: 0o755 });
    return file;
  }
}

/**
 * Address translation as routers at home do it: only answers come in. `cone`: a host's port keeps its outside port
 * whomever it talks to (RFC 4787, endpoint-independent mapping), so two of them can meet. `symmetric`: another
 * outside port for everyone it talks to, so two of them can't.
 */
function translation(device, kind) {
  return `
table ip translation {
  chain leaving {
    type nat hook postrouting priority srcnat
    oifname "${device}" masquerade ${kind === 'symmetric' ? 'random' : ''}
  }
  chain for-the-router {
    type filter hook input priority filter
    iifname "${device}" ct state new drop
  }
  chain through {
    type filter hook forward priority filter
    iifname "${device}" ct state new drop
  }
}
`;
}

async function works(program, args) {
  return run(program, args).then(() => true, () => false);
}

/** Runs a program with `text` on its standard input. */
async function feed(program, args, text) {
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes) => (said += bytes));
  child.stdin.end(text);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with code ${code}: ${said}`);
}

/** Removes what processes that are no more have left. */
async function sweep() {
  const { stdout } = await run('ip', ['netns', 'list']);
  for (const line of stdout.split('\n')) {
    const [full] = line.split(' ');
    const maker = new RegExp(`^${PREFIX}(\\d+)-`).exec(full)?.[1];
    if (maker && !isAlive(Number(maker))) removeNamespace(full);
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Ends what still runs inside, then removes the namespace; its ends of wires go with it. */
function removeNamespace(full) {
  try {
    const pids = execFileSync('ip', ['netns', 'pids', full], { encoding: 'utf8' });
    for (const pid of pids.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
  } catch {
    // It is gone already, or what ran inside is.
  }
  try {
    execFileSync('ip', ['netns', 'del', full], { stdio: 'ignore' });
  } catch {
    // Gone already.
  }
}
