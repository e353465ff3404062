// Blocks in files of this origin, by sync access handles, which only a worker has.

const FOLDER = 'bench';
const BLOCK_BYTES = 1 << 20;
let store = null;

const SHAPES = {
  /** One file for all blocks; where each is, is known here. */
  async pack(folder, flush) {
    const handle = await (await folder.getFileHandle('pack', { create: true })).createSyncAccessHandle();
    const places = new Map();
    return {
      write(blocks) {
        for (const [cid, bytes] of blocks) {
          const at = places.size * BLOCK_BYTES;
          handle.write(new Uint8Array(bytes), { at });
          places.set(cid, at);
        }
        if (flush) handle.flush();
      },
      read(cid) {
        const bytes = new Uint8Array(BLOCK_BYTES);
        handle.read(bytes, { at: places.get(cid) });
        return bytes.buffer;
      },
      close: () => handle.close(),
    };
  },
  /** A file for each block. */
  async files(folder, flush) {
    const open = async (cid) => (await folder.getFileHandle(cid, { create: true })).createSyncAccessHandle();
    return {
      async write(blocks) {
        for (const [cid, bytes] of blocks) {
          const handle = await open(cid);
          handle.write(new Uint8Array(bytes));
          if (flush) handle.flush();
          handle.close();
        }
      },
      async read(cid) {
        const handle = await open(cid);
        const bytes = new Uint8Array(handle.getSize());
        handle.read(bytes, { at: 0 });
        handle.close();
        return bytes.buffer;
      },
      close() {},
    };
  },
};

async function answer({ open, flush, write, read }) {
  const root = await navigator.storage.getDirectory();
  if (open) store = await SHAPES[open](await root.getDirectoryHandle(FOLDER, { create: true }), flush);
  else if (write) await store.write(write);
  else if (read) return store.read(read);
  else {
    store.close();
    await root.removeEntry(FOLDER, { recursive: true });
  }
  return null;
}

addEventListener('message', async ({ data }) => {
  try {
    const found = await answer(data);
    postMessage({ answer: found }, found ? [found] : []);
  } catch (error) {
    postMessage({ wrong: `${error.name}: ${error.message}` });
  }
});
