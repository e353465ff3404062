// @ts-check
// Which number a rendition has in the swarm: its place in the multivariant playlist. hls.js sorts and
// filters its levels, so the place is looked up by URL.

/** Number of the first audio rendition; below are the variants. */
const AUDIO_FIRST = 32;
/** One past the last number a track can have. */
const TRACKS_MAX = 64;

/** Track numbers by playlist URL. */
export class Tracks {
  /** @type {Map<string, number>} */ #numbers = new Map();

  /**
   * Reads the order from hls.js's `MANIFEST_LOADED`, whose lists are still in the playlist's order.
   * @param {{levels: {url: string}[], audioTracks?: {url: string}[]}} manifest
   */
  setManifest({ levels, audioTracks }) {
    this.#numbers.clear();
    this.#add(levels, 0, AUDIO_FIRST);
    this.#add(audioTracks ?? [], AUDIO_FIRST, TRACKS_MAX);
  }

  /**
   * Reads the order from the text of a multivariant playlist, for players that loaded it earlier.
   * @param {string} text
   * @param {string} url where it was loaded from
   */
  setText(text, url) {
    const levels = [];
    const audioTracks = [];
    let isVariant = false;
    for (const line of text.split(/\r?\n/)) {
      const uri = /^#EXT-X-MEDIA:.*TYPE=AUDIO.*[:,]URI="([^"]+)"/.exec(line)?.[1];
      if (uri) audioTracks.push({ url: new URL(uri, url).href });
      else if (line.startsWith("#EXT-X-STREAM-INF:")) isVariant = true;
      else if (isVariant && line.trim() && !line.startsWith("#")) {
        levels.push({ url: new URL(line.trim(), url).href });
        isVariant = false;
      }
    }
    // A media playlist alone is track 0.
    this.setManifest({ levels: levels.length ? levels : [{ url }], audioTracks });
  }

  /**
   * The number of the rendition with one of these playlist URLs, if the swarm can carry it.
   * @param {string | string[] | undefined} urls
   * @returns {number | undefined}
   */
  of(urls) {
    for (const url of [urls ?? []].flat()) {
      const number = this.#numbers.get(url);
      if (number !== undefined) return number;
    }
    return undefined;
  }

  /**
   * @param {{url: string}[]} entries
   * @param {number} next
   * @param {number} end
   */
  #add(entries, next, end) {
    for (const { url } of entries) {
      if (url && next < end && !this.#numbers.has(url)) this.#numbers.set(url, next++);
    }
  }
}
