// The gateway's own page as a test sees it: what it shows of a module, what it ever showed, and what axe says of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { kWatchdogMs, until } from './processes.mjs';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const kLooks = {
  light: { viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1440, height: 1100 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, colorScheme: 'light', hasTouch: true, isMobile: true },
};

// Keeps all that the bars, the phases and the notes of a page ever showed.
function record() {
  window.shown = { bars: {}, phases: {}, toasts: [], gone: [] };
  const note = (list, value) => { if (value && list.at(-1) !== value) list.push(value); };
  const look = () => {
    for (const row of document.querySelectorAll('.module')) {
      const { module: name, phase } = row.dataset;
      const bar = row.querySelector('[role=progressbar]');
      if (bar && !row.querySelector('.progress').hidden) note(window.shown.bars[name] ??= [], Number(bar.getAttribute('aria-valuenow')));
      note(window.shown.phases[name] ??= [], phase);
    }
    for (const toast of document.querySelectorAll('.toast')) note(window.shown.toasts, toast.textContent.trim());
    const gone = document.getElementById('gone');
    if (gone && !gone.hidden) note(window.shown.gone, gone.textContent.trim());
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

export class RackPage {
  // `results` keeps what goes wrong in any page.
  static async open(browser, look, url, results) {
    const context = await browser.newContext(kLooks[look]);
    context.setDefaultTimeout(kWatchdogMs);
    await context.addInitScript(record);
    await context.addInitScript({ content: axeSource });
    const rack = new RackPage(await context.newPage(), look, url, results);
    results.watch(rack.page);
    await rack.page.goto(url);
    return rack;
  }

  constructor(page, look, url, results) {
    Object.assign(this, { page, look, url, results });
  }

  go(hash) {
    return this.page.evaluate((to) => { location.hash = to; }, hash);
  }

  row(module) {
    return this.page.locator(`.module[data-module="${module}"]`);
  }

  get dialog() {
    return this.page.locator('dialog[open]').last();
  }

  shown(what) {
    return this.page.evaluate((key) => window.shown[key], what);
  }

  async shows(module, part, text) {
    await this.reads(this.row(module).locator(part), text, `${module} ${part}`);
  }

  async reads(locator, text, what) {
    let seen = '';
    const fits = (now) => (text instanceof RegExp ? text.test(now) : now === text);
    try {
      await until('', async () => fits(seen = ((await locator.textContent()) ?? '').trim()));
    } catch (error) {
      throw new Error(`${this.look}: ${what} never was "${text}", but "${seen}" (${error.message})`);
    }
  }

  async toast(fits) {
    return until(`a note ${fits}`, async () => (await this.shown('toasts')).find((text) => fits.test(text)));
  }

  // Enters the token, whoever asked for it.
  async logIn(token) {
    const field = this.page.locator('#token');
    await field.fill(token);
    await field.press('Enter');
  }

  // No rule of axe is broken, and nothing is wider than the page.
  async sound(where) {
    const { violations, wider } = await this.page.evaluate(async () => {
      // What is being drawn has another contrast for a moment.
      await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
      const result = await globalThis.axe.run(document, { resultTypes: ['violations'] });
      const short = (node) => `${node.html.slice(0, 200)}: ${node.failureSummary}`;
      return {
        violations: result.violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.slice(0, 3).map(short).join('\n  ')}`),
        wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      };
    });
    assert.deepEqual(violations, [], `axe, ${this.look}, ${where}`);
    assert.equal(wider, 0, `${this.look}, ${where}: the page can be scrolled sideways`);
    this.results.looked.push(`${this.look}: ${where}`);
  }
}
