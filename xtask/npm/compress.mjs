// Compresses files by brotli at its best quality. Reads `from<tab>to` lines on standard input.
// A result is renamed into place: an interrupted run leaves no half file behind.
import { readFile, rename, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const compress = promisify(brotliCompress);
const lines = (await text(process.stdin)).split("\n").filter(Boolean);
await Promise.all(
  lines.map(async (line) => {
    const [from, to] = line.split("\t");
    const bytes = await readFile(from);
    const compressed = await compress(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    });
    const part = `${to}.${process.pid}.part`;
    await writeFile(part, compressed);
    await rename(part, to);
  }),
);
