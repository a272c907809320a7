// One job: how it goes on, and what becomes of each of its modules. #/job/<id>
import { get } from './api.js';
import { h, show, text } from './dom.js';
import { count, natural, time } from './format.js';
import { currentError } from './order.js';
import { jobButtons, patchJobButtons, pausedWords, rolloutWords } from './jobs.js';
import { Counts, Word, errorBlock, versions, word } from './parts.js';
import { kEnded, kOutcomeMeaning } from './words.js';

const kAgainMs = 1000;
// What somebody must look at stands above.
const kOrder = ['lost', 'failed', 'rejected', 'running', 'queued', 'canceled', 'succeeded', 'skipped'];

export class JobView {
  constructor(store, id) {
    Object.assign(this, { store, id, title: id });
    this.word = new Word();
    this.note = h('p', { class: 'note' });
    this.counts = new Counts();
    this.facts = h('dl', { class: 'facts' });
    this.modules = h('div', { class: 'outcomes' });
    this.buttons = jobButtons(store, id);
    this.gone = h('p', { class: 'empty', role: 'status', text: 'The gateway has no such job (any more).', hidden: true });
    this.body = h('div', { class: 'panel-body' }, h('div', { class: 'panel-tools' }, ...Object.values(this.buttons)),
      h('section', { class: 'now', 'aria-label': 'Now' }, this.word.element, this.counts.element, this.note),
      h('section', {}, h('h3', { text: 'Facts' }), this.facts), h('section', {}, h('h3', { text: 'Modules' }), this.modules));
    this.element = h('div', {}, this.gone, this.body);
  }

  opened() {
    this.patch();
    this.load();
  }

  closed() {
    clearTimeout(this.timer);
  }

  update(news) {
    if (!news.all && !news.jobs.has(this.id)) return;
    this.patch();
    this.timer ??= setTimeout(() => this.load(), kAgainMs);
  }

  patch() {
    const row = this.store.jobs.get(this.id);
    show(this.gone, this.store.ready && !row);
    show(this.body, Boolean(row));
    if (!row) return;
    this.word.set(row.state);
    this.counts.set(row.counts);
    const paused = pausedWords(row);
    text(this.note, paused);
    show(this.note, paused !== '');
    patchJobButtons(this.buttons, row);
    const facts = [
      ['Versions', versions(row.from, row.to)], ['Delivery', row.delivery], ['Run', String(row.run)], ['Rollout', rolloutWords(row.rollout).join(', ') || 'all at once, as the limits allow'],
      ['Accepted', time(row.accepted_at)], ['Expires', kEnded.has(row.state) ? null : time(row.expires_at)],
    ];
    const known = JSON.stringify([row.from, row.to, row.run, row.rollout, row.state]);
    if (this.known === known) return;
    this.known = known;
    this.facts.replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) => [h('dt', { text: name }), h('dd', {}, value)]));
  }

  async load() {
    this.timer = null;
    try {
      const { modules = {} } = await get(`jobs/${encodeURIComponent(this.id)}`);
      this.draw(modules);
    } catch { /* it is told as gone, or the connection is */ }
  }

  draw(modules) {
    const known = JSON.stringify(modules);
    if (this.drawn === known) return;
    this.drawn = known;
    const groups = new Map();
    for (const [id, outcome] of Object.entries(modules)) groups.set(outcome, [...groups.get(outcome) ?? [], id]);
    this.modules.replaceChildren(...kOrder.filter((name) => groups.has(name)).map((name) => this.group(name, groups.get(name).sort(natural))));
  }

  group(outcome, ids) {
    const bad = ['lost', 'failed', 'rejected'].includes(outcome);
    return h('section', { 'data-outcome': outcome },
      h('h4', {}, word(outcome), h('small', { text: ` ${count(ids.length)}${kOutcomeMeaning[outcome] ? `: ${kOutcomeMeaning[outcome]}` : ''}` })),
      h('ul', { class: bad ? 'bad-list' : 'id-list', role: 'list' }, ...ids.map((id) => {
        const module = this.store.modules.get(id);
        const error = bad && module?.state ? currentError(module) : null;
        return h('li', {}, h('a', { href: `#/module/${id}`, text: id, translate: 'no' }), error && error.job === this.id ? errorBlock(error) : null);
      })));
  }
}
