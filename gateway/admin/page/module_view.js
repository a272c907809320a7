// One module: facts, what it is at, its history and its last AT dialogue. #/module/<id>
import { cancelModules, claimModule, releaseModule, retryModules, scanModule } from './actions.js';
import { get } from './api.js';
import { act, explain } from './dialog.js';
import { attr, h, show, text } from './dom.js';
import { bytes, duration, rate, time } from './format.js';
import { currentError } from './order.js';
import { Bar, Signal, Word, errorBlock, versions, word } from './parts.js';
import { Transcript } from './transcript.js';
import { openUpdateDialog } from './update_dialog.js';
import { kBad, kOutcomeMeaning, kPhaseMeaning, kProblemMeaning } from './words.js';

const kNumbers = new Set(['attempts', 'took']);
const kLong = new Set(['Problem', 'Version', 'Port']);   // a line of their own

export class ModuleView {
  constructor(store, id) {
    Object.assign(this, { store, id, title: id });
    this.facts = h('dl', { class: 'facts' });
    this.word = new Word();
    this.bar = new Bar();
    this.pace = h('p', { class: 'pace' });
    this.now = h('section', { class: 'now', 'aria-label': 'Now' }, h('div', { class: 'now-head' }, this.word.element, this.pace), this.bar.element);
    this.error = h('section', { 'aria-label': 'Last error' });
    this.history = h('tbody');
    this.none = h('p', { class: 'empty', text: 'No update of it has ended yet.' });
    this.table = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'History' }, h('table', {},
      h('thead', {}, h('tr', {}, ...['ended', 'outcome', 'from → to', 'attempts', 'took', 'job'].map((name) => h('th', { scope: 'col', class: kNumbers.has(name) ? 'num' : null, text: name })))), this.history));
    this.transcript = new Transcript(id);
    this.gone = h('p', { class: 'empty', role: 'status', text: 'The gateway has no such module.', hidden: true });
    this.buttons = this.makeButtons();
    this.body = h('div', { class: 'panel-body' }, h('div', { class: 'panel-tools' }, ...Object.values(this.buttons)), this.now, this.error,
      h('section', {}, h('h3', { text: 'Facts' }), this.facts), this.transcript.element, h('section', {}, h('h3', { text: 'History' }), this.table, this.none));
    this.element = h('div', {}, this.gone, this.body);
  }

  makeButtons() {
    const button = (name, label, className, what) => {
      const element = h('button', { type: 'button', class: className, text: label, 'data-act': name });
      element.addEventListener('click', () => act(element, what));
      return element;
    };
    const { store, id } = this;
    return {
      update: button('update', 'Update…', 'primary', () => openUpdateDialog(store, { modules: [id] })),
      scan: button('scan', 'Scan', '', () => scanModule(store, id)),
      retry: button('retry', 'Retry', '', () => retryModules(store, [id])),
      cancel: button('cancel', 'Cancel', 'danger', () => cancelModules(store, [id])),
      release: button('release', 'Release port', '', () => releaseModule(id)),
      claim: button('claim', 'Claim port', '', () => claimModule(id)),
    };
  }

  opened() {
    this.patch();
  }

  closed() {
    this.transcript.end();
  }

  update(news) {
    if (news.all || news.modules.has(this.id)) this.patch();
  }

  patch() {
    const module = this.store.modules.get(this.id);
    show(this.gone, this.store.ready && !module?.state);
    show(this.body, Boolean(module?.state));
    if (!module?.state) return;
    const { state, progress } = module;
    this.patchNow(state, state.phase === 'idle' ? null : progress);
    this.patchFacts(module);
    const error = currentError(module) ?? state.last_error;
    const shown = JSON.stringify([error, currentError(module) !== null]);
    if (this.shownError !== shown) {
      this.shownError = shown;
      const head = currentError(module) ? 'Last error' : 'An earlier error';
      this.error.replaceChildren(...(error ? [h('h3', {}, head, h('small', { text: ` ${time(error.ts)}, ${error.phase}, job ${error.job}` })), errorBlock(error)] : []));
    }
    this.patchButtons(state);
    this.transcript.follow(state.phase !== 'idle' && state.phase !== 'queued');
    const point = `${state.job} ${state.last_result} ${state.phase === 'idle'}`;
    if (this.point === point) return;
    this.point = point;
    this.load();
  }

  patchButtons({ job, last_result: last, problem }) {
    this.buttons.cancel.disabled = job === null;
    this.buttons.retry.disabled = job !== null || !kBad.has(last);
    this.buttons.scan.disabled = job !== null;
    show(this.buttons.release, problem !== 'released');
    show(this.buttons.claim, problem === 'released');
    this.buttons.release.disabled = job !== null;
  }

  patchNow(state, progress) {
    const last = state.phase === 'idle' ? state.last_result : null;
    this.word.set(last ?? state.phase);
    show(this.bar.element, progress !== null && state.phase !== 'queued');
    if (progress) this.bar.set(`${this.id}: ${state.phase}`, progress.overall_percent);
    const parts = [];
    if (progress?.bytes !== null && progress?.bytes !== undefined) parts.push(`${bytes(progress.bytes)} of ${bytes(progress.total_bytes)}`);
    if (progress?.bytes_per_second) parts.push(rate(progress.bytes_per_second));
    if (progress && progress.eta_s !== null) parts.push(`${duration(progress.eta_s)} left`);
    if (progress?.attempt > 1) parts.push(`attempt ${progress.attempt}`);
    if (progress?.hops > 1) parts.push(`delta ${progress.hop} of ${progress.hops}`);
    text(this.pace, parts.length > 0 ? parts.join(', ') : last ? `${kOutcomeMeaning[last]}; now it has no job` : kPhaseMeaning[state.phase]);
  }

  patchFacts({ state, status }) {
    const known = JSON.stringify([state, status]);
    if (this.known === known) return;
    this.known = known;
    const signal = new Signal();
    signal.set(state);
    const to = state.job ? this.store.jobs.get(state.job)?.to ?? null : null;
    const facts = [
      ['Problem', state.problem && `${state.problem}: ${kProblemMeaning[state.problem] ?? ''}`],
      ['Version', state.version && (to ? versions(state.version, to) : h('span', { class: 'mono', text: state.version }))],
      ['Status', status === 'online' ? 'online' : 'offline'], ['Job', state.job && h('a', { href: `#/job/${state.job}`, text: state.job })],
      ['Model', state.model && `${state.model}${state.profile ? '' : ' (of no family that can be updated)'}`], ['Family', state.profile],
      ['IMEI', state.imei && h('span', { class: 'mono', text: state.imei })], ['Tags', state.tags.join(', ')],
      ['Network', state.registered === null ? null : state.registered ? 'registered' : 'not registered'],
      ['Signal', state.signal_dbm === null && state.registered === null ? null : signal.element],
      ['Port', h('span', { class: 'mono', text: state.port ?? 'nobody knows where it stands' })],
    ];
    this.facts.replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) => [h('dt', { text: name }), h('dd', { class: kLong.has(name) ? 'long' : null }, value)]));
  }

  async load() {
    try {
      const { history = [], transcripts = [] } = await get(`modules/${encodeURIComponent(this.id)}`);
      this.history.replaceChildren(...history.map((row) => this.historyRow(row)));
      show(this.table, history.length > 0);
      show(this.none, history.length === 0);
      this.transcript.offer(transcripts);
    } catch (error) {
      if (error.status !== 404) attr(this.none, 'title', explain(error));
    }
  }

  historyRow({ job, run, outcome, from, to, version, attempts, duration_s: took, ended_at: ended, error }) {
    const other = version && version !== to ? h('small', { class: 'mono', text: ` runs ${version}` }) : null;
    return h('tr', {}, h('td', { text: time(ended) }),
      h('td', {}, word(outcome), error ? h('p', { class: 'why', title: error.hint }, h('b', { class: 'code', text: String(error.code) }), ` ${error.meaning}`) : null),
      h('td', {}, versions(from, to), other), h('td', { class: 'num', text: String(attempts) }), h('td', { class: 'num', text: duration(took) }),
      h('td', {}, h('a', { href: `#/job/${job}`, text: job }), run > 1 ? ` run ${run}` : ''));
  }
}
