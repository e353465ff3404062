// @ts-check
// The small readout over the video (`debug` attribute): for site owners and for us.

/** @typedef {import("../embed.js").Stats} Stats */

/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** What was earned. @param {import("../embed.js").Earned} earned */
function earnings({ units, paid, state }) {
  const star = (/** @type {number} */ count) => (count / 1e6).toFixed(6);
  return `earned    ${star(units)} STAR, ${star(paid)} paid${state === "on" ? "" : ` (${state})`}`;
}

/**
 * The readout's lines.
 * @param {Stats} stats
 */
export function lines(stats) {
  const { startupMs, stalls, stallMs, latencyS, error } = stats;
  return [
    `mode      ${stats.mode}${stats.peers ? `, ${stats.peers} of ${stats.swarmSize} peers` : ""}`,
    `http      ${megabytes(stats.httpBytes)}`,
    `peers     ${megabytes(stats.p2pBytes)} (${Math.floor(stats.offload * 100)} %)`,
    `cache     ${megabytes(stats.cacheBytes)}`,
    `upload    ${megabytes(stats.uploadBytes)}`,
    `startup   ${startupMs === null ? "…" : `${startupMs} ms`}`,
    `stalls    ${stalls} (${stallMs} ms)`,
    `level     ${stats.level}`,
    `checked   ${stats.integrity}`,
    ...(stats.earned ? [earnings(stats.earned)] : []),
    ...(latencyS === null ? [] : [`latency   ${latencyS.toFixed(1)} s`]),
    ...(error ? [`error     ${error.code}`] : []),
  ].join("\n");
}
