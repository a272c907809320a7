// The Node-RED flow in a real browser, over a real broker, gateway and rack:  node nodered.mjs DIRECTORY_OF_THE_PROGRAMS
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { Fleet, kRoot, kVersions } from './fleet.mjs';
import { Processes, environment, kWatchdogMs, until } from './processes.mjs';

const kModules = 12;
const kFails = 'uc20-3';     // HTTPEND,716 to its first command
const kHostile = 'uc20-7';   // its version is HTML
const kSlow = 'uc20-11';   // its first download takes three minutes
const kMarkup = "<img/src='x'/onerror=alert(1)>";
const kFormula = 'uc20-8';   // comes back with a version that is a formula of spreadsheets
const kLimitMs = 840000;     // for all of it, less than ctest's
const kSum = "=1+cmd|'/c'!A1";
const kNames = Array.from({ length: kModules }, (_, i) => `uc20-${i}`);
const kGood = kNames.filter((name) => ![kFails, kHostile, kFormula, kSlow].includes(name));
const kFaults = ['all:client=slow:100000', 'm3:httpend=716,once', `m7:version=${kMarkup}`, `m8:wrong-version=${kSum}`, 'm11:client=slow:3000,once'];

const source = fileURLToPath(new URL('../..', import.meta.url));
const say = (text) => console.log(`== ${text}`);

// The flow that is shipped is what its sources say.
function checkFlowIsBuilt(dir) {
  execFileSync(process.execPath, [join(source, 'docker/nodered/src/build.mjs'), `${dir}/built.json`]);
  const built = readFileSync(`${dir}/built.json`, 'utf8');
  const shipped = readFileSync(join(source, 'docker/nodered/flows.json'), 'utf8');
  assert.equal(shipped, built, 'docker/nodered/flows.json is not up to date: node docker/nodered/src/build.mjs');
  assert.ok(!/"credentials"|password/i.test(shipped), 'no credentials in the flow');
}

