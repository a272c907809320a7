// The gateway's own page in a real browser, over a real broker, gateway and a rack of forty:  node page.mjs DIRECTORY_OF_THE_PROGRAMS [--screenshots DIR]
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { chromium } from 'playwright-core';

import { Fleet, kVersions } from './fleet.mjs';
import {
  cancelSlow, checkArtifacts, checkFault, checkFunctions, checkHold, checkList, checkPreview, checkRun, kFails, kHostile, kMarkup, kSlow, killAndRestart, logOut, retryJob, startJob,
  walkByKeyboard,
} from './page_steps.mjs';
import { Processes, environment, until } from './processes.mjs';
import { RackPage, kLooks } from './rack_page.mjs';

const kModules = 40;
const kJob = 'shelf-a12';
const kLimitMs = 840000;     // for all of it, less than ctest's
const kPictureBytes = 300000;
const kNames = Array.from({ length: kModules }, (_, i) => `uc20-${i}`);
const kGood = kNames.filter((name) => ![kFails, kHostile, kSlow].includes(name));
// Not all are equally fast: there is something to see.
const kRates = Array.from({ length: kModules }, (_, i) => `m${i}:client=slow:${25000 + 7000 * ((i * 11 + 14) % 17)}`);
const kFaults = [...kRates, 'm3:httpend=716,once', `m7:version=${kMarkup}`, 'm11:client=slow:3000,once'];

const say = (text) => console.log(`== ${text}`);

// What went wrong in any page, and what axe has looked at.
class Results {
  constructor() {
    Object.assign(this, { pages: [], faults: [], looked: [] });
  }

  watch(page) {
    this.pages.push(page);
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('dialog', (dialog) => { this.faults.push(`alert(${dialog.message()})`); void dialog.dismiss(); });
    // What the browser itself says of a gateway that is gone and of a wrong token is meant to be.
    page.on('console', (line) => {
      const meant = /ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|status of 401/.test(line.text());
      if (['error', 'warning'].includes(line.type()) && !meant) this.faults.push(line.text());
    });
  }
}

// In the middle of the run, when there is something to see.
async function takePictures(racks, dir) {
  const [light] = racks;
  await until('many download and many flash', () => light.page.evaluate(() => {
    const at = (phase, least) => [...document.querySelectorAll(`.module[data-phase="${phase}"] [role=progressbar]`)]
      .filter((bar) => Number(bar.getAttribute('aria-valuenow')) > least).length;
    return at('updating', 60) > 7 && at('downloading', 5) > 7;
  }));
  const views = { light: '#/modules', dark: `#/module/${kFails}`, phone: '#/modules' };
  for (const rack of racks) {
    await rack.go(views[rack.look]);
    if (rack.look === 'dark') {   // from the error down to the end of the dialogue
      await rack.page.locator('.transcript [data-kind=error]').first().waitFor();
      await rack.page.evaluate(() => { document.querySelector('.panel').scrollTop = document.querySelector('.panel .error-block').offsetTop - 90; });
    }
    const path = join(dir, `page-${rack.look}.png`);
    await rack.page.mouse.move(0, 0);
    await rack.page.screenshot({ path });
    assert.ok(statSync(path).size < kPictureBytes, `${path} is larger than ${kPictureBytes} bytes`);
  }
}

// Every view in every look, while the run goes on.
async function lookAround(racks) {
  for (const rack of racks) {
    for (const [hash, ready] of [['#/modules', '.module'], ['#/jobs', '.job'], ['#/artifacts', '.node'], [`#/module/${kFails}`, '.transcript li'], [`#/job/${kJob}`, '.outcomes a']]) {
      await rack.go(hash);
      await rack.page.locator(ready).first().waitFor();
      await rack.sound(hash);
    }
    await rack.go('#/modules');
    for (const layout of ['cards', 'rows']) {
      await rack.page.getByRole('button', { name: `Show as ${layout}` }).click();
      await rack.sound(`modules as ${layout}`);
    }
  }
}

