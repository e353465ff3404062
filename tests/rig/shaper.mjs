// A home network between browsers, without privileges: UDP through a forwarder.
//
// The probe in each page (see probe.js) rewrites every remote ICE candidate to a port of this process, so that
// all WebRTC packets between two viewers cross here. Each viewer has an uplink and a downlink of fixed rate with
// a drop-tail queue, and every packet takes a fixed one-way delay. A viewer can be cut off and healed.
//
// Pages speak to it by HTTP: `/own?viewer=&port=` (this local candidate port is mine) and
// `/map?viewer=&address=&port=` (give me a port that leads there).

import dgram from 'node:dgram';
import http from 'node:http';
import { Pacer } from './pacer.mjs';

const UDP_HEADER_BYTES = 28;
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** Options: `delayMs` one way, `upKbps` and `downKbps` per viewer (0: no limit), `queueMs` (200) per line. */
export async function startShaper(options = {}) {
  const shaper = new Shaper({ delayMs: 0, upKbps: 0, downKbps: 0, queueMs: 200, ...options });
  await new Promise((resolve) => shaper.server.listen(0, '127.0.0.1', resolve));
  const { port } = shaper.server.address();
  return {
    url: `http://127.0.0.1:${port}`,
    /** Packets and bytes forwarded, packets dropped by queues and cuts, bytes sent up by viewer. */
    counts: () => shaper.counts,
    /** Drops everything to and from these viewers until healed. */
    cut: (viewers) => shaper.cut(viewers),
    heal: () => shaper.cut([]),
    close: () => shaper.close(),
  };
}

class Shaper {
  constructor(options) {
    this.options = options;
    this.closed = false;
    this.owners = new Map();
    this.doors = new Map();
    this.lines = new Map();
    this.wheel = new Wheel();
    this.isCut = new Set();
    this.counts = { packets: 0, bytes: 0, droppedQueue: 0, droppedCut: 0, upBytes: {} };
    this.server = http.createServer((request, response) => this.answer(request, response));
  }

  cut(viewers) {
    this.isCut = new Set(viewers);
  }

  close() {
    this.closed = true;
    this.server.closeAllConnections();
    this.server.close();
    for (const door of this.doors.values()) door.then((socket) => socket.close());
    this.doors.clear();
  }

  async answer(request, response) {
    const url = new URL(request.url, 'http://shaper');
    const ask = (name) => url.searchParams.get(name);
    response.setHeader('access-control-allow-origin', '*');
    if (url.pathname === '/own') {
      this.owners.set(Number(ask('port')), ask('viewer'));
      response.end();
    } else if (url.pathname === '/map') {
      const door = await this.door(ask('viewer'), ask('address'), Number(ask('port')));
      response.end(String(door.address().port));
    } else {
      response.writeHead(404).end();
    }
  }

  /** The socket through which `viewer` reaches a far candidate; made once for each pair. */
  door(viewer, address, port) {
    const key = `${viewer} ${address} ${port}`;
    let door = this.doors.get(key);
    if (!door) this.doors.set(key, (door = this.openDoor(viewer, address, port)));
    return door;
  }

  openDoor(viewer, address, port) {
    return new Promise((resolve) => {
      const socket = dgram.createSocket('udp4');
      let near = null;
      socket.on('message', (packet, from) => {
        const far = this.owners.get(port);
        if (from.port === port && from.address === address) {
          if (near) this.forward(socket, packet, near, far, viewer);
        } else {
          near = { address: from.address, port: from.port };
          this.forward(socket, packet, { address, port }, viewer, far);
        }
      });
      socket.on('error', () => {});
      socket.bind(0, '0.0.0.0', () => {
        socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
        socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
        resolve(socket);
      });
    });
  }

  forward(socket, packet, to, sender, receiver) {
    if (this.isCut.has(sender) || this.isCut.has(receiver)) {
      this.counts.droppedCut += 1;
      return;
    }
    const now = performance.now();
    const bytes = packet.length + UDP_HEADER_BYTES;
    const up = this.line(`up ${sender}`, this.options.upKbps);
    if (up.backlogMs(now) > this.options.queueMs) return this.dropQueued();
    const leftAt = now + up.book(bytes, now);
    const down = this.line(`down ${receiver}`, this.options.downKbps);
    if (down.backlogMs(leftAt) > this.options.queueMs) return this.dropQueued();
    const arrivesAt = leftAt + down.book(bytes, leftAt) + this.options.delayMs;
    this.counts.packets += 1;
    this.counts.bytes += bytes;
    this.counts.upBytes[sender] = (this.counts.upBytes[sender] ?? 0) + bytes;
    const copy = Buffer.from(packet);
    this.wheel.at(arrivesAt, () => {
      if (!this.closed) socket.send(copy, to.port, to.address, () => {});
    });
  }

  dropQueued() {
    this.counts.droppedQueue += 1;
  }

  line(name, kbps) {
    let line = this.lines.get(name);
    if (!line) this.lines.set(name, (line = new Pacer(kbps, 0)));
    return line;
  }
}

/** Runs tasks at millisecond ticks, in the order of their ticks even when a timer fires late. */
class Wheel {
  constructor() {
    this.ticks = new Map();
  }

  at(time, task) {
    const tick = Math.ceil(time);
    const tasks = this.ticks.get(tick);
    if (tasks) {
      tasks.push(task);
      return;
    }
    this.ticks.set(tick, [task]);
    setTimeout(() => this.run(tick), Math.max(0, tick - performance.now()));
  }

  /** Runs all that is due; a timer that fired before its own tick tries again. */
  run(own) {
    const now = performance.now() + 0.5;
    const due = [...this.ticks.keys()].filter((tick) => tick <= now).sort((a, b) => a - b);
    for (const tick of due) {
      const tasks = this.ticks.get(tick);
      this.ticks.delete(tick);
      for (const task of tasks) task();
    }
    if (this.ticks.has(own)) setTimeout(() => this.run(own), 1);
  }
}
