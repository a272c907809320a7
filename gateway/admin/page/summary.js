// The rack at a glance: how many modules are at what, and the jobs that run.
import { arrange, attr, h, icon, show, text } from './dom.js';
import { count } from './format.js';
import { pausedWords } from './jobs.js';
import { needsLook } from './order.js';
import { Counts, toneOf, versions } from './parts.js';
import { kEnded, kPhases } from './words.js';

const kJobsShown = 4;

// One number with its word, which is a button that filters by it.
class Tile {
  constructor(name, label, filter, onPress) {
    this.number = h('b');
    this.element = h('button', { type: 'button', class: 'tile', 'data-filter': filter, 'data-tone': toneOf(name), 'aria-pressed': 'false' },
      this.number, h('span', {}, icon(name === 'trouble' ? 'warn' : name === 'offline' ? 'ring' : name), label));
    this.element.addEventListener('click', () => onPress(filter));
    this.filter = filter;
  }

  set(number) {
    text(this.number, count(number));
    attr(this.element, 'data-none', number === 0 ? '' : null);
  }
}

export class Summary {
  constructor(store, onPress) {
    this.store = store;
    this.tiles = new Map(kPhases.map((phase) => [phase, new Tile(phase, phase, `phase:${phase}`, onPress)]));
    this.tiles.set('offline', new Tile('offline', 'offline', 'status:offline', onPress));
    this.tiles.set('trouble', new Tile('trouble', 'to look at', 'is:trouble', onPress));
    this.strip = h('div', { class: 'strip', 'aria-hidden': 'true' }, ...kPhases.map((phase) => h('i', { 'data-phase': phase })));
    this.jobs = h('ul', { class: 'running', role: 'list' });
    this.rows = new Map();
    this.more = h('a', { href: '#/jobs', class: 'more' });
    this.element = h('section', { class: 'summary', 'aria-label': 'Summary' },
      h('div', { class: 'tiles' }, ...[...this.tiles.values()].map(({ element }) => element)), this.strip, this.jobs, this.more);
  }

  update(news) {
    if (news.modules.size > 0) this.updateTiles();
    if (news.jobs.size > 0) this.updateJobs();
  }

  updateTiles() {
    const counts = Object.fromEntries([...this.tiles.keys()].map((name) => [name, 0]));
    let all = 0;
    for (const module of this.store.modules.values()) {
      if (!module.state) continue;
      ++all;
      ++counts[module.state.phase];
      if (module.status !== 'online') ++counts.offline;
      if (needsLook(module)) ++counts.trouble;
    }
    for (const [name, tile] of this.tiles) tile.set(counts[name]);
    for (const piece of this.strip.children) piece.style.setProperty('flex-grow', String(all === 0 ? 0 : counts[piece.dataset.phase] / all));
  }

  pressed(filter) {
    for (const tile of this.tiles.values()) attr(tile.element, 'aria-pressed', String(tile.filter === filter));
  }

  updateJobs() {
    const open = [...this.store.jobs.values()].filter(({ state }) => !kEnded.has(state))
      .sort((a, b) => (a.accepted_at < b.accepted_at ? -1 : 1));
    const shown = open.slice(0, kJobsShown);
    arrange(this.jobs, shown.map((job) => this.jobRow(job)));
    for (const id of this.rows.keys()) if (!shown.some(({ job }) => job === id)) this.rows.delete(id);
    show(this.jobs, shown.length > 0);
    show(this.more, open.length > kJobsShown);
    text(this.more, `${count(open.length - kJobsShown)} more jobs`);
  }

  jobRow({ job, state, counts, from, to, paused }) {
    if (!this.rows.has(job)) {
      const parts = { counts: new Counts(), note: h('span', { class: 'note' }) };
      parts.element = h('li', {}, h('a', { href: `#/job/${job}`, text: job, translate: 'no' }), versions(from, to), parts.counts.element, parts.note);
      this.rows.set(job, parts);
    }
    const parts = this.rows.get(job);
    parts.counts.set(counts);
    text(parts.note, pausedWords({ state, paused }) || (state === 'queued' ? 'queued' : ''));
    return parts.element;
  }
}
