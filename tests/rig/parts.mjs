// A low-latency live stream (draft-pantos-hls-rfc8216bis): segments that are listed part by part as they are made.

import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ensureMedia, masterPlaylist, segmentSeconds } from './media.mjs';

const RECIPE = 'e2e-media';
const PART_SECONDS = 0.5;
/** Segments in the playlist whole; of the newest three, the parts are listed too. */
const WINDOW = 8;
const WITH_PARTS = 3;
/** When the recording is said to have begun. */
const BEGAN_MS = Date.UTC(2026, 0, 1);

/**
 * Starts packaging the picture of `rendition` into `target`: a part each half second, until the recording ends.
 * Parts are files of their own, so that who asked for one can be told from who asked for its segment.
 */
export async function startLowLatency(target, { rendition }) {
  const source = await ensureMedia(RECIPE);
  const folder = path.join(target, rendition);
  await fs.rm(target, { recursive: true, force: true });
  await fs.mkdir(folder, { recursive: true });
  await promisify(execFile)('ffmpeg', [
    '-v', 'error', '-allowed_extensions', 'ALL', '-i', path.join(source, rendition, 'index.m3u8'), '-map', '0:v', '-c', 'copy',
    '-f', 'dash', '-seg_duration', String(segmentSeconds(RECIPE)), '-frag_type', 'duration', '-frag_duration', String(PART_SECONDS),
    '-use_template', '1', '-use_timeline', '0', '-init_seg_name', 'init.mp4', '-media_seg_name', 'made$Number%03d$.m4s', path.join(folder, 'made.mpd'),
  ]);
  const made = (await fs.readdir(folder)).filter((name) => /^made\d+\.m4s$/.test(name)).sort();
  const segments = await Promise.all(made.map(async (name) => chunks(await fs.readFile(path.join(folder, name)))));
  let parts = 0;
  const total = segments.reduce((sum, { length }) => sum + length, 0);
  let encoder = 's';
  const advance = async () => {
    if (parts >= total) return;
    parts += 1;
    await reveal(folder, segments, parts, encoder);
  };
  const behind = segments.slice(0, WINDOW).reduce((sum, { length }) => sum + length, 0);
  while (parts < behind) await advance();
  const master = masterPlaylist(RECIPE, [rendition]).replace(',mp4a.40.2', '');
  await fs.writeFile(path.join(target, 'master.m3u8'), master);
  const timer = setInterval(advance, PART_SECONDS * 1000);
  return {
    /** The encoder is started anew: it goes on, and calls what it has made and will make by other names. */
    restart: async () => {
      const made = (await fs.readdir(folder)).filter((name) => /^s\d+(\.\d+)?\.m4s$/.test(name));
      await Promise.all(made.map((name) => fs.copyFile(path.join(folder, name), path.join(folder, `r${name.slice(1)}`))));
      encoder = 'r';
    },
    close: async () => clearInterval(timer),
  };
}

/** Puts the files of the first `count` parts there, then the playlist that lists them. */
async function reveal(folder, segments, count, encoder) {
  const lists = [];
  let left = count;
  for (const [number, parts] of segments.entries()) {
    if (left === 0) break;
    const here = parts.slice(0, left);
    left -= here.length;
    const name = (part) => `${encoder}${number}.${part}.m4s`;
    const last = here.length - 1;
    if (left === 0) await fs.writeFile(path.join(folder, name(last)), here[last]);
    const isWhole = here.length === parts.length;
    if (left === 0 && isWhole) await fs.writeFile(path.join(folder, `${encoder}${number}.m4s`), Buffer.concat(parts));
    const lines = here.map((_, part) => `#EXT-X-PART:DURATION=${PART_SECONDS},URI="${name(part)}"${part === 0 ? ',INDEPENDENT=YES' : ''}`);
    lists.push({ number, lines, whole: isWhole ? [`#EXTINF:${segmentSeconds(RECIPE)},`, `${encoder}${number}.m4s`] : [] });
  }
  const shown = lists.slice(-WINDOW - 1);
  const text = [
    '#EXTM3U', '#EXT-X-VERSION:9', `#EXT-X-TARGETDURATION:${segmentSeconds(RECIPE)}`, `#EXT-X-PART-INF:PART-TARGET=${PART_SECONDS}`,
    `#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=${PART_SECONDS * 3}`, `#EXT-X-MEDIA-SEQUENCE:${shown[0].number}`, '#EXT-X-MAP:URI="init.mp4"',
    ...shown.flatMap(({ number, lines, whole }, place) => [madeAt(number), ...(place >= shown.length - WITH_PARTS ? lines : []), ...whole]),
  ];
  // A list that ends with a whole segment, and says nothing of the next, is taken for a list that contradicts itself
  // by hls.js 1.7.4.
  if (shown.at(-1).whole.length > 0) text.push(madeAt(shown.at(-1).number + 1));
  const file = path.join(folder, 'index.m3u8');
  await fs.writeFile(`${file}.new`, `${text.join('\n')}\n`);
  await fs.rename(`${file}.new`, file);
}

function madeAt(number) {
  return `#EXT-X-PROGRAM-DATE-TIME:${new Date(BEGAN_MS + number * segmentSeconds(RECIPE) * 1000).toISOString()}`;
}

/** The chunks of a fragmented MP4 (ISO/IEC 14496-12): each ends with its `mdat`. */
function chunks(file) {
  const found = [];
  let start = 0;
  for (let at = 0; at < file.length; ) {
    const kind = file.toString('latin1', at + 4, at + 8);
    at += file.readUInt32BE(at);
    if (kind !== 'mdat') continue;
    found.push(file.subarray(start, at));
    start = at;
  }
  return found;
}
