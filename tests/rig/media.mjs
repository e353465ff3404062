// Test media, made once by ffmpeg and kept in the cache folder.
//
// Small noisy pictures: the bitrate is that of real video while decoding costs next to nothing, so that eight
// viewers fit on a small machine and the network is what is measured.

import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = path.join(os.homedir(), '.cache', 'starling');

/** What can be made: lengths in seconds, rates in kbit/s. */
const RECIPES = {
  'bench-media': {
    seconds: 180,
    segmentSeconds: 4,
    renditions: [
      { name: 'lo', kbps: 870, noise: 40, codecs: 'avc1.42c00d,mp4a.40.2' },
      { name: 'hi', kbps: 2600, noise: 60, codecs: 'avc1.42c015,mp4a.40.2' },
    ],
  },
  'e2e-media': {
    seconds: 90,
    segmentSeconds: 2,
    renditions: [
      { name: 'lo', kbps: 250, noise: 20, codecs: 'avc1.42c00d,mp4a.40.2' },
      { name: 'hi', kbps: 800, noise: 40, codecs: 'avc1.42c00d,mp4a.40.2' },
    ],
  },
};
const FRAMES_PER_SECOND = 12;
const AUDIO_KBPS = 64;
const SIZE = '320x180';

/** Makes the media of a recipe unless they are there; resolves to their folder: `<rendition>/s000.m4s`, … */
export async function ensureMedia(recipeName) {
  const recipe = RECIPES[recipeName];
  const folder = path.join(CACHE, recipeName, 'segments');
  if (await exists(path.join(folder, 'made'))) return folder;
  await fs.rm(folder, { recursive: true, force: true });
  for (const rendition of recipe.renditions) await encode(path.join(folder, rendition.name), recipe, rendition);
  await fs.writeFile(path.join(folder, 'made'), '');
  return folder;
}

async function encode(folder, recipe, { kbps, noise }) {
  await fs.mkdir(folder, { recursive: true });
  const gop = String(FRAMES_PER_SECOND * recipe.segmentSeconds);
  const video = kbps - AUDIO_KBPS;
  const picture = `testsrc2=size=${SIZE}:rate=${FRAMES_PER_SECOND}:duration=${recipe.seconds},noise=alls=${noise}:allf=t`;
  const sound = `sine=frequency=440:sample_rate=48000:duration=${recipe.seconds}`;
  await run('ffmpeg', [
    '-y', '-v', 'error', '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'fastdecode', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p',
    '-b:v', `${video}k`, '-minrate', `${video}k`, '-maxrate', `${video}k`, '-bufsize', `${video}k`,
    '-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-flags', '+cgop',
    '-c:a', 'aac', '-b:a', `${AUDIO_KBPS}k`, '-ac', '2',
    '-f', 'hls', '-hls_time', String(recipe.segmentSeconds), '-hls_list_size', '0', '-hls_playlist_type', 'vod',
    '-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init.mp4',
    '-hls_segment_filename', path.join(folder, 's%03d.m4s'), path.join(folder, 'index.m3u8'),
  ]);
}

/** Names of the segments of a rendition, in order. */
export async function segmentNames(folder, rendition) {
  const names = await fs.readdir(path.join(folder, rendition));
  return names.filter((name) => name.endsWith('.m4s')).sort();
}

/**
 * Lays out a stream of the first `segments` segments at `target`: hard links, and playlists of our own.
 * `renditions` names those in the multivariant playlist, in its order. Resolves to the bytes of each rendition.
 */
export async function layOut(recipeName, target, { segments, renditions }) {
  const source = await ensureMedia(recipeName);
  await fs.rm(target, { recursive: true, force: true });
  const sizes = {};
  for (const rendition of renditions) {
    const names = (await segmentNames(source, rendition)).slice(0, segments);
    sizes[rendition] = 0;
    await fs.mkdir(path.join(target, rendition), { recursive: true });
    for (const name of ['init.mp4', ...names]) {
      await fs.link(path.join(source, rendition, name), path.join(target, rendition, name));
      sizes[rendition] += (await fs.stat(path.join(source, rendition, name))).size;
    }
    await fs.writeFile(path.join(target, rendition, 'index.m3u8'), mediaPlaylist(recipeName, { first: 0, names, ended: true }));
  }
  await fs.writeFile(path.join(target, 'master.m3u8'), masterPlaylist(recipeName, renditions));
  return sizes;
}

/** The multivariant playlist of some renditions of a recipe. */
export function masterPlaylist(recipeName, renditions) {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
  for (const name of renditions) {
    const { kbps, codecs } = RECIPES[recipeName].renditions.find((each) => each.name === name);
    const peak = Math.round(kbps * 1100);
    lines.push(
      `#EXT-X-STREAM-INF:BANDWIDTH=${peak},AVERAGE-BANDWIDTH=${kbps * 1000},RESOLUTION=${SIZE},FRAME-RATE=${FRAMES_PER_SECOND},CODECS="${codecs}"`,
      `${name}/index.m3u8`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** A media playlist of `names`, the first of which has media sequence number `first`. */
export function mediaPlaylist(recipeName, { first, names, ended, startedAtMs }) {
  const seconds = RECIPES[recipeName].segmentSeconds;
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${seconds}`, `#EXT-X-MEDIA-SEQUENCE:${first}`];
  if (ended) lines.push('#EXT-X-PLAYLIST-TYPE:VOD');
  lines.push('#EXT-X-MAP:URI="init.mp4"');
  names.forEach((name, position) => {
    if (startedAtMs !== undefined) {
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(startedAtMs + (first + position) * seconds * 1000).toISOString()}`);
    }
    lines.push(`#EXTINF:${seconds.toFixed(6)},`, name);
  });
  if (ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/** Seconds of one segment of a recipe. */
export function segmentSeconds(recipeName) {
  return RECIPES[recipeName].segmentSeconds;
}

async function exists(file) {
  return fs.access(file).then(() => true, () => false);
}
