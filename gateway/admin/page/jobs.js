// The jobs: what each is at, how it goes on, and until when.
import { cancelJob, pauseJob, resumeJob, retryJob } from './actions.js';
import { act } from './dialog.js';
import { arrange, attr, h, show, text } from './dom.js';
import { count, time } from './format.js';
import { Counts, Word, versions } from './parts.js';
import { kEnded } from './words.js';

const kPage = 100;   // the newest; more when asked for

// How a job goes on over its modules, in words.
export function rolloutWords(rollout) {
  if (!rollout) return [];
  const { canary, max_parallel: parallel, abort_after_failures: failures, window, not_before: begins, absent, attempts } = rollout;
  return [
    canary && `${count(canary)} first as ${canary === 1 ? 'a canary' : 'canaries'}`, parallel && `${count(parallel)} at once`,
    failures && `stops at ${count(failures)} failed`, window && `from ${window.start} to ${window.end}`,
    begins && `not before ${time(begins)}`, attempts && `${attempts} attempts`, absent === 'wait' && 'waits for absent modules',
  ].filter(Boolean);
}

export function jobButtons(store, job) {
  const button = (name, label, className, what) => {
    const element = h('button', { type: 'button', class: className, text: label, 'data-act': name });
    element.addEventListener('click', () => act(element, () => what(store.jobs.get(job))));
    return element;
  };
  return {
    pause: button('pause', 'Pause', '', () => pauseJob(job)),
    resume: button('resume', 'Resume', '', () => resumeJob(job)),
    retry: button('retry', 'Retry', '', (row) => retryJob(job, row.run)),
    cancel: button('cancel', 'Cancel', 'danger', () => cancelJob(store, job)),
  };
}

export function patchJobButtons(buttons, { state, counts }) {
  const ended = kEnded.has(state);
  show(buttons.pause, !ended && state !== 'paused');
  show(buttons.resume, state === 'paused');
  show(buttons.cancel, !ended);
  show(buttons.retry, ended && counts.failed + counts.rejected + counts.canceled + counts.lost > 0);
}

// Why it waits, where anybody has said why.
export function pausedWords({ state, paused }) {
  if (state !== 'paused') return '';
  return typeof paused === 'string' ? `paused: ${paused}` : 'paused: nothing new is commanded';
}

class JobRow {
  constructor(store, job) {
    this.word = new Word();
    this.run = h('small');
    this.counts = new Counts();
    this.note = h('p', { class: 'note' });
    this.times = h('div', { class: 'j-times' });
    this.way = h('div', { class: 'j-way' });
    this.buttons = jobButtons(store, job);
    for (const button of Object.values(this.buttons)) button.setAttribute('aria-label', `${button.textContent} ${job}`);
    this.element = h('li', { class: 'job', 'data-job': job },
      h('div', { class: 'j-id' }, h('a', { href: `#/job/${job}`, text: job, translate: 'no' }), this.run, this.word.element), this.way,
      h('div', { class: 'j-counts' }, this.counts.element, this.note), this.times, h('div', { class: 'j-acts' }, ...Object.values(this.buttons)));
  }

  patch(row) {
    this.word.set(row.state);
    attr(this.element, 'data-state', row.state);
    text(this.run, row.run > 1 ? `run ${row.run}` : '');
    this.counts.set(row.counts);
    const way = `${row.from} ${row.to} ${row.delivery}`;
    if (this.known !== way) {
      this.known = way;
      this.way.replaceChildren(versions(row.from, row.to), h('small', { text: row.delivery }));
    }
    const notes = [pausedWords(row), ...rolloutWords(row.rollout)].filter(Boolean);
    text(this.note, notes.join(', '));
    show(this.note, notes.length > 0);
    const expiry = !kEnded.has(row.state) && row.expires_at ? `, expires ${time(row.expires_at)}` : '';
    text(this.times, `accepted ${time(row.accepted_at)}${expiry}`);
    patchJobButtons(this.buttons, row);
  }
}

export class JobList {
  constructor(store) {
    Object.assign(this, { store, rows: new Map(), limit: kPage });
    this.list = h('ul', { class: 'job-list', role: 'list' });
    this.empty = h('p', { class: 'empty', text: 'There is no job. “Start a job…” makes one; so does a command over MQTT.' });
    this.more = h('button', { type: 'button', text: 'Show more', on: { click: () => this.showMore() } });
    this.element = h('section', { class: 'jobs', 'aria-label': 'Jobs' }, h('h2', { class: 'sr', text: 'Jobs' }), this.list, this.empty, this.more);
  }

  opened() {
    this.update({ all: true, jobs: new Set(this.store.jobs.keys()) });
  }

  showMore() {
    this.limit += kPage;
    this.opened();
  }

  update(news) {
    if (!news.all && news.jobs.size === 0) return;
    // Those that go on stand above those that have ended; of each the newest first.
    const all = [...this.store.jobs.values()].sort((a, b) => kEnded.has(a.state) - kEnded.has(b.state) || (a.accepted_at < b.accepted_at ? 1 : -1));
    const shown = all.slice(0, this.limit);
    for (const row of shown) {
      const known = this.rows.has(row.job);
      if (!known) this.rows.set(row.job, new JobRow(this.store, row.job));
      if (!known || news.jobs.has(row.job)) this.rows.get(row.job).patch(row);
    }
    for (const job of this.rows.keys()) if (!this.store.jobs.has(job)) this.rows.delete(job);
    arrange(this.list, shown.map(({ job }) => this.rows.get(job).element));
    show(this.empty, this.store.ready && all.length === 0);
    show(this.more, all.length > shown.length);
  }
}
