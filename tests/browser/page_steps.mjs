// What is done and looked for on the gateway's page, step by step: page.mjs says in which order.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

import { kRoot, kVersions } from './fleet.mjs';
import { until } from './processes.mjs';

export const kFails = 'uc20-3';     // HTTPEND,716 to its first command
export const kHostile = 'uc20-7';   // its version is HTML
export const kSlow = 'uc20-11';     // its first download takes three minutes
export const kMarkup = "<img/src='x'/onerror=alert(1)>";

export async function checkList(rack, names) {
  for (const name of names) await rack.shows(name, '.m-version .version >> nth=0', name === kHostile ? kMarkup : kVersions[0]);
  assert.equal(await rack.page.locator('.module').count(), names.length);
  assert.equal(await rack.page.locator('.module img, .module script').count(), 0, 'a version is text');
  await rack.reads(rack.page.locator('#gateway'), 'shelf', 'the name of the gateway');
  await rack.reads(rack.page.locator('#live-text'), 'live', 'the state of the connection');
  await rack.reads(rack.page.locator('[data-filter="phase:idle"] b'), `${names.length}`, 'idle modules');
}

// The parts of the page that are plain functions, where they run.
export async function checkFunctions({ page }) {
  const found = await page.evaluate(async () => {
    const [{ bytes, difference, duration, natural, rate }, { arrangeModules, parseFilter }, { layOut }] = await Promise.all(
      ['format', 'order', 'graph'].map((name) => import(`${location.origin}/page/${name}.js`)));
    const module = (id, state, status = 'online') => ({
      id, status, progress: null,
      state: { tags: [], model: 'UC20', version: 'A1', phase: 'idle', job: null, problem: null, last_result: null, last_error: null, imei: null, port: null, signal_dbm: null, ...state },
    });
    const error = { code: 716, name: 'http_socket_connect_error', meaning: 'HTTP socket connect error', job: 'j' };
    const modules = [module('m10', { tags: ['lab'] }), module('m2', { phase: 'updating', job: 'j', last_error: { ...error, job: 'older' } }), module('m1', { last_result: 'failed', last_error: error }, 'offline')];
    const fit = (filter, options = {}) => arrangeModules(modules, { filter: parseFilter(filter), sort: 'id', down: false, group: 'none', ...options }).map((group) => group.modules.map(({ id }) => id));
    const edge = (from, to) => ({ name: `${from}${to}`, from, to, size: 1, present: true });
    const { nodes, edges } = layOut([edge('A1', 'A2'), edge('A2', 'A3'), edge('A3', 'A1'), edge('A1', 'A3')], new Map([['A1', 2], ['B9', 1]]));
    return {
      filters: ['', 'lab', 'tag:lab', '-lab', 'phase:updating', 'error:716', '716 -status:online', 'is:trouble', 'is:active', 'model:eg'].map((filter) => [filter, fit(filter).flat().join(' ')]),
      sorted: [fit('', { down: true }).flat(), fit('', { sort: 'phase' }).flat(), fit('', { group: 'tag' })],
      differences: [['A11E1G', 'A12E1G'], ['A9', 'A10'], ['X', 'X'], ['A1', null]].map(([a, b]) => Object.values(difference(a, b)).join('|')),
      words: [bytes(999), bytes(1048576), bytes(98765432), rate(61499), duration(7), duration(3725), duration(90000)],
      natural: ['m10', 'm9'].sort(natural),
      graph: [nodes.map(({ version, column, row, modules: count }) => [version, column, row, count].join(' ')), edges.map(({ from, to, back }) => `${from}${to}${back ? ' back' : ''}`)],
    };
  });
  assert.deepEqual(found, {
    filters: [['', 'm1 m2 m10'], ['lab', 'm10'], ['tag:lab', 'm10'], ['-lab', 'm1 m2'], ['phase:updating', 'm2'], ['error:716', 'm1'], ['716 -status:online', 'm1'], ['is:trouble', 'm1'], ['is:active', 'm2'], ['model:eg', '']],
    sorted: [['m10', 'm2', 'm1'], ['m2', 'm1', 'm10'], [['m10'], ['m1', 'm2']]],
    differences: ['A|11|E1G', 'A|9|', '|X|', '|A1|'],
    words: ['999 B', '1.05 MB', '98.8 MB', '61.5 kB/s', '0:07', '1:02:05', '1 d 1 h'],
    natural: ['m9', 'm10'],
    graph: [['A1 0 0 2', 'A2 1 0 0', 'A3 2 0 0', 'B9 0 2 1'], ['A1A2', 'A2A3', 'A3A1 back', 'A1A3']],
  });
}

