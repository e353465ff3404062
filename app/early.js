// Before the first paint: the colours a person chose, and which page the boot screen stands in for.
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
})();
