// A line of fixed rate: bytes leave one after the other, none overtakes.

/** Shares a rate among whoever asks, first come first served. A rate of 0 means no limit. */
export class Pacer {
  /** `kbps`: thousand bits per second. `burstMs`: how much idle time may be saved up. */
  constructor(kbps, burstMs = 50) {
    this.bytesPerMs = kbps / 8;
    this.burstMs = burstMs;
    this.freeAt = -Infinity;
  }

  /** Books `bytes` and returns the milliseconds from `now` until they have left. */
  book(bytes, now = performance.now()) {
    if (this.bytesPerMs === 0) return 0;
    const from = Math.max(this.freeAt, now - this.burstMs);
    this.freeAt = from + bytes / this.bytesPerMs;
    return Math.max(0, this.freeAt - now);
  }

  /** Milliseconds of booked bytes that have not left yet. */
  backlogMs(now = performance.now()) {
    return this.bytesPerMs === 0 ? 0 : Math.max(0, this.freeAt - now);
  }
}
