// Before the first paint: the colours a person chose, and which page the boot screen stands in for.
(() => {
  const root = document.documentElement;
  try {
    root.dataset.theme = localStorage.getItem("starling.theme") ?? "system";
  } catch {
    // Storage forbidden: as the system says.
  }
  const shared = location.hash.startsWith("#/get/");
  root.dataset.boot = (!shared && { "/": "home", "/watch": "watch" }[location.pathname]) || "plain";
})();