// Keeps all that the bars, the phases and the toasts of a page ever showed.
function record() {
  window.shown = { bars: {}, phases: {}, toasts: [] };
  const note = (list, value) => { if (list.at(-1) !== value) list.push(value); };
  const look = () => {
    for (const row of document.querySelectorAll('tr[data-module]')) {
      const name = row.dataset.module;
      const bar = row.querySelector('[data-test=bar]');
      if (bar) note(window.shown.bars[name] ??= [], Number(bar.dataset.bar));
      note(window.shown.phases[name] ??= [], row.querySelector('[data-test=phase]')?.textContent.trim());
    }
    for (const toast of document.querySelectorAll('.nrdb-ui-notification .v-snackbar__content')) note(window.shown.toasts, toast.textContent.trim());
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

// The pages that a test looks at, and what went wrong in them.
class Results {
  constructor(screenshot) {
    Object.assign(this, { screenshot, pages: [], faults: [] });
  }

  watch(page) {
    this.pages.push(page);
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('dialog', (dialog) => { this.faults.push(`alert(${dialog.message()})`); void dialog.dismiss(); });
    page.on('console', (line) => { if (['error', 'warning'].includes(line.type())) this.faults.push(line.text()); });
  }
}

class FleetPage {
  constructor(page) {
    this.page = page;
  }

  cell(module, what) {
    return this.page.locator(`tr[data-module="${module}"] [data-test=${what}]`);
  }

  async shows(module, what, text) {
    const cell = this.cell(module, what);
    let seen = '';
    try {
      await until('', async () => (seen = (await cell.textContent()).trim()) === text);
    } catch {
      throw new Error(`${module}: ${what} never was "${text}", but "${seen}"`);
    }
  }

  async toast(fits) {
    return until(`a toast ${fits}`, async () => (await this.page.evaluate(() => window.shown.toasts)).find((text) => fits.test(text)));
  }

  // From the button of a row through the dialog to the command: to `target`, or to the newest release.
  async update(module, target) {
    await this.cell(module, 'update').click();
    const dialog = this.page.locator('[data-test=dialog]');
    await dialog.waitFor();
    const other = dialog.locator('[data-test=other]');
    if (target && await other.isVisible()) await other.click();
    if (target) await dialog.locator('[data-test=target] input').fill(target);
    await dialog.locator('[data-test=go]').click();
    await dialog.waitFor({ state: 'hidden' });
  }
}

async function checkTable(fleet, shelf) {
  for (const name of kNames) await shelf.shows(name, 'version', name === kHostile ? kMarkup : kVersions[0]);
  assert.equal(await shelf.page.locator('tr[data-module] img').count(), 0, 'a version is text');
  await shelf.shows('uc20-0', 'phase', 'idle');
}

// Whoever imports the flow gets no node that Node-RED's editor marks as wrong.
async function checkEditor(page, url) {
  await page.goto(url);
  const wrong = await page.waitForFunction(() => {
    const nodes = [];
    window.RED?.nodes?.eachNode?.((node) => nodes.push(node));
    window.RED?.nodes?.eachConfig?.((node) => nodes.push(node));
    const known = nodes.filter((node) => node.valid !== undefined);
    return known.length > 20 && known.filter((node) => !node.valid).map((node) => `${node.type} ${node.name}: ${node.validationErrors}`);
  });
  assert.deepEqual(await wrong.jsonValue(), []);
}

async function startRackTest(page, url) {
  await page.goto(`${url}/dashboard/rack-test`);
  await page.locator('[data-test=target] input').fill(kVersions[1]);
  await page.locator('[data-test=start]').click();
}

// Eight modules go through, one says 716, one has no way, one comes back with another version, one is canceled.
async function checkRun(fleet, shelf, screenshot) {
  const toast = await shelf.toast(/716/);
  assert.match(toast, /^uc20-3: 716 HTTP socket connect error \(downloading, attempt 1\)/);
  await shelf.shows(kFails, 'error', '716 HTTP socket connect error');
  await shelf.shows(kGood[0], 'to', `→ ${kVersions[1]}`);
  await until('every bar has moved', async () => {
    const bars = await shelf.page.evaluate(() => window.shown.bars);
    return [...kGood, kSlow].every((name) => bars[name].some((bar) => bar > 3 && bar < 100));
  });
  await shelf.page.screenshot({ path: screenshot });
  await shelf.cell(kSlow, 'cancel').click();
  await fleet.command('cancel', (body) => body.module === kSlow);
  await shelf.shows(kSlow, 'phase', 'canceled');
  for (const name of kGood) {
    await shelf.shows(name, 'phase', 'succeeded');
    await shelf.shows(name, 'version', kVersions[1]);
    await shelf.shows(name, 'bar', '100 %');
  }
  await shelf.shows(kFails, 'phase', 'failed');
  await shelf.shows(kHostile, 'phase', 'rejected');
  await shelf.shows(kFormula, 'version', kSum);
  const { bars, phases } = await shelf.page.evaluate(() => window.shown);
  for (const name of kGood) {
    const moves = bars[name].slice(0, bars[name].indexOf(100));
    assert.deepEqual(moves, [...moves].sort((a, b) => a - b), `${name}: its bar only grows`);
    assert.ok(phases[name].some((phase) => phase === 'downloading'), `${name} was downloading: ${phases[name]}`);
    assert.ok(phases[name].some((phase) => phase === 'updating'), `${name} was updating: ${phases[name]}`);
  }
}

async function checkCsv(fleet, page) {
  await until('the verdict', async () => (await page.locator('[data-test=verdict]').textContent()).trim() === 'FAIL');
  assert.equal((await page.locator('[data-test=counts]').textContent()).trim(), '8 passed, 12 of 12 done');
  await page.locator('[data-test=file]').waitFor();
  const outcomes = kNames.map((name) => ({ [kFails]: 'failed', [kFormula]: 'failed', [kHostile]: 'rejected', [kSlow]: 'canceled' })[name] ?? 'succeeded');
  assert.deepEqual(await page.locator('tr[data-module] [data-test=outcome]').allTextContents(), outcomes);
  const [file, ...others] = readdirSync(`${fleet.dir}/csv`);
  assert.deepEqual(others, []);
  assert.match(file, /^rack-test-\d{8}-\d{6}-[a-z0-9]+\.csv$/);
  const csv = readFileSync(`${fleet.dir}/csv/${file}`, 'utf8');
  console.log(csv);
  const [head, ...rows] = csv.trimEnd().split('\r\n');
  assert.equal(head, 'module,outcome,from,to,version,attempts,duration_s,error_code,error_meaning');
  assert.equal(rows.length, kModules);
  rows.forEach((row, i) => {
    const cells = row.split(',');
    assert.match(cells[6], /^\d+(\.\d+)?$/);
    const facts = cells.filter((_, column) => column !== 6).join(',');
    const name = kNames[i];
    const [, target] = kVersions;
    const expected = {
      [kFails]: `${name},failed,${kVersions[0]},${target},${kVersions[0]},1,716,HTTP socket connect error`,
      [kHostile]: `${name},rejected,,${target},,0,no_way,No deltas lead from the module's version to the target`,
      [kFormula]: `${name},failed,${kVersions[0]},${target},'${kSum},1,target_mismatch,The module does not run the target version after the update`,
      [kSlow]: `${name},canceled,${kVersions[0]},${target},${kVersions[0]},1,,`,
    }[name] ?? `${name},succeeded,${kVersions[0]},${target},${target},1,,`;
    assert.equal(facts, expected);
  });
}

async function checkRetry(fleet, shelf) {
  await shelf.cell(kFails, 'retry').click();
  const { job, run } = await fleet.command('retry', () => true);
  assert.match(job, /^rack-test-/);
  assert.equal(run, 1);
  await shelf.toast(/^uc20-3 retry: job rack-test-.*, run 2: /);
  for (const name of [kFails, kSlow]) {
    await shelf.shows(name, 'phase', 'succeeded');
    await shelf.shows(name, 'version', kVersions[1]);
  }
  for (const name of [kHostile, kFormula]) await shelf.shows(name, 'phase', 'rejected');
}

// To the newest release by `install`, to another version by `update`.
async function checkUpdate(fleet, shelf) {
  await shelf.shows('uc20-0', 'to', `→ ${kVersions[2]}`);
  await shelf.update('uc20-0');
  const { transaction, ...install } = await fleet.command('install', () => true);
  assert.deepEqual(install, { module: 'uc20-0' });
  await shelf.update('uc20-2', kVersions[2]);
  await fleet.command('update', (body) => body.target === kVersions[2] && body.modules[0] === 'uc20-2');
  for (const name of ['uc20-0', 'uc20-2']) {
    await shelf.shows(name, 'phase', 'succeeded');
    await shelf.shows(name, 'version', kVersions[2]);
  }
  await shelf.update('uc20-0', 'NEVER-HEARD-OF');
  await shelf.toast(/^uc20-0 update: refused, unknown_target: /);
}

// By day nothing is commanded: a job waits, and can be canceled.
async function checkNight(fleet, shelf) {
  const { page } = shelf;
  const time = (hours) => new Date(Date.now() + hours * 3600000).toTimeString().slice(0, 5);
  const [begins, ends] = ['start', 'end'].map((name) => page.locator(`.dfota-night-${name} input`));
  const setting = `dfota/v1/client/node-red/shelf/night`;
  const set = async (from, to) => {
    await begins.fill(from);
    await begins.blur();
    await ends.fill(to);
    await ends.blur();
    await until('the window is set', () => {
      const { start, end } = JSON.parse(fleet.heard(setting).at(-1) ?? '{}');
      return start === from && end === to;
    });
  };
  await set(time(2), time(4));
  await page.locator('.dfota-night-on input').click();
  await page.locator('[data-test=hold]', { hasText: 'only at night' }).waitFor();
  await shelf.update('uc20-1', kVersions[2]);
  await shelf.shows('uc20-1', 'phase', 'queued');
  await shelf.cell('uc20-1', 'cancel').click();
  await shelf.toast(/^uc20-1 cancel: canceled/);
  await shelf.shows('uc20-1', 'phase', 'canceled');
  await shelf.shows('uc20-1', 'version', kVersions[1]);
  await set(time(-2), time(4));
  await page.locator('[data-test=hold]').waitFor({ state: 'detached' });
  // Somebody else's hold stays, whatever the hour.
  const battery = '{"hold":true,"reason":"UPS on battery"}';
  await fleet.publish(`${kRoot}/hold`, battery, ['-r']);
  await page.locator('[data-test=hold]', { hasText: 'UPS on battery' }).waitFor();
  await set(time(2), time(4));
  await set(time(-2), time(4));
  assert.equal(fleet.heard(`${kRoot}/hold`).at(-1), battery);
  await fleet.publish(`${kRoot}/hold`, '{"hold":false}', ['-r']);
  await page.locator('[data-test=hold]').waitFor({ state: 'detached' });
}

// Not even somebody else on the broker gets markup into the page; what was retained is no news.
async function checkHostileErrors(fleet, shelf) {
  const error = (module, seq, meaning) => JSON.stringify({
    seq, job: 'x', run: 1, module, attempt: 1, class: '7xx', code: 799, source: 'http', name: 'x', meaning, phase: 'downloading', hint: meaning,
  });
  await fleet.publish(`${kRoot}/module/uc20-5/error/7xx/799`, error('uc20-5', 1000000000, kMarkup));
  const toast = await shelf.toast(/^uc20-5: 799 /);
  assert.equal(toast, `uc20-5: 799 ${kMarkup.replace('<', '\u2039').replace('>', '\u203a')} (downloading, attempt 1)`);
  await shelf.shows('uc20-5', 'error', `799 ${kMarkup}`);
  assert.equal(await shelf.page.locator('.nrdb-ui-notification img, tr[data-module] img').count(), 0);
  const toasts = await shelf.page.evaluate(() => window.shown.toasts);
  assert.ok(!toasts.some((text) => text.includes('retained')), `a retained error was shown: ${toasts}`);
}

// A forgotten job leaves an empty payload behind, and can no longer be tried again.
async function checkForgotten(fleet, shelf) {
  const { job } = await fleet.command('retry', () => true);
  assert.ok(await shelf.cell(kHostile, 'retry').isEnabled());
  await fleet.client(['forget', job]);
  await until('there is nothing to try again', () => shelf.cell(kHostile, 'retry').isDisabled());
}

async function scenario(fleet, browser, results) {
  await fleet.start(kFaults);
  await fleet.publish(`${kRoot}/module/uc20-2/error/7xx/701`, JSON.stringify({ seq: 900000, module: 'uc20-2', code: 701, meaning: 'retained', phase: 'x', attempt: 1 }), ['-r']);
  const url = await fleet.startNodeRed();
  const context = await browser.newContext({ viewport: { width: 1440, height: 860 } });
  context.setDefaultTimeout(kWatchdogMs);
  await context.addInitScript(record);
  const shelf = new FleetPage(await context.newPage());
  results.watch(shelf.page);
  await shelf.page.goto(`${url}/dashboard/fleet`);
  say('the table');
  await checkTable(fleet, shelf);
  say('the editor');
  const editor = await context.newPage();
  await checkEditor(editor, url);
  await editor.close();
  say('a rack test over twelve modules');
  const test = await context.newPage();
  results.watch(test);
  await startRackTest(test, url);
  await checkRun(fleet, shelf, results.screenshot);
  await checkCsv(fleet, test);
  say('retry');
  await checkRetry(fleet, shelf);
  say('update');
  await checkUpdate(fleet, shelf);
  say('only at night, cancel');
  await checkNight(fleet, shelf);
  say('forgotten jobs');
  await checkForgotten(fleet, shelf);
  say('hostile errors');
  await checkHostileErrors(fleet, shelf);
  assert.deepEqual(results.faults, [], 'errors in the browser');
  // Of the two that every Node-RED without projects and credentials says, neither is the flow's.
  const usual = /Projects disabled|Encrypted credentials not found/;
  const complaints = fleet.processes.log('node-red').split('\n')
    .filter((line) => /\[(error|warn|fatal)\]|Waiting for missing types/.test(line) && !usual.test(line));
  assert.deepEqual(complaints, [], 'errors in the log of Node-RED');
}

async function main() {
  const [binaries] = process.argv.slice(2);
  if (!binaries) throw new Error('usage: node nodered.mjs DIRECTORY_OF_THE_PROGRAMS');
  const dir = mkdtempSync(join(tmpdir(), 'dfota-nodered.'));
  const processes = new Processes(dir);
  const shots = join(binaries, 'browser');
  mkdirSync(shots, { recursive: true });
  const results = new Results(join(shots, 'nodered.png'));
  let browser;
  const endAll = async () => {
    await browser?.close();
    await processes.end();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => endAll().finally(() => process.exit(1)));
  const limit = setTimeout(() => { console.error(`not done after ${kLimitMs / 1000} s`); void endAll().finally(() => process.exit(1)); }, kLimitMs);
  try {
    checkFlowIsBuilt(dir);
    const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium', args: [...sandbox, '--no-proxy-server'], env: environment, handleSIGINT: false, handleSIGTERM: false,
    });
    await scenario(new Fleet(processes, binaries, kModules), browser, results);
  } catch (error) {
    for (const [i, page] of results.pages.entries()) await page.screenshot({ path: join(shots, `failed-${i}.png`) }).catch(() => {});
    await endAll();
    console.error(error, `\nlogs: ${dir}; pictures: ${shots}; the browser said:`, results.faults);
    process.exit(1);
  }
  clearTimeout(limit);
  const ours = processes.running.filter(({ name }) => name === 'gateway' || name === 'rack');
  await endAll();
  for (const { name, ended } of ours) assert.equal(ended, 'exit code 0', `the end of the ${name}`);
  rmSync(dir, { recursive: true });
  say(`passed; ${results.screenshot}`);
}

await main();
