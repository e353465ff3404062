// @ts-check
// Tells whoever funds a video from whom this viewer got how much, so that those who upload are paid. Loaded only where
// a page names a fund. Which bytes count is decided where they are checked, in the peer, whose key of this visit signs;
// what they are worth, at the fund (docs/spec/payments.md, "Funds").

/** @typedef {import("../embed.js").Earned} Earned */
/** @typedef {import("../embed.js").Peer} Peer */
/**
 * Verified bytes from one sender: in all, at the last look, as of the session before, and as the fund knows them.
 * @typedef {{all: number, last: number, base: number, told: number}} Giver
 */

/** How often it is looked who sent what, in milliseconds: what came from who left in between is not told. */
const LOOK_EVERY_MS = 1000;
/** How often is reported, if the fund says nothing sensible, in milliseconds. */
const REPORT_EVERY_MS = 15_000;
/** A fund that did not answer, or whose terms have changed, is asked again after this long, in milliseconds. */
const AGAIN_MS = 20_000;
/** An answer that takes longer is none, in milliseconds. */
const ANSWER_MS_MAX = 10_000;
/** Most senders that one report names. */
const TOLD_MAX = 64;
/** Most senders remembered; those who are gone and were told of are forgotten first. */
const GIVERS_MAX = 256;

/** One video's reports. */
export class Fund {
  /** @type {Earned} */ earned = { units: 0, paid: 0, state: "starting" };

  #url;
  #peer;
  #swarm;
  #view;
  /** @type {string | undefined} */ #account;
  /** @type {any} */ #terms = null;
  /** @type {Map<string, Giver>} */ #givers = new Map();
  #nextAt = 0;
  #isBusy = false;
  #timer;
  #ear = new AbortController();

  /**
   * @param {string} url of the fund, absolute
   * @param {Peer} peer
   * @param {string} swarm
   * @param {() => any} view what the peer shows of the stream; nothing once it is closed
   * @param {string | undefined} account the viewer's, if it wants to be paid
   */
  constructor(url, peer, swarm, view, account) {
    this.#url = url;
    this.#peer = peer;
    this.#swarm = swarm;
    this.#view = view;
    this.account = account;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    addEventListener("pagehide", () => this.#part(), { signal: this.#ear.signal });
    this.#look();
  }

  /** Whom to pay from now on. What is no account is none. @param {string | undefined} account */
  set account(account) {
    this.#account = /^[0-9a-f]{64}$/.test(account ?? "") ? account : undefined;
    // A fund that does not pay for this video is not asked again.
    if (this.earned.state !== "off") this.#nextAt = 0;
  }

  /** Tells what is left to tell, and ends. */
  close() {
    this.#part();
    clearInterval(this.#timer);
    this.#ear.abort();
    this.#nextAt = Infinity;
  }

  #look() {
    this.#count();
    if (this.#isBusy || performance.now() < this.#nextAt) return;
    this.#isBusy = true;
    this.#report()
      .catch(() => {
        this.#nextAt = performance.now() + AGAIN_MS;
        this.earned = { ...this.earned, state: "unreachable" };
      })
      .finally(() => (this.#isBusy = false));
  }

  #count() {
    const peers = this.#view()?.peers ?? [];
    const here = new Map(peers.map((/** @type {any} */ one) => [one.peer, one.verifiedBytes ?? 0]));
    for (const [peer, giver] of this.#givers) {
      // Whoever comes back is counted from nothing, by a new connection.
      if (!here.has(peer)) giver.last = 0;
      const isOver = !here.has(peer) && giver.told === giver.all;
      if (isOver && this.#givers.size > GIVERS_MAX) this.#givers.delete(peer);
    }
    for (const [peer, bytes] of here) {
      const giver = this.#givers.get(peer) ?? { all: 0, last: 0, base: 0, told: 0 };
      giver.all += bytes >= giver.last ? bytes - giver.last : bytes;
      giver.last = bytes;
      if (giver.all > 0) this.#givers.set(peer, giver);
    }
  }

  async #report() {
    this.#terms ??= await this.#ask();
    const said = this.#toldNow();
    const body = this.#body(said);
    const answer = await fetch(this.#url, { method: "POST", body, ...asked() });
    const told = await answer.json().catch(() => null);
    if (answer.ok) {
      for (const [giver, all] of said.values()) giver.told = Math.max(giver.told, all);
      const { chain, pool } = this.#terms;
      this.earned = { units: Number(told.earned) || 0, paid: Number(told.paid) || 0, state: "on", chain, pool };
      const everyS = Number(this.#terms.every_s);
      this.#nextAt = performance.now() + (everyS >= 1 ? everyS * 1000 : REPORT_EVERY_MS);
    } else if (answer.status === 409) {
      // Another hour, or another pool: what was told was for the last.
      for (const giver of this.#givers.values()) giver.base = giver.told;
      this.#terms = null;
      this.#nextAt = performance.now() + AGAIN_MS;
    } else if (answer.status === 404) {
      this.earned = { ...this.earned, state: "off" };
      this.#nextAt = Infinity;
    } else {
      throw new Error(`status ${answer.status}`);
    }
  }

  async #ask() {
    const answer = await fetch(this.#url, asked());
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  }

  /** Of whom to tell: most news first, with all that came. @returns {Map<string, [Giver, number]>} */
  #toldNow() {
    const givers = [...this.#givers].sort(([, a], [, b]) => b.all - b.told - (a.all - a.told));
    return new Map(givers.slice(0, TOLD_MAX).map(([peer, giver]) => [peer, [giver, giver.all]]));
  }

  /** @param {Map<string, [Giver, number]>} told */
  #body(told) {
    const { chain, pool, session } = this.#terms;
    const from = [...told].map(([peer, [giver, all]]) => [peer, all - giver.base]);
    const said = JSON.stringify({ chain, pool, session, swarm: this.#swarm, account: this.#account, from });
    const signature = btoa(String.fromCharCode(...this.#peer.attest(said)));
    return JSON.stringify({ peer: this.#peer.view().peer, said, signature });
  }

  /** The viewer leaves: the last report needs no answer. */
  #part() {
    if (!this.#terms || this.#nextAt === Infinity) return;
    try {
      this.#count();
      navigator.sendBeacon(this.#url, this.#body(this.#toldNow()));
    } catch {
      // The peer is closed or failed: what was not told is a gift.
    }
  }
}

/** How the fund is asked: without cookies, and not for ever. @returns {RequestInit} */
function asked() {
  return { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS_MAX) };
}
