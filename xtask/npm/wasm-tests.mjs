// Runs one program of wasm-bindgen tests in one browser: `wasm-tests.mjs chromium|firefox FILE`.
//
// wasm-bindgen-test-runner serves the tests as a page; both browsers open it by puppeteer-core, the
// same way the end-to-end tests do, so no WebDriver of either browser is needed.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const FINISHED_WITHIN_MS = 180_000;
const BROWSERS = {
  chromium: { browser: "chrome", paths: ["/usr/bin/chromium", "/usr/bin/google-chrome"] },
  firefox: { browser: "firefox", paths: ["/usr/bin/firefox-esr", "/usr/bin/firefox"] },
};
const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
  "--mute-audio",
];

const [name, program] = process.argv.slice(2);
const { browser, paths } = BROWSERS[name];
const executablePath = paths.find(existsSync);
if (!executablePath) throw new Error(`no ${name} at ${paths.join(" or ")}`);
const require = createRequire(new URL("../../tests/package.json", import.meta.url));
const puppeteer = require("puppeteer-core");

const runner = spawn("wasm-bindgen-test-runner", [program], {
  env: {
    ...process.env,
    NO_HEADLESS: "1",
    WASM_BINDGEN_TEST_ADDRESS: "127.0.0.1:0",
    WASM_BINDGEN_TEST_ONLY_WEB: "1",
  },
  stdio: ["ignore", "pipe", "inherit"],
});
let opened;
try {
  const url = await address(runner);
  opened = await puppeteer.launch({
    browser,
    executablePath,
    headless: true,
    args: name === "chromium" ? CHROMIUM_FLAGS : [],
    extraPrefsFirefox: { "media.peerconnection.ice.loopback": true, "media.peerconnection.ice.obfuscate_host_addresses": false },
  });
  const page = await opened.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error}`));
  await page.goto(url);
  const done = await page
    .waitForFunction(
      () => /test result: /.test(document.getElementById("output")?.textContent ?? ""),
      { timeout: FINISHED_WITHIN_MS, polling: 200 },
    )
    .then(() => true, () => false);
  const output = await page.evaluate(() => document.getElementById("output")?.textContent ?? "");
  console.log(`${name}:\n${output.trim()}`);
  if (!done) console.error(`${name} did not finish within ${FINISHED_WITHIN_MS} ms`);
  if (!done || !/test result: ok/.test(output)) process.exitCode = 1;
} finally {
  await opened?.close();
  runner.kill();
}

/** Resolves to the address the runner says it serves at. */
function address(child) {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      const found = /https?:\/\/[^\s]+/.exec(line);
      if (found) resolve(found[0]);
      else if (line.trim()) console.log(line);
    });
    child.on("exit", (code) => reject(new Error(`the test runner ended with ${code}`)));
    child.on("error", reject);
  });
}