const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const visible = outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
  const where = element.closest('.module, .panel, .top, .toolbar, .summary, .heads, .skip');
  return { tag: element.tagName, id: element.id, text: element.textContent.trim().slice(0, 40), name: element.closest('.module')?.dataset.module ?? null, area: where?.className ?? '', visible };
});

// By keyboard alone: Tab reaches every part, with a focus that is seen; the list has its own keys.
export async function walkByKeyboard({ page }) {
  await page.reload();   // the order of Tab begins at the top
  await page.locator('.module').nth(39).waitFor();
  const walked = [];
  for (let i = 0; i < 60; ++i) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (now.tag === 'BODY' || walked.some((one) => one.id && one.id === now.id)) break;
    assert.ok(now.visible, `the focus is seen on ${JSON.stringify(now)}`);
    walked.push(now);
  }
  for (const area of ['skip', 'top', 'summary', 'toolbar', 'heads', 'module']) assert.ok(walked.some((one) => one.area.split(' ').includes(area)), `Tab comes to ${area}: ${JSON.stringify(walked)}`);
  for (const id of ['start', 'theme', 'access', 'keys', 'filter']) assert.ok(walked.some((one) => one.id === id), `Tab comes to ${id}`);
  assert.equal(walked.filter(({ tag, name }) => tag === 'A' && name).length, 1, 'one module is in the order of Tab, the arrows go on');

  await page.keyboard.press('/');
  assert.equal((await focused(page)).id, 'filter');
  await page.keyboard.type('tag:shelf-2');
  await until('ten fit', async () => (await page.locator('.module').count()) === 10);
  await page.keyboard.press('ArrowDown');
  assert.equal((await focused(page)).name, 'uc20-10');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.equal((await focused(page)).name, 'uc20-12');
  await page.keyboard.press('Shift+ArrowDown');
  await page.locator('.selected-words', { hasText: '2 selected' }).waitFor();
  await page.keyboard.press('End');
  assert.equal((await focused(page)).name, 'uc20-19');
  await page.keyboard.press('Enter');
  await page.locator('.panel h2', { hasText: 'uc20-19' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.panel').waitFor({ state: 'hidden' });
  assert.equal((await focused(page)).name, 'uc20-19', 'the focus is back where it was');
  await page.keyboard.press('?');
  await page.locator('dialog[open] h2', { hasText: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  await page.locator('[data-act=clear]').click();
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await until('all are shown', async () => (await page.locator('.module').count()) === 40);
}

// All modules to the next version: the token is asked for once, a wrong one is told, and nothing is done before "Start".
export async function startJob(fleet, rack, job, target) {
  const { page } = rack;
  await page.locator('#start').click();
  await page.locator('#job-form').waitFor();
  await rack.sound('the dialog of a job');
  await page.locator('input[name=target]').fill(target);
  await page.locator('#job-form summary').click();
  await page.locator('input[name=job]').fill(job);
  await rack.sound('the dialog of a job with its rollout');
  await page.locator('[data-act=preview]').click();
  if (!rack.mayWrite) {
    await page.locator('#token').waitFor();
    await rack.sound('the dialog of the token');
    await rack.logIn('not the token');
    await rack.reads(page.locator('#token-form .fault'), /not the token/, 'the word on a wrong token');
    await rack.logIn(fleet.token);
    rack.mayWrite = true;
  }
  await page.locator('.preview-head').waitFor();
  await rack.sound('the preview of a job');
}

export async function checkPreview({ page }) {
  assert.equal((await page.locator('.preview-head').textContent()).trim(), '39 of 40 modules can go. Nothing has been done yet.');
  const cannot = await page.locator('.cannot').textContent();
  assert.match(cannot, /1 module cannot.*no_way.*No deltas lead from the module's version to the target/s);
  assert.ok(cannot.includes(kHostile));
  await page.locator('#leave-out').uncheck();
  assert.equal(await page.locator('[data-act=start]').textContent(), 'Start for 40 modules');
}

// A 716 is read where one looks: in the list and in the module's own view, with its meaning and what to look at.
export async function checkFault(rack) {
  const { page } = rack;
  await rack.shows(kFails, '.m-error p', /^716 HTTP socket connect error$/);
  await rack.shows(kFails, '.m-error small', /public_url/);
  await rack.shows(kFails, '.m-phase .word', 'failed');
  await rack.go(`#/module/${kFails}`);
  await rack.reads(page.locator('.panel .error-head'), /716 HTTP socket connect error/, 'the error of the module');
  await rack.reads(page.locator('.panel .error-hint'), /^Hint: .*public_url/, 'the hint of the module');
  const line = (kind, text) => page.locator(`.transcript [data-kind=${kind}]`, { hasText: text }).first().waitFor();
  await line('cmd', 'AT+QFOTADL=');
  await line('urc', '"HTTPEND",716');
  await line('error', '716');
  await line('step', 'failed');
  assert.match(await page.locator('.transcript time').first().textContent(), /^\d\d:\d\d\.\d{3}$/);
  await page.locator('.panel tbody tr', { hasText: 'failed' }).waitFor();
  const saved = await page.locator('.panel a[download]').getAttribute('href');
  const [head, ...events] = (await (await page.request.get(rack.url + saved)).text()).trim().split('\n').map((text) => JSON.parse(text));
  assert.equal(head.transcript, 1);
  assert.equal(head.module, kFails);
  assert.equal(events.at(-1).outcome, 'failed');
  await rack.sound('a module that failed');
}

// In the view of the module, with what a cancel means.
export async function cancelSlow(rack) {
  const { page } = rack;
  await rack.go(`#/module/${kSlow}`);
  await page.locator('.transcript [data-kind=urc]', { hasText: 'HTTPSTART' }).waitFor();   // it comes by itself, every two seconds
  await page.locator('.panel [data-act=cancel]').click();
  await rack.reads(rack.dialog.locator('.dialog-body'), /1 module downloads: over HTTP it is cut: uc20-11.*is never cut/s, 'what a cancel means');
  await rack.sound('a cancel that is asked about');
  await page.locator('[data-act=confirm]').click();
  await rack.toast(/^Cancel: 1 stopped/);
  await rack.go('#/modules');
  await rack.shows(kSlow, '.m-phase .word', 'canceled');
  await rack.shows(kSlow, '.m-version .version >> nth=0', kVersions[0]);
}

export async function checkRun(rack, good) {
  for (const name of good) {
    await rack.shows(name, '.m-phase .word', 'succeeded');
    await rack.shows(name, '.m-version .version >> nth=0', kVersions[1]);
  }
  const bars = await rack.shown('bars');
  const phases = await rack.shown('phases');
  for (const name of good) {
    assert.ok(bars[name].filter((bar) => bar > 2 && bar < 100).length >= 3, `${name}: its bar grows: ${bars[name]}`);
    assert.deepEqual(bars[name], [...bars[name]].sort((a, b) => a - b), `${name}: its bar only grows`);
    for (const phase of ['downloading', 'updating']) assert.ok(phases[name].includes(phase), `${name} was ${phase}: ${phases[name]}`);
  }
}

// From the list of jobs: those that did not succeed, once more.
export async function retryJob(rack, job) {
  const { page } = rack;
  await rack.go('#/jobs');
  const row = page.locator(`.job[data-job="${job}"]`);
  await rack.reads(row.locator('.j-id .word'), 'partial', 'the state of the job');
  await rack.reads(row.locator('.stack-words'), '40 of 40 done, 1 failed, 1 rejected, 1 canceled', 'the counts of the job');
  await rack.sound('the jobs');
  await row.locator('[data-act=retry]').click();
  await rack.toast(/: run 2 with 3 modules$/);
  await rack.go(`#/job/${job}`);
  for (const name of [kFails, kSlow]) await page.locator('[data-outcome=succeeded] a', { hasText: new RegExp(`^${name}$`) }).waitFor();
  await page.locator('[data-outcome=rejected] a', { hasText: kHostile }).waitFor();
  await rack.reads(page.locator('[data-outcome=rejected] .code'), 'no_way', 'why it was rejected');
  await rack.sound('a job');
}

// Somebody holds the rack: every view says so, and why.
export async function checkHold(fleet, rack) {
  const notices = rack.page.locator('#notices');
  await fleet.publish(`${kRoot}/hold`, '{"hold":true,"reason":"UPS on battery"}', ['-r']);
  await rack.reads(notices, 'Held: UPS on battery. No module is commanded; what flashes goes on.', 'the hold');
  await rack.sound('a hold');
  await fleet.publish(`${kRoot}/hold`, '{"hold":false}', ['-r']);
  await rack.reads(notices, '', 'the end of the hold');
}

// The page says that the gateway is gone, and since when; when it is back the page is as if nothing had been.
export async function killAndRestart(fleet, rack) {
  const { page } = rack;
  await rack.go('#/modules');
  await fleet.client(['update', '--modules', 'uc20-0', '--target', kVersions[2], '--job', 'over-a-crash', '--no-wait']);
  await rack.shows('uc20-0', '.m-phase .word', 'downloading');
  await fleet.killGateway();
  await rack.reads(page.locator('#gone'), /^The gateway is gone since \d\d:\d\d:\d\d, trying again\./, 'the word on a gateway that is gone');
  await rack.reads(page.locator('#live-text'), 'gone', 'the state of the connection');
  await rack.sound('a gateway that is gone');
  await fleet.startGateway('gateway-again');
  await page.locator('#gone').waitFor({ state: 'hidden' });
  await rack.reads(page.locator('#live-text'), 'live', 'the state of the connection');
  await rack.shows('uc20-0', '.m-phase .word', 'succeeded');
  await rack.shows('uc20-0', '.m-version .version >> nth=0', kVersions[2]);
}

// The graph of versions, a delta that is added by the form and removed again; an update from a version of the graph.
export async function checkArtifacts(fleet, rack) {
  const { page } = rack;
  await rack.go('#/artifacts');
  await rack.reads(page.locator('.node', { hasText: kVersions[1] }).locator('.node-count'), '38 modules run it', 'the modules of a version');
  await rack.reads(page.locator('.node', { hasText: kVersions[2] }).locator('.node-count'), '1 module runs it', 'the modules of a version');
  assert.equal(await page.locator('.model svg .edge').count(), 2);
  await rack.sound('the artifacts');
  writeFileSync(`${fleet.dir}/upload.bin`, Buffer.alloc(100000, 'firmware '));
  await page.getByRole('button', { name: 'Add a delta…' }).click();
  await rack.sound('the dialog of a new delta');
  await page.locator('#upload-File').setInputFiles(`${fleet.dir}/upload.bin`);
  await page.locator('#upload-From').fill(kVersions[2]);
  await page.locator('#upload-To').fill('UC20GQBR03A14E1G');
  await page.locator('#upload-Notes').fill(kMarkup);
  await page.locator('dialog button[type=submit]').click();
  const row = page.locator('[data-artifact="upload.bin"]');
  await rack.reads(row.locator('.hint'), kMarkup, 'the notes of the new delta');
  await rack.reads(row.locator('td.num'), '100 kB', 'the size of the new delta');
  assert.equal(await page.locator('.model svg .edge').count(), 3);
  await row.getByRole('button', { name: 'Remove' }).click();
  await page.locator('[data-act=confirm]').click();
  await row.waitFor({ state: 'detached' });
  await page.locator('.node', { hasText: kVersions[2] }).click();
  assert.equal(await page.locator('input[name=target]').inputValue(), kVersions[2]);
  await page.keyboard.press('Escape');
}

// Without the cookie nothing is written.
export async function logOut(rack) {
  const { page } = rack;
  await page.locator('#access').click();
  await rack.toast(/^Logged out/);
  await rack.go('#/module/uc20-1');
  await page.locator('.panel [data-act=scan]').click();
  await page.locator('#token').waitFor();
  await page.keyboard.press('Escape');
  await rack.toast(/Nothing was sent: it needs the token/);
  assert.equal(await page.locator('dialog[open]').count(), 0);
}
