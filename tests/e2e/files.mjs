// Somebody with a tab who shares and gets files, as a person does: by the page's own buttons.

import { PATIENCE_MS, eventually } from './stage.mjs';

/**
 * Before any script of the page: no picker of the system, which no test can press; what is handed to the browser as
 * a download is remembered instead of asked about; files are made up as {@link bytesOf} does.
 */
const INJECTED = `
  delete window.showSaveFilePicker;
  delete window.showDirectoryPicker;
  window.__saved = [];
  window.__blobs = new Map();
  const createUrl = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    const url = createUrl.call(URL, blob);
    window.__blobs.set(url, blob);
    return url;
  };
  window.__bytesOf = ${bytesOf};
  window.__errors = [];
  addEventListener('error', (event) => window.__errors.push(event.message));
  const click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () {
    if (this.download) window.__saved.push({ name: this.download, href: this.href });
    else click.call(this);
  };
`;

export class Person {
  /** A person with a browser profile of their own, by default one that is in memory only. */
  static async arrive(browser, server, { viewport = { width: 1100, height: 900 }, context } = {}) {
    const person = new Person();
    person.server = server;
    person.context = context ?? (await browser.createBrowserContext());
    await person.newTab(viewport);
    return person;
  }

  /** A tab of the same profile. */
  async newTab(viewport = { width: 1100, height: 900 }) {
    this.page = await this.context.newPage();
    this.console = [];
    this.page.on('console', (message) => this.console.push(message.text()));
    this.page.on('pageerror', (error) => this.console.push(`page: ${error.message}`));
    this.unanswered = new Set();
    this.page.on('request', (request) => this.unanswered.add(request));
    for (const end of ['requestfinished', 'requestfailed']) this.page.on(end, (request) => this.unanswered.delete(request));
    await this.page.setViewport(viewport);
    await this.page.evaluateOnNewDocument(INJECTED);
  }

  async go(route) {
    await this.page.goto(`${this.server.url}${route}`, { waitUntil: 'domcontentloaded' });
  }

  /** Closes the tab; what the profile holds stays. */
  async closeTab() {
    await this.page.close();
  }

  async leave() {
    await this.context.close();
  }

  /** What stands on the page. */
  async look() {
    return this.page.evaluate(() => {
      const card = document.querySelector('.transfer');
      return {
        stage: card?.dataset.stage ?? null,
        peers: Number(card?.dataset.peers ?? 0),
        percent: Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') ?? 0),
        files: Number(document.querySelector('.files')?.dataset.files ?? 0),
        gatewayBytes: Number(card?.dataset.gatewayBytes ?? 0),
        whole: document.querySelectorAll('.file-row[data-whole=true]').length,
        saved: window.__saved,
        errors: window.__errors,
        text: document.querySelector('main')?.innerText ?? '',
      };
    });
  }

  /** Where a page stands that does not come: for errors. */
  async standing() {
    const page = await this.page.evaluate(() => ({
      state: document.readyState,
      worker: navigator.serviceWorker?.controller?.state ?? null,
      fetched: performance.getEntriesByType('resource').map(({ name, responseEnd }) => `${name.split('/').pop()} ${Math.round(responseEnd)}`),
      text: document.body.innerText.slice(0, 200),
    }));
    return { ...page, unanswered: [...this.unanswered].map((request) => request.url()), console: this.console.slice(-5) };
  }

  async until(what, condition, withinMs = PATIENCE_MS) {
    return eventually(what, async () => {
      const seen = await this.look();
      const tail = { ...seen, text: seen.text.slice(0, 400), console: this.console.slice(-5) };
      return { value: condition(seen) && seen, seen: tail };
    }, withinMs);
  }

