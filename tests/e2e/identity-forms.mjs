// What tests of identities do on the page: make one, register its name, and fill in forms.

import { BLOCKS_MS, press, until } from './ledger-pages.mjs';
import { eventually } from './stage.mjs';

/** What opens an identity that {@link make} made. */
export const PASSWORD = 'correct horse battery';

/** Makes an identity: words written down and entered again, a password. Gives the words and the `did:key`. */
export async function make(page) {
  await press(page, '#identity-create');
  await until(page, 'words are next', /Write down 24 words/);
  await press(page, '#words-show');
  await until(page, 'the words are shown', /\w/, '#words-list');
  const words = await page.evaluate(() => [...document.querySelectorAll('#words-list li')].map((one) => one.textContent.trim()));
  await press(page, '#words-hide');
  await put(page, '#words-again', words.join(' '));
  await enabled(page, '#words-confirm');
  await press(page, '#words-confirm');
  await until(page, 'a daily way is next', /A way for every day/);
  await setPassword(page, PASSWORD);
  return { words, did: await didOf(page) };
}

export async function setPassword(page, password) {
  await put(page, '#password-one', password);
  await put(page, '#password-two', password);
  await press(page, '#password-set');
  await until(page, 'it is kept and open', /Keys and devices/);
}

/** Registers the name; gives it. */
export async function register(page) {
  await until(page, 'that there is none is proved', /Not registered: proved at block \d+/, '#did-state');
  await enabled(page, '#did-register');
  await press(page, '#did-register');
  await until(page, 'the name is proved', /Version 0, proved at block \d+/, '#did-state');
  return eventually('the name is shown', async () => {
    const seen = await page.evaluate(() => [...document.querySelectorAll('.copy-text')].map((one) => one.innerText.trim()));
    return { value: seen.find((one) => one.startsWith('did:starling:')), seen };
  });
}

/** 10 STAR of the faucet. */
export async function fund(page) {
  await until(page, 'the wallet is open', /Proved at block/);
  await press(page, '#faucet');
  await until(page, 'the gift is proved', /10\.00\s*STAR/);
}

export const didOf = async (page) => {
  const seen = await page.evaluate(() => [...document.querySelectorAll('.copy-text')].map((one) => one.innerText.trim()));
  return seen.find((one) => one.startsWith('did:key:'));
};

/** Puts a text into a field, in place of what is there. */
export const put = (page, selector, value) =>
  page.evaluate((one, text) => {
    const field = document.querySelector(one);
    const folded = field.closest('details');
    if (folded) folded.open = true;
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }, selector, value);

/** Waits until a button can be pressed. */
export const enabled = (page, selector) =>
  eventually(`${selector} can be pressed`, async () => {
    const value = await page.evaluate((one) => document.querySelector(one)?.disabled === false, selector);
    return { value, seen: value };
  }, BLOCKS_MS);
