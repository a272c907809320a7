// What is done with modules and jobs from several places: asked for first where it cannot be taken back, and told afterwards.
import { command, get } from './api.js';
import { confirmed, openDialog, toast } from './dialog.js';
import { h } from './dom.js';
import { plural } from './format.js';
import { kBad, kCancelMeaning, kDanger } from './words.js';

const kAtOnce = 4;   // the gateway answers a few requests at a time; others want theirs, too
const kNamed = 12;

export function names(ids) {
  const more = ids.length - kNamed;
  return ids.slice(0, kNamed).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

// `work` for each of `items`, a few at once; what is refused is kept beside what is not.
async function each(items, work) {
  const queue = [...items];
  const done = [];
  const faults = [];
  const worker = async () => {
    while (queue.length > 0) {
      const item = queue.shift();
      try { done.push(await work(item)); } catch (error) { faults.push({ item, error }); }
    }
  };
  await Promise.all(Array.from({ length: kAtOnce }, worker));
  return { done, faults };
}

// What a cancel would do now with modules that are at work, by their phases.
function cancelForecast(modules) {
  const waits = modules.filter(({ state }) => ['queued', 'preparing', 'uploading'].includes(state.phase));
  const loads = modules.filter(({ state }) => state.phase === 'downloading');
  const flashes = modules.filter(({ state }) => kDanger.has(state.phase) || state.phase === 'verifying');
  const line = (list, what) => list.length > 0 && h('li', {}, h('b', { text: plural(list.length, 'module') }), ` ${what}: `, h('span', { class: 'mono', text: names(list.map(({ id }) => id)) }));
  return [
    h('ul', { class: 'plain' }, line(waits, list(waits, 'waits or prepares, and stops', 'wait or prepare, and stop')),
      line(loads, list(loads, 'downloads: over HTTP it is cut', 'download: over HTTP they are cut')),
      line(flashes, list(flashes, 'goes on to its end', 'go on to their ends'))),
    h('p', { text: kCancelMeaning }),
  ];
}

const list = (modules, one, more) => (modules.length === 1 ? one : more);

function tellCanceled(replies) {
  const sum = (key) => replies.reduce((all, reply) => all + reply[key].length, 0);
  const told = [[sum('stopped'), 'stopped'], [sum('stopping'), 'stopping'], [sum('will_end'), 'cannot be cut and will end by themselves']]
    .filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  toast(told.length > 0 ? `Cancel: ${told.join(', ')}` : 'Cancel: there was nothing to stop');
}

function tellFaults(verb, faults) {
  if (faults.length === 0) return;
  const [{ item, error }] = faults;
  const others = faults.length > 1 ? ` (and ${faults.length - 1} more were refused)` : '';
  toast(`${verb} of ${item} was refused: ${error.code}: ${error.message}${others}`, true);
}

export async function cancelModules(store, ids) {
  const modules = ids.map((id) => store.modules.get(id)).filter((module) => module?.state && module.state.job !== null);
  if (modules.length === 0) return toast('None of them has a job that could be canceled.');
  const sure = await confirmed({ title: `Cancel ${plural(modules.length, 'module')}?`, details: cancelForecast(modules), action: 'Cancel them', danger: true });
  if (!sure) return;
  const { done, faults } = await each(modules.map(({ id }) => id), (module) => command('cancel', { module }));
  if (done.length > 0) tellCanceled(done);
  tellFaults('Cancel', faults);
}

export async function cancelJob(store, job) {
  const modules = [...store.modules.values()].filter(({ state }) => state?.job === job);
  const sure = await confirmed({ title: `Cancel job ${job}?`, details: cancelForecast(modules), action: 'Cancel the job', danger: true });
  if (sure) tellCanceled([await command('cancel', { job })]);
}

// The jobs that the modules failed in last: a retry is of a run, with all of it that did not go well.
async function jobsToRetry(ids) {
  const { done } = await each(ids, (id) => get(`modules/${encodeURIComponent(id)}`));
  const jobs = new Map();
  for (const { history } of done) {
    const [last] = history;
    if (last && kBad.has(last.outcome)) jobs.set(last.job, last.run);
  }
  return jobs;
}

export async function retryModules(store, ids) {
  const bad = ids.filter((id) => kBad.has(store.modules.get(id)?.state?.last_result) && store.modules.get(id).state.job === null);
  const jobs = await jobsToRetry(bad);
  if (jobs.size === 0) return toast('None of them has a failed update that could be tried again.');
  const rows = await each(jobs.keys(), (job) => get(`jobs/${encodeURIComponent(job)}`));
  const details = rows.done.map(({ job, modules }) => {
    const again = Object.keys(modules).filter((id) => kBad.has(modules[id]));
    return h('li', {}, h('b', { class: 'mono', text: job }), `: ${plural(again.length, 'module')}: `, h('span', { class: 'mono', text: names(again) }));
  });
  const sure = await confirmed({
    title: jobs.size === 1 ? 'Retry the job?' : `Retry ${jobs.size} jobs?`, action: 'Retry',
    details: [h('p', { text: 'Every module of that run that did not succeed is tried again, with the same command, as the next run:' }), h('ul', { class: 'plain' }, ...details)],
  });
  if (!sure) return;
  const { faults } = await each(jobs, ([job, run]) => retryJob(job, run));
  tellFaults('Retry', faults.map(({ item, error }) => ({ item: item[0], error })));
}

export async function retryJob(job, run) {
  const reply = await command('retry', { job, run });
  toast(`${reply.job}: run ${reply.run} with ${plural(reply.modules.length, 'module')}`);
}

export async function pauseJob(job) {
  await command('pause', { job });
  toast(`${job} is paused: nothing new is commanded, what was goes on`);
}

export async function resumeJob(job) {
  await command('resume', { job });
  toast(`${job} goes on`);
}

// What the scan found; a module that is lost, or another one at the port, is asked about first.
export async function scanModule(store, module) {
  const { state } = store.modules.get(module);
  const body = { module };
  if (state.problem === 'module_lost') {
    const sure = await confirmed({ title: `Speak to ${module}?`, action: 'It does not flash: speak to it', danger: true,
      details: [h('p', { text: 'It was lost in an update and may still be flashing: look at it first. When it answers, it is lost no more.' })] });
    if (!sure) return;
    body.force = true;
  } else if (state.problem === 'module_changed') {
    const sure = await confirmed({ title: `Take the module at the port of ${module}?`, action: 'Take it', danger: true,
      details: [h('p', { text: 'Another module (another IMEI) answers there. From now on it is the one of this name.' })] });
    if (!sure) return;
    body.accept = true;
  }
  const { modules: [found] } = await command('scan', body);
  if (found) showScan(found);
}

function showScan(found) {
  const facts = [['answers', found.online ? 'yes' : 'no'], ['problem', found.problem], ['model', found.model], ['version', found.version], ['IMEI', found.imei],
    ['SIM', found.sim], ['registered', found.registered === null ? null : found.registered ? 'yes' : 'no'], ['signal', found.signal_dbm === null ? null : `${found.signal_dbm} dBm`],
    ['a download now', found.network ? `${found.network.code}: ${found.network.meaning}. ${found.network.hint}` : found.online ? 'nothing would stop it' : null]];
  const rows = facts.filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) => [h('dt', { text: name }), h('dd', { text: String(value) })]);
  openDialog({ title: `Scan of ${found.module}`, body: [h('dl', { class: 'facts' }, ...rows)] });
}

export async function releaseModule(module) {
  const sure = await confirmed({ title: `Release the port of ${module}?`, action: 'Release it',
    details: [h('p', { text: 'The gateway lets go of the port, for your own terminal, until you claim it again. Meanwhile jobs for the module wait or are rejected.' })] });
  if (!sure) return;
  const { port } = await command('release', { module });
  toast(`${module} is released: ${port ?? 'its port is not known'}`);
}

export async function claimModule(module) {
  await command('claim', { module });
  toast(`${module} is the gateway’s again`);
}