  /**
   * Shares files made up in the page: `{ name, size, seed, type, head }`, `head` being bytes in base64 that stand
   * where the first ones would. The link.
   */
  async share(files, { password = '', isPublic = false, withinMs = PATIENCE_MS } = {}) {
    await this.go('/share');
    await eventually('files can be chosen', async () => {
      const value = await this.page.evaluate(() => document.querySelector('#pick-files + button:not([disabled])') !== null);
      return { value, seen: value || (await this.standing()) };
    }, withinMs);
    if (isPublic) await this.page.click('[name=readers][value=public]');
    if (password) {
      await this.page.click('.share-lock .switch');
      await this.page.type('#share-password', password);
    }
    await this.page.evaluate((list) => {
      const transfer = new DataTransfer();
      for (const file of list) transfer.items.add(new File([window.__bytesOf(file)], file.name, { type: file.type ?? '' }));
      const input = document.getElementById('pick-files');
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    }, files);
    return this.madeLink(withinMs);
  }

  /** Shares a folder on disk by the page's folder picker. Chromium only. */
  async shareFolder(folder, { withinMs = PATIENCE_MS } = {}) {
    await this.go('/share');
    await this.page.waitForSelector('#pick-folder + button:not([disabled])', { timeout: withinMs });
    await (await this.page.$('#pick-folder')).uploadFile(folder);
    return this.madeLink(withinMs);
  }

  /** The link of the share that was made. */
  async madeLink(withinMs = PATIENCE_MS) {
    return eventually('the link is there', async () => {
      const value = await this.page.evaluate(() => document.querySelector('.made .copy-text')?.textContent.trim() ?? '');
      return { value: value.includes('#/get/') && value, seen: [value, this.console.slice(-5)] };
    }, withinMs);
  }

  /** From its next page on, its shares send so many Mbit/s at most: slow enough to do something meanwhile. */
  async limitUpload(mbitPerS) {
    await this.page.evaluateOnNewDocument((limit) => localStorage.setItem('starling.upload', limit), `${mbitPerS}`);
  }

  /** Opens a link and takes all of it. */
  async get(link, { withinMs = PATIENCE_MS } = {}) {
    await this.open(link);
    await this.until('names and sizes are shown', ({ stage }) => ['offered', 'fetching', 'done'].includes(stage), withinMs);
    const offered = await this.page.$('[data-do=get]');
    if (offered) await offered.click();
  }

  /** Opens a link. */
  async open(link) {
    const { hash } = new URL(link);
    await this.page.goto(`${this.server.url}/${hash}`, { waitUntil: 'domcontentloaded' });
  }

  /** Waits until everything is here. */
  async done(withinMs = PATIENCE_MS) {
    return this.until('all is here', ({ stage }) => stage === 'done', withinMs);
  }

  /** Saves one of the files by its row, or the only one; its name and SHA-256. */
  async save(row = 0, withinMs = PATIENCE_MS) {
    return this.saved(() => this.page.evaluate((at) => document.querySelectorAll('.file-row .save')[at].click(), row), withinMs);
  }

  /** What is handed to the browser's downloads after `press`: its name, size and SHA-256. */
  async saved(press, withinMs = PATIENCE_MS) {
    const before = (await this.look()).saved.length;
    await press();
    await this.until('it is saved', ({ saved }) => saved.length > before, withinMs);
    return this.handedOver(before);
  }

  /** What was handed to the browser's downloads, by its place, from the end where that is negative. */
  async handedOver(place) {
    return this.page.evaluate(async (at) => {
      const { name, href } = window.__saved.at(at);
      const bytes = await window.__blobs.get(href).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      return { name, size: bytes.byteLength, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') };
    }, place);
  }
}

/** The bytes of a file as {@link Person.share} makes it up. Also runs in the page: it uses nothing around it. */
export function bytesOf({ size, seed, head = '' }) {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed | 1;
  for (let at = 0; at < words.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  const bytes = new Uint8Array(words.buffer, 0, size);
  bytes.set(Uint8Array.from(atob(head), (letter) => letter.charCodeAt(0)).subarray(0, size));
  return bytes;
}

/** The CID in a link. */
export function cidOf(link) {
  return new URL(link).hash.slice('#/get/'.length).split('?')[0];
}

/** The SHA-256 of a file as {@link Person.share} makes it up. */
export async function expected(file) {
  const { createHash } = await import('node:crypto');
  return createHash('sha256').update(bytesOf(file)).digest('hex');
}
