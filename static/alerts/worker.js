// @ts-check
// Shows what the server says while no page is open: that health in a market of the ledger fell. What comes is numbers
// (`docs/spec/push.md`, "Messages"), sealed for this browser; the words are here. Nothing of it is proved: a page does
// that, and a press on the notification opens it. Why so: `docs/adr/0064-web-push.md`.
//
// Its scope is its folder, in which there is no page: it hears of no request.

/** @type {any} */
const worker = self;

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (/** @type {any} */ event) => event.waitUntil(show(event.data)));
worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(openLend(event.notification.data));
});

/**
 * What is told. A message that is not understood is shown too: browsers end subscriptions of those who show nothing.
 * @param {any} data
 */
async function show(data) {
  const { title, body, market } = words(read(data));
  await worker.registration.showNotification(title, {
    body,
    // As the page tells it (`app/src/routes/lend/alert.rs`): the later of the two takes the place of the other.
    tag: `starling-health-${market ?? "on"}`,
    renotify: true,
    icon: "/icons/starling-192.png",
    data: { market },
  });
}

/**
 * @param {any} data
 * @returns {any}
 */
function read(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

/**
 * @param {any} message
 * @returns {{ title: string, body: string, market?: number }}
 */
function words({ kind, account, limit, market, health }) {
  const whose = `Account ${String(account).slice(0, 4)}\u00a0${String(account).slice(4, 8)}`;
  const unproved = "The server says so; open the page to check it.";
  if (kind === "on") {
    return { title: "Alerts are on", body: `${whose}: this browser is told when health falls under ${limit}, with the page closed too.` };
  }
  if (!Number.isInteger(market)) return { title: "Starling", body: "Open the page to see how your markets are." };
  if (kind === "seizable") {
    return { title: "Health is under 1", body: `${whose}, market ${market}: health is ${health}, anybody may liquidate it now. ${unproved}`, market };
  }
  return { title: "Health is low", body: `${whose}, market ${market}: health is ${health}, under your limit of ${limit}. ${unproved}`, market };
}

/**
 * The Lend page: one that is open, or a new one.
 * @param {any} data
 */
async function openLend(data) {
  const market = data?.market;
  const url = Number.isInteger(market) ? `/lend?market=${market}` : "/lend";
  const all = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const lend = all.find((/** @type {any} */ client) => new URL(client.url).pathname === "/lend");
  if (lend) return lend.focus();
  return worker.clients.openWindow(url);
}
