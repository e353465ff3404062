// Starling added to a player of hls.js by `attach`, for any rig. `bench.html` is opened with `src` (the playlist),
// `signal` or else `tracker` (WebSocket URL of the signaling; without both, `/signal` on the host of this file) and `v`
// (the viewer's name, for the rig alone). Counters are in `window.__stats`.
import { attach, loadHls } from "./embed.js";

const query = new URLSearchParams(location.search);
const video = document.getElementById("video");
const stats = (window.__stats = {
  httpBytes: 0, p2pBytes: 0, startupMs: null, stalls: 0, stallMs: 0, latencyS: 0, pos: 0, peers: 0, upBytes: 0,
});
const Hls = await loadHls();
const hls = new Hls();
const signalUrl = query.get("signal") || query.get("tracker") || undefined;
const attachment = await attach(hls, { signalUrl, integrity: "best" });
hls.loadSource(query.get("src"));
hls.attachMedia(video);
setInterval(() => {
  const { uploadBytes, latencyS, ...rest } = attachment.stats;
  Object.assign(stats, rest, { upBytes: uploadBytes, latencyS: latencyS ?? 0, pos: video.currentTime });
}, 500);