// The dialogs in the other looks.
async function lookAtDialogs(fleet, racks) {
  for (const rack of racks) {
    await startJob(fleet, rack, 'never', kVersions[1]);
    await rack.page.keyboard.press('Escape');
    await rack.go('#/artifacts');
    await rack.page.getByRole('button', { name: 'Add a delta…' }).click();
    await rack.sound('the dialog of a new delta');
    await rack.page.keyboard.press('Escape');
    await rack.go('#/module/uc20-20');
    await rack.page.locator('.panel [data-act=release]').click();
    await rack.sound('a release that is asked about');
    await rack.page.keyboard.press('Escape');
    await rack.go('#/modules');
    await rack.page.locator('.module[data-module="uc20-20"] input').check();
    await rack.sound('a selection');
    await rack.page.locator('[data-act=clear]').click();
  }
}

async function switchTheme({ page }) {
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), 'light');
  await page.locator('#theme').click();
  assert.equal(await theme(), 'dark');
  await page.reload();
  assert.equal(await theme(), 'dark', 'it is remembered');
  await page.locator('#theme').click();
  assert.equal(await theme(), 'light');
}

async function scenario(fleet, browser, results, pictures) {
  await fleet.start(kFaults);
  const racks = [];
  for (const look of Object.keys(kLooks)) racks.push(await RackPage.open(browser, look, fleet.page, results));
  const [light, ...others] = racks;
  say('the list');
  for (const rack of racks) await checkList(rack, kNames);
  await checkFunctions(light);
  say('by keyboard');
  await walkByKeyboard(light);
  await switchTheme(light);
  say('a job over forty modules');
  await startJob(fleet, light, kJob, kVersions[1]);
  await checkPreview(light);
  await light.page.locator('[data-act=start]').click();
  await light.toast(/^Job shelf-a12: accepted for 40 modules/);
  say('pictures');
  await takePictures(racks, pictures);
  say('every view in every look');
  await lookAround(racks);
  say('a 716');
  await checkFault(light);
  say('cancel');
  await cancelSlow(light);
  say('the run');
  await checkRun(light, kGood);
  await lookAtDialogs(fleet, others);
  say('retry');
  await retryJob(light, kJob);
  say('hold');
  await checkHold(fleet, light);
  say('the gateway is killed');
  await killAndRestart(fleet, light);
  say('artifacts');
  await checkArtifacts(fleet, light);
  say('log out');
  await logOut(light);
  assert.deepEqual(results.faults, [], 'errors in the browser');
  console.log(`axe found nothing in ${results.looked.length} looks:\n  ${[...new Set(results.looked)].join('\n  ')}`);
}

async function main() {
  const [programs, option, dirOfPictures] = process.argv.slice(2);
  if (!programs || (option && (option !== '--screenshots' || !dirOfPictures))) throw new Error('usage: node page.mjs DIRECTORY_OF_THE_PROGRAMS [--screenshots DIR]');
  const binaries = resolve(programs);
  const dir = mkdtempSync(join(tmpdir(), 'dfota-page.'));
  const processes = new Processes(dir);
  const pictures = dirOfPictures ?? join(binaries, 'browser');
  mkdirSync(pictures, { recursive: true });
  const results = new Results();
  let browser;
  const endAll = async () => {
    await browser?.close();
    await processes.end();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => endAll().finally(() => process.exit(1)));
  const limit = setTimeout(() => { console.error(`not done after ${kLimitMs / 1000} s`); void endAll().finally(() => process.exit(1)); }, kLimitMs);
  try {
    const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium', args: [...sandbox, '--no-proxy-server'], env: environment, handleSIGINT: false, handleSIGTERM: false,
    });
    await scenario(new Fleet(processes, binaries, kModules, { downloads: 38, tags: (i) => [`shelf-${Math.floor(i / 10) + 1}`] }), browser, results, pictures);
  } catch (error) {
    for (const [i, page] of results.pages.entries()) await page.screenshot({ path: join(pictures, `failed-page-${i}.png`) }).catch(() => {});
    await endAll();
    console.error(error, `\nlogs: ${dir}; pictures: ${pictures}; the browser said:`, results.faults);
    process.exit(1);
  }
  clearTimeout(limit);
  const ours = processes.running.filter(({ name }) => name.startsWith('gateway') || name === 'rack');
  await endAll();
  for (const { name, ended } of ours) assert.equal(ended, 'exit code 0', `the end of the ${name}`);
  rmSync(dir, { recursive: true });
  say(`passed; ${pictures}`);
}

await main();
