import path from 'node:path';
import { launchChromium } from '../rig/browser.mjs';
import { startLowLatency } from '../rig/parts.mjs';
import { ensureMedia } from '../rig/media.mjs';
import { witnessConfig } from '../rig/starling.mjs';
import { openStage, Viewer } from './stage.mjs';
await ensureMedia('e2e-media');
const chromium = await launchChromium();
for (let turn = 0; turn < Number(process.argv[2] ?? 3); turn++) {
const stage = await openStage({ signed: false, config: witnessConfig });
const packager = await startLowLatency(path.join(stage.media, 'live'), { rendition: 'hi' });
try {
  const src = `${stage.origin.url}/stream/live/master.m3u8`;
  const first = await Viewer.open(chromium, stage, { src });
  await first.played(1);
  const second = await Viewer.open(chromium, stage, { src, hls: { debug: true } });
  await second.played(1);
  const client = await second.page.createCDPSession();
  await client.send('Emulation.setCPUThrottlingRate', { rate: Number(process.argv[3] ?? 1) });
  try { const s = await second.playsOn(8, 40000); console.log(turn, 'ok', s.video.at, s.stats.latencyS, s.stats.stalls, s.stats.stallMs); 
 
  }
  catch (e) { console.log(turn, String(e).slice(0, 200)); console.log(second.console.slice(-120).join('\n').slice(-14000));
   console.log(await second.page.evaluate(() => JSON.stringify(performance.getEntriesByType('resource').map((e) => [e.name.slice(-40), Math.round(e.startTime), Math.round(e.duration), e.responseStatus]).slice(-25))));
   break; }
} finally { await packager.close(); await stage.close(); }
}
await chromium.close();
process.exit(0);
