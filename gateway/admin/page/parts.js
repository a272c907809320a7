// Small parts that several views show: a version, a signal, a module's bar, the counts of a job.
import { attr, h, icon, setIcon, show, svg, text } from './dom.js';
import { count, difference, signalSteps } from './format.js';
import { kBad, kDanger, kOutcomes } from './words.js';

// What differs from the other version stands out.
export class Version {
  constructor(className = '') {
    this.parts = ['before', 'part', 'after'].map((name) => h('span', { class: `v-${name}` }));
    this.element = h('span', { class: `version ${className}`, translate: 'no' }, ...this.parts);
  }

  set(version, other = null) {
    const { before, part, after } = difference(version ?? '', other);
    text(this.parts[0], before);
    text(this.parts[1], part);
    text(this.parts[2], after);
    attr(this.element, 'data-differs', other && version !== other ? '' : null);
    attr(this.element, 'title', version || null);
  }
}

export class Signal {
  constructor() {
    this.steps = svg('svg', { class: 'signal-steps', viewBox: '0 0 16 12', 'aria-hidden': 'true' },
      ...[0, 1, 2, 3].map((step) => svg('rect', { x: step * 4, y: 9 - step * 3, width: 3, height: 3 + step * 3, rx: 0.5 })));
    this.words = h('span');
    this.out = h('small', { text: 'no network' });
    this.element = h('span', { class: 'signal' }, this.steps, this.words, this.out);
  }

  set({ signal_dbm: dbm, registered }) {
    attr(this.steps, 'data-steps', String(signalSteps(dbm)));
    text(this.words, dbm === null ? '' : `−${Math.abs(dbm)} dBm`);
    show(this.out, registered === false);
    attr(this.element, 'data-out', registered === false ? '' : null);
    attr(this.steps, 'class', dbm === null ? 'signal-steps none' : 'signal-steps');
  }
}

// The first half is the way of the delta into the module, the second one what is behind the border, where nothing is cut off any more.
export class Bar {
  constructor() {
    this.cover = h('i');
    this.bar = h('div', { class: 'bar', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.cover);
    this.percent = h('span', { class: 'percent' });
    this.element = h('div', { class: 'progress' }, this.bar, this.percent);
    this.at = null;
  }

  set(label, percent) {
    attr(this.bar, 'aria-label', label);
    if (this.at === percent) return;
    this.at = percent;
    this.bar.setAttribute('aria-valuenow', String(percent));
    this.cover.style.setProperty('transform', `translateX(${percent}%)`);
    text(this.percent, `${Math.floor(percent)} %`);
  }
}

export function toneOf(word) {
  if (word === 'succeeded' || word === 'skipped') return 'good';
  if (kBad.has(word) || word === 'partial') return word === 'canceled' ? 'still' : 'bad';
  if (kDanger.has(word)) return 'danger';
  return word === 'idle' || word === 'queued' || word === 'paused' ? 'still' : 'move';
}

// A word of the field with its sign.
export class Word {
  constructor() {
    this.icon = icon('idle');
    this.word = h('span');
    this.element = h('span', { class: 'word' }, this.icon, this.word);
  }

  set(name, label = name) {
    setIcon(this.icon, name);
    text(this.word, label);
    attr(this.element, 'data-tone', toneOf(name));
  }
}

export function word(name, label = name) {
  const one = new Word();
  one.set(name, label);
  return one.element;
}

const kCounted = ['succeeded', 'skipped', 'failed', 'lost', 'rejected', 'canceled', 'running', 'queued'];

// How many of a job's modules are where, as a bar and in words.
export class Counts {
  constructor() {
    this.pieces = new Map(kCounted.map((name) => [name, h('i', { 'data-count': name })]));
    this.bar = h('div', { class: 'stack', 'aria-hidden': 'true' }, ...this.pieces.values());
    this.words = h('span', { class: 'stack-words' });
    this.element = h('div', { class: 'counts' }, this.bar, this.words);
  }

  set(counts) {
    const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
    for (const [name, piece] of this.pieces) {
      const share = all === 0 ? 0 : counts[name] / all;
      piece.style.setProperty('flex-grow', String(share));
      attr(piece, 'class', share > 0 ? 'some' : '');
    }
    const done = kOutcomes.reduce((sum, name) => sum + counts[name], 0);
    const others = ['failed', 'lost', 'rejected', 'canceled', 'skipped'].filter((name) => counts[name] > 0).map((name) => `${count(counts[name])} ${name}`);
    text(this.words, [`${count(done)} of ${count(all)} done`, ...others].join(', '));
  }
}

// What went wrong: what it is called, what it means, what to look at.
export function errorBlock(error) {
  return h('div', { class: 'error-block' },
    h('p', { class: 'error-head' }, icon('warn'), h('b', { class: 'code', text: String(error.code) }), ' ', h('span', { text: error.meaning })),
    error.message ? h('p', { class: 'error-message', text: error.message }) : null,
    h('p', { class: 'error-hint' }, h('b', { text: 'Hint: ' }), h('span', { text: error.hint })));
}

// The way from one version to another, in words.
export function versions(from, to) {
  const [a, b] = [new Version(), new Version()];
  a.set(from ?? 'any', from && to);
  b.set(to ?? 'the version before', from);
  return h('span', { class: 'from-to' }, a.element, h('span', { class: 'arrow', text: ' → ' }), b.element);
}
