// @ts-check
// What is behind <starling-file>: a link to a gateway that, once it is pressed, fetches the file from those who have
// it. Loaded when a page has such an element; the peer (WebAssembly) when one is pressed. Where either can't start,
// the link is what it looks like.

const FILES = { module: "./files.js", wasm: "./files_bg.wasm" };
/** How often it is looked how far a file is, in milliseconds. */
const LOOK_EVERY_MS = 300;

const STYLE = `
:host { display: inline-block; max-width: 100%; font: 500 1rem/1.4 system-ui, sans-serif; }
:host([hidden]) { display: none; }
[part="button"] { position: relative; display: inline-flex; align-items: center; justify-content: center; gap: .6em;
  box-sizing: border-box; min-height: 44px; max-width: 100%; padding: .4em 1.2em; overflow: hidden; border-radius: .5em;
  color: #fff; background: #08705f; text-decoration: none; overflow-wrap: anywhere; cursor: pointer; }
[part="button"]:focus-visible { outline: 3px solid #08705f; outline-offset: 2px; }
[part="bar"] { position: absolute; inset: auto 0 0; height: 4px; background: rgb(255 255 255 / .85);
  transform: scaleX(0); transform-origin: left; }
[part="state"] { font-variant-numeric: tabular-nums; white-space: nowrap; }
[part="state"]:empty { display: none; }
[part="note"] { margin: .4em 0 0; font-size: .875em; opacity: .8; }
[part="note"]:empty { display: none; }
`;

/** @typedef {import("../embed.js").FileState} FileState */
/** @typedef {import("../embed.js").StarlingFileElement} Host */

/** Buttons by their elements. @type {WeakMap<Host, FileButton>} */
const buttons = new WeakMap();

/**
 * Draws an element, or draws it anew after an attribute changed.
 * @param {Host} host
 */
export function connect(host) {
  let button = buttons.get(host);
  if (!button) buttons.set(host, (button = new FileButton(host)));
  button.draw();
}

/** Peers by server and gateway: elements share one. @type {Map<string, Promise<any>>} */
const peers = new Map();

/**
 * @param {string} server
 * @param {string} gateway
 */
function peerOf(server, gateway) {
  const key = `${server} ${gateway}`;
  let peer = peers.get(key);
  if (!peer) {
    peer = startPeer(server, gateway);
    peer.catch(() => peers.delete(key));
    peers.set(key, peer);
  }
  return peer;
}

/**
 * @param {string} server
 * @param {string} gateway
 */
async function startPeer(server, gateway) {
  if (typeof RTCPeerConnection !== "function" || typeof WebAssembly !== "object") {
    throw new Error("this browser has no WebRTC or no WebAssembly");
  }
  const here = (/** @type {string} */ file) => new URL(file, import.meta.url).href;
  const wasm = fetch(here(FILES.wasm));
  wasm.catch(() => {});
  const { default: init, StarlingFiles } = await import(here(FILES.module));
  await init({ module_or_path: wasm });
  return StarlingFiles.start(new URL("/signal", server).href.replace(/^http/, "ws"), gateway);
}

class FileButton {
  /** @type {Host} */ #host;
  #link = /** @type {HTMLAnchorElement} */ (part("a", "button"));
  #words = document.createElement("span");
  #state = part("span", "state");
  #bar = part("span", "bar");
  #note = part("p", "note");
  #isBusy = false;

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    const shadow = host.attachShadow({ mode: "open", delegatesFocus: true });
    adoptStyle(shadow);
    const slot = document.createElement("slot");
    slot.append(this.#words);
    this.#bar.setAttribute("aria-hidden", "true");
    this.#note.setAttribute("role", "status");
    this.#link.append(slot, this.#state, this.#bar);
    this.#link.addEventListener("click", (event) => this.#press(event));
    shadow.append(this.#link, this.#note);
  }

  /** @param {string} name */
  #text(name) {
    return this.#host.getAttribute(name)?.trim() ?? "";
  }

  get #server() {
    return new URL(this.#text("server") || "/", this.#text("server") ? document.baseURI : import.meta.url).href;
  }

