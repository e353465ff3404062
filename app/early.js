// Before the first paint: the colours a person chose, and which page the boot screen stands in for. And who asks again
// for what does not arrive.
(() => {
  const root = document.documentElement;
  try {
    root.dataset.theme = localStorage.getItem("starling.theme") ?? "system";
  } catch {
    // Storage forbidden: as the system says.
  }
  // The browser's bar follows the page, not the system (the same colours are in `browser.rs`).
  const bar = { light: "#fafaf8", dark: "#0d1012" }[root.dataset.theme];
  if (bar) for (const meta of document.querySelectorAll("meta[name=theme-color]")) meta.content = bar;
  const shared = location.hash.startsWith("#/get/");
  root.dataset.boot = (!shared && { "/": "home", "/watch": "watch" }[location.pathname]) || "plain";

  // A network that changes while the page comes ends all that is under way, scripts and styles too. Another address, or
  // a browser remembers that the module failed.
  const WAITS_MS = [300, 1000, 3000];
  const tries = new Map();
  const again = ({ target }) => {
    const name = { SCRIPT: "src", LINK: "href" }[target.tagName];
    if (!name || (name === "href" && target.rel !== "stylesheet")) return;
    const url = new URL(target[name]);
    const count = tries.get(url.pathname) ?? 0;
    if (url.origin !== location.origin || count >= WAITS_MS.length) return;
    tries.set(url.pathname, count + 1);
    url.searchParams.set("again", count + 1);
    setTimeout(() => {
      const another = document.createElement(target.localName);
      for (const each of target.attributes) another.setAttribute(each.name, each.value);
      another.setAttribute(name, url.href);
      target.replaceWith(another);
    }, WAITS_MS[count]);
  };
  addEventListener("error", again, true);
})();
