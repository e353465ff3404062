// Starts the browsers, with what tests need and nothing that calls home.

import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import puppeteer from 'puppeteer-core';

/** Chromium's program. */
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Firefox's program. */
export const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

const CHROMIUM_FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--mute-audio',
  // Host candidates carry addresses, as they do between peers that gave camera permission or on a public address.
  '--disable-features=WebRtcHideLocalIpsWithMdns,Translate,OptimizationHints',
];
/** Every tab of a many-tab run is in front, as each would be on a machine of its own. */
const ALL_IN_FRONT_FLAGS = [
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
];
const FIREFOX_PREFERENCES = {
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

/** A headless Chromium. `allInFront`: no tab is throttled for being in the background; `executablePath`: what starts it. */
export async function launchChromium({ allInFront = true, flags = [], executablePath = CHROMIUM } = {}) {
  return puppeteer.launch({
    browser: 'chrome',
    executablePath,
    headless: true,
    pipe: true,
    protocolTimeout: 60_000,
    // Ours decide: puppeteer's own defaults would switch off background throttling unasked.
    ignoreDefaultArgs: ALL_IN_FRONT_FLAGS,
    args: [...CHROMIUM_FLAGS, ...(allInFront ? ALL_IN_FRONT_FLAGS : []), ...flags],
    defaultViewport: { width: 320, height: 240 },
  });
}

/**
 * A headless Firefox, driven by WebDriver BiDi. `executablePath`: what starts it; `port`: where it is driven, by default
 * any free one; `preferences`: more of them.
 */
export async function launchFirefox({ executablePath = FIREFOX, port, preferences = {} } = {}) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    debuggingPort: port,
    protocolTimeout: 60_000,
    extraPrefsFirefox: { ...FIREFOX_PREFERENCES, ...preferences },
    defaultViewport: { width: 1024, height: 768 },
  });
}

/** What is installed, for reports. */
export async function versions() {
  const first = async (command, ...args) => {
    const { stdout } = await promisify(execFile)(command, args);
    return stdout.trim().split('\n')[0];
  };
  return { chromium: await first(CHROMIUM, '--version'), firefox: await first(FIREFOX, '--version'), node: process.version };
}

/** A folder that is gone when the process ends well. */
export async function temporaryFolder(name) {
  return fs.mkdtemp(path.join(os.tmpdir(), `starling-${name}-`));
}
