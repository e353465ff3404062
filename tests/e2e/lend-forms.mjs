// What tests of the markets' pages do with their forms, as a person does.

import { BLOCKS_MS, press, text } from './ledger-pages.mjs';
import { eventually } from './stage.mjs';

export const isOff = (page, selector) => page.evaluate((one) => document.querySelector(one).disabled, selector);

/** As a person does who is not sure of the first press. */
export const pressTwice = (page, selector) => page.evaluate((one) => {
  const button = document.querySelector(one);
  button.click();
  button.click();
}, selector);

/** Types in place of what stands there. */
export async function replace(page, selector, typed) {
  await page.focus(selector);
  await page.evaluate((one) => document.querySelector(one).select(), selector);
  await page.keyboard.type(typed);
}

/** Waits until a form may be signed. */
export const signable = (page) => eventually('it may be signed', async () => ({
  value: !(await isOff(page, '#act-sign')), seen: await text(page, '#act-problem'),
}));

/** Opens a form of a reserve as soon as its button is on. */
export async function begin(page, reserve, kind) {
  const button = `${reserve} [data-kind="${kind}"]`;
  await eventually(`${kind} is offered`, async () => {
    const seen = await text(page, `${reserve} .why`);
    const value = await page.evaluate((one) => document.querySelector(one)?.disabled === false, button);
    return { value, seen };
  }, BLOCKS_MS);
  await press(page, button);
  await page.waitForSelector('dialog[open] #act-units');
}

/** Types an amount; what the form says would come of it, by name: before and after. */
export async function tryOut(page, amount) {
  await page.type('#act-units', amount);
  await eventually('the form tells what would come of it', async () => {
    const seen = await text(page, '#act-told');
    return { value: /Fee/.test(seen), seen };
  });
  return bill(page, '#act-told');
}

/** The lines of what a form tells, by name: before and after; the same twice where nothing changes. */
export function bill(page, where) {
  return page.evaluate((one) =>
    Object.fromEntries([...document.querySelectorAll(`${one} .bill > div`)].map((row) => {
      const [was, becomes] = row.querySelector('dd').innerText.split('\u2192').map((part) => part.trim());
      return [row.querySelector('dt').innerText, { was, becomes: becomes ?? was }];
    })), where);
}