  get #gateway() {
    const address = this.#text("gateway");
    return (address ? new URL(address, document.baseURI).href : new URL(this.#server).origin).replace(/\/+$/, "");
  }

  /** It names a plain CID, not a whole link with its key. */
  get #isPlain() {
    return !/[#?/]/.test(this.#text("cid"));
  }

  draw() {
    const [cid, name] = [this.#text("cid"), this.#text("name")];
    this.#words.textContent = name ? `Download ${name}` : "Download";
    if (cid && this.#isPlain) {
      const query = new URLSearchParams({ download: "true", ...(name ? { filename: name } : {}) });
      this.#link.href = `${this.#gateway}/ipfs/${encodeURIComponent(cid)}?${query}`;
    } else if (cid) {
      this.#link.href = new URL(cid, this.#server).href;
    } else {
      this.#link.removeAttribute("href");
    }
  }

  /** @param {MouseEvent} event */
  async #press(event) {
    // Another tab, a saved link: that is the browser's.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0 || !this.#link.href) return;
    event.preventDefault();
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#fetch();
      this.#tell("done", 1, "Saved", "Every block was checked. While this page is open, you pass it on.");
    } catch (error) {
      this.#fail(/** @type {Error} */ (error));
    } finally {
      this.#isBusy = false;
    }
  }

  async #fetch() {
    this.#tell("starting", 0, "Starting", "");
    const [cid, name] = [this.#text("cid"), this.#text("name")];
    const peer = await peerOf(this.#server, this.#gateway);
    const link = this.#isPlain ? `#/get/${cid}${name ? `?n=${percent(name)}` : ""}` : cid;
    const share = await peer.open(link);
    for (let isChosen = false; ; ) {
      const view = peer.view(share);
      if (!view || view.stage === "failed") throw new Error(view?.failure || "it was closed");
      if (view.stage === "done") break;
      if (view.stage === "offered" && !isChosen) {
        isChosen = true;
        peer.get(share);
      }
      this.#show(view);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    this.#tell("saving", 1, "Saving", "");
    await peer.save(share, () => {});
  }

  /** @param {{ stage: string, bytes: number, held: number, peers: number, gateway: boolean }} view */
  #show({ stage, bytes, held, peers, gateway }) {
    const done = bytes > 0 ? held / bytes : 0;
    const sources = [
      ...(peers > 0 ? [`${peers} ${peers === 1 ? "person" : "people"}`] : []),
      ...(gateway ? ["the server"] : []),
    ];
    const note = sources.length > 0 ? `From ${sources.join(" and ")}` : "Looking for somebody who has it";
    if (stage === "fetching") this.#tell("fetching", done, `${Math.floor(done * 100)} %`, note);
    else this.#tell("finding", 0, "Looking", note);
  }

  /**
   * Says how it is, to people and to the page.
   * @param {FileState} state
   * @param {number} progress
   * @param {string} words
   * @param {string} note
   */
  #tell(state, progress, words, note) {
    this.#state.textContent = words;
    if (this.#note.textContent !== note) this.#note.textContent = note;
    this.#bar.style.transform = `scaleX(${progress.toFixed(3)})`;
    const old = this.#host.dataset.state;
    this.#host.dataset.state = state;
    if (old !== state || state === "fetching") {
      this.#host.dispatchEvent(new CustomEvent("starling-file", { detail: { state, progress } }));
    }
  }

  /** @param {Error} error */
  #fail(error) {
    if (!this.#isPlain) return this.#tell("failed", 0, "", `It can't be fetched: ${error.message}.`);
    this.#tell("link", 0, "", "Downloading from the server.");
    // Ours is an addition: the link alone does what a link does.
    const plain = document.createElement("a");
    plain.href = this.#link.href;
    plain.rel = "noopener";
    plain.click();
  }
}

/** Everything but the unreserved characters of RFC 3986, 2.3. @param {string} text */
function percent(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * @param {string} tag
 * @param {string} name
 */
function part(tag, name) {
  const element = document.createElement(tag);
  element.setAttribute("part", name);
  return element;
}

/**
 * A constructed style sheet needs no permission of a Content-Security-Policy; older browsers have none.
 * @param {ShadowRoot} shadow
 */
function adoptStyle(shadow) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.textContent = STYLE;
    shadow.append(style);
  }
}
