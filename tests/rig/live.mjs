// A live stream from recorded segments: a packager's folder, with a window that slides in real time.

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { ensureMedia, masterPlaylist, mediaPlaylist, segmentNames, segmentSeconds } from './media.mjs';

/** Segments kept on disk behind the window, for viewers that read an older playlist. */
const KEPT_BEHIND = 3;

/**
 * Starts packaging `rendition` of a recipe into `target`. The window is full from the start; a segment appears
 * every segment length, until the recording ends. Resolves once the first playlist is written.
 */
export async function startLive(recipeName, target, { rendition, windowSegments }) {
  const source = await ensureMedia(recipeName);
  const names = await segmentNames(source, rendition);
  const lengthMs = segmentSeconds(recipeName) * 1000;
  const folder = path.join(target, rendition);
  await fs.rm(target, { recursive: true, force: true });
  await fs.mkdir(folder, { recursive: true });
  const startedAtMs = Date.now() - windowSegments * lengthMs;
  await fs.link(path.join(source, rendition, 'init.mp4'), path.join(folder, 'init.mp4'));
  let count = 0;
  const append = async () => {
    await fs.link(path.join(source, rendition, names[count]), path.join(folder, names[count]));
    count += 1;
    const gone = count - windowSegments - KEPT_BEHIND - 1;
    if (gone >= 0) await fs.rm(path.join(folder, names[gone]), { force: true });
  };
  const publish = async () => {
    const first = Math.max(0, count - windowSegments);
    await replace(path.join(folder, 'index.m3u8'), mediaPlaylist(recipeName, { first, names: names.slice(first, count), ended: false, startedAtMs }));
  };
  while (count < windowSegments) await append();
  await publish();
  await replace(path.join(target, 'master.m3u8'), masterPlaylist(recipeName, [rendition]));
  const timer = setInterval(async () => {
    if (count >= names.length) return;
    await append();
    await publish();
  }, lengthMs);
  return { count: () => count, close: async () => clearInterval(timer) };
}

/** Writes a file so that a reader sees the old or the new one, never half. */
async function replace(file, text) {
  await fs.writeFile(`${file}.new`, text);
  await fs.rename(`${file}.new`, file);
}
