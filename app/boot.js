// Starts the app. A file of its own, so that the page needs no inline script. Where the app cannot
// start (no WebAssembly, a file that does not arrive), the player alone still plays.

/** Waits before files that did not arrive are asked for again, in milliseconds. */
const AGAIN_MS = [300, 1000, 3000];
/** How long a page is up before it is kept on this device, in milliseconds: what a visit needs comes first. */
const KEEP_AFTER_MS = 10_000;

const [script, wasm] = document.querySelector('meta[name="starling-app"]').content.split(" ");

try {
  await start(AGAIN_MS);
  setTimeout(() => (window.requestIdleCallback ?? setTimeout)(keepPage), KEEP_AFTER_MS);
  // A person who had forgotten it wants it again.
  addEventListener("starling-keep", keepPage);
} catch (error) {
  console.error("starling: the page could not start", error);
  playAlone();
}

receiveFromDevice();

// Another Wi-Fi, a phone that leaves the house: a network that changes ends all that is under way, and the next try
// succeeds. Errors of other kinds would come again.
async function start([wait, ...later]) {
  try {
    const { default: run } = await import(script);
    await run({ module_or_path: wasm });
  } catch (error) {
    if (!wait || !(error instanceof TypeError)) throw error;
    await new Promise((passed) => setTimeout(passed, wait));
    await start(later);
  }
}

// Once installed, the page is among those that a phone offers to share with. The system's request must find the worker
// that answers it, or it would go to the server.
function receiveFromDevice() {
  const register = () => navigator.serviceWorker?.register("/share-target/worker.js").catch(() => {});
  if (location.pathname === "/share" || matchMedia("(display-mode: standalone)").matches) register();
  else addEventListener("appinstalled", register);
}

// A page that was open opens again while its host is down: `static/kept.js` keeps it. Nothing is fetched for that where
// the connection is metered, or where a person said no.
async function keepPage() {
  try {
    const { saveData, type } = navigator.connection ?? {};
    const version = document.querySelector('meta[name="starling-version"]')?.content;
    if (!version || saveData || type === "cellular" || localStorage.getItem("starling.keep-page") === "no") return;
    // Not `ready`: where it was forgotten, that is the one of before.
    const { active, waiting, installing } = await navigator.serviceWorker.register("/kept.js");
    const worker = active ?? waiting ?? installing;
    while (worker.state !== "activated") await new Promise((passed) => (worker.onstatechange = passed));
    worker.postMessage({ keep: version });
  } catch {
    // Not by plain HTTP, nor in some private windows: there the page comes from its host alone.
  }
}

function playAlone() {
  const screen = document.querySelector("#boot .screen");
  const note = document.getElementById("boot-failed");
  if (!screen || !note) return;
  note.hidden = false;
  note.querySelector("button").addEventListener("click", () => location.reload());
  const player = document.createElement("starling-player");
  for (const name of ["controls", "autoplay", "muted", "playsinline"]) player.setAttribute(name, "");
  player.setAttribute("src", new URLSearchParams(location.search).get("src") ?? "/media/master.m3u8");
  screen.append(player);
}
