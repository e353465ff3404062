// @ts-check
// Takes what another app of this device shares with the installed page. The system posts a form to
// `/share-target/`; this answers it, so that nothing of it is sent anywhere, keeps the files in a cache of this origin,
// and shows the Share page, which takes them out (`app/src/picked.rs`).
//
// Its scope is its folder: it hears of no other request.

/** @type {any} */
const worker = self;

const FOLDER = "/share-target/";
const CACHE = "starling-shared";

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "POST" || url.pathname !== FOLDER) return;
  event.respondWith(take(event.request));
});

/**
 * Keeps the files of a form. What an earlier one left, nobody took: it goes.
 * @param {Request} request
 */
async function take(request) {
  await caches.delete(CACHE);
  try {
    const files = (await request.formData()).getAll("files").filter((file) => file instanceof File);
    const cache = await caches.open(CACHE);
    for (const [at, file] of files.entries()) {
      const { name, type } = /** @type {File} */ (file);
      const headers = { "content-type": type || "application/octet-stream" };
      await cache.put(`${FOLDER}${at}/${encodeURIComponent(name)}`, new Response(file, { headers }));
    }
    return Response.redirect("/share", 303);
  } catch (error) {
    await caches.delete(CACHE);
    const wrong = error instanceof DOMException && error.name === "QuotaExceededError" ? "full" : "unreadable";
    return Response.redirect(`/share?shared=${wrong}`, 303);
  }
}
