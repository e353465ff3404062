// What people do on the pages Energy and Community, in their tabs.

import { BLOCKS_MS, press, text, until } from './ledger-pages.mjs';
import { eventually } from './stage.mjs';

export const SLOT_S = 900;

/** Opens tabs with ten units of the ledger's own asset, on the page of energy. */
export const householdOf = (visit) => async () => {
  const page = await visit('/wallet');
  await until(page, 'the wallet is open', /Proved at block/);
  await press(page, '#faucet');
  await until(page, 'the gift is proved', /10\.00\s*STAR/);
  await press(page, '.heading a[href="/energy"]');
  await until(page, 'the page is there', /What I did here/);
  return page;
};
export const isOff = (page, selector) => page.evaluate((one) => document.querySelector(one)?.disabled !== false, selector);
/** Presses a button as soon as it is on, and signs what the dialog shows; what that was. */
export const sign = async (page, button) => {
  await eventually(`${button} is on`, async () => ({ value: !(await isOff(page, button)), seen: await text(page, '#deeds') }), BLOCKS_MS);
  await press(page, button);
  await page.waitForSelector('dialog[open] #sure-sign');
  await eventually('it may be signed', async () => ({ value: !(await isOff(page, '#sure-sign')), seen: await text(page, 'dialog[open]') }), BLOCKS_MS);
  const told = await text(page, '#sure-bill');
  await press(page, '#sure-sign');
  await page.waitForSelector('dialog[open]', { hidden: true });
  return told;
};

/** Waits for what the row of a slot says. */
export const rowSays = (page, card, slot, wanted) => onItsDay(page, card, slot, wanted, `${card} [data-slot="${slot}"]`);
/** Waits for what a card says of the day of a slot: by the community's clock midnight may come at any time. */
export const onItsDay = async (page, card, slot, wanted, selector) => {
  const date = await page.evaluate((ms) => new Date(ms).toLocaleDateString('sv'), slot * SLOT_S * 1000);
  await eventually(`${selector} tells of slot ${slot}`, async () => {
    const [shown] = (await text(page, `${card} h2`)).match(/\d{4}-\d\d-\d\d/) ?? [''];
    if (shown > date) await press(page, `${card} [data-do="day-before"]`);
    await page.evaluate((one) => document.querySelector(`${one} details.slots`)?.setAttribute('open', ''), card);
    const seen = await text(page, selector);
    return { value: shown === date && wanted.test(seen), seen: { shown, seen } };
  }, BLOCKS_MS);
};

/** Types into a field, or chooses. */
export const put = (page, selector, value) => page.evaluate((one, typed) => {
  const field = document.querySelector(one);
  field.value = typed;
  field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
}, selector, value);
/** Chooses a slot of mine, whose reading can be typed then. */
export const choose = async (page, slot) => {
  await rowSays(page, '#day', slot, /./);
  await press(page, `#day [data-slot="${slot}"] button`);
  await page.waitForSelector(`#correct[data-slot="${slot}"]`);
};
