// In debug bundles only: reloads the page when the build's number changes. While the server restarts
// there is no number, and nothing happens.
const number = async () => {
  try {
    const response = await fetch("/dev-build.txt", { cache: "no-store" });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
};
const loaded = await number();
setInterval(async () => {
  const now = await number();
  if (now !== null && loaded !== null && now !== loaded) location.reload();
}, 1000);
