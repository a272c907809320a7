// One module in the list: the same elements as a row and as a card, only page.css tells them apart. Patched, never made anew.
import { attr, h, icon, show, text } from './dom.js';
import { duration, rate } from './format.js';
import { currentError } from './order.js';
import { Bar, Signal, Version, Word } from './parts.js';
import { kOutcomeMeaning, kPhaseMeaning, kProblemMeaning } from './words.js';

export class ModuleRow {
  constructor(id) {
    this.id = id;
    this.check = h('input', { type: 'checkbox', tabindex: '-1', 'aria-label': `Select ${id}` });
    this.link = h('a', { href: `#/module/${id}`, text: id, tabindex: '-1', class: 'm-link', translate: 'no' });
    this.away = h('span', { class: 'away' }, icon('ring'), h('span'));
    this.model = h('span', { class: 'm-model', translate: 'no' });
    this.tags = h('span', { class: 'm-tags', translate: 'no' });
    this.word = new Word();
    this.note = h('span', { class: 'm-note' });
    this.bar = new Bar();
    this.rate = h('span', { class: 'm-rate' });
    this.eta = h('span', { class: 'm-eta' });
    this.version = new Version();
    this.to = new Version();
    this.arrow = h('span', { class: 'm-to' }, h('span', { class: 'arrow', text: '→ ' }), this.to.element);
    this.signal = new Signal();
    this.code = h('b', { class: 'code' });
    this.meaning = h('span');
    this.hint = h('small');
    this.error = h('div', { class: 'm-error' }, h('p', {}, icon('warn'), this.code, ' ', this.meaning), this.hint);
    this.parts = [
      h('label', { class: 'm-check' }, this.check),
      h('div', { class: 'm-id' }, this.link, this.away, h('span', { class: 'm-facts' }, this.model, this.tags)),
      h('div', { class: 'm-phase' }, this.word.element, this.note),
      h('div', { class: 'm-bar' }, this.bar.element),
      h('div', { class: 'm-pace' }, this.rate, this.eta),
      h('div', { class: 'm-version' }, this.version.element, this.arrow),
      h('div', { class: 'm-signal' }, this.signal.element),
      this.error,
    ];
    this.element = h('li', { class: 'module', 'data-module': id });
    this.filled = false;
  }

  // Of many modules only those that are near to what is seen are in the document; the others keep their places.
  fill(yes) {
    if (this.filled === yes) return;
    this.filled = yes;
    this.element.replaceChildren(...(yes ? this.parts : []));
  }

  // `to`: where its job leads to, or null.
  patch(module, to) {
    const { state, status } = module;
    const online = status === 'online';
    show(this.away, !online);
    if (!online) text(this.away.lastChild, state.problem && state.problem !== 'absent' ? state.problem : `offline${state.problem ? ': absent' : ''}`);
    attr(this.away, 'title', kProblemMeaning[state.problem] ?? null);
    attr(this.element, 'data-status', status);
    attr(this.element, 'data-phase', state.phase);
    text(this.model, state.model ?? '');
    text(this.tags, state.tags.join(' '));
    this.version.set(state.version ?? (online ? '' : '–'), to);
    show(this.arrow, to !== null);
    if (to !== null) this.to.set(to, state.version);
    this.signal.set(state);
    this.patchPhase(module);
    this.patchError(module);
  }

  patchPhase({ id, state, progress }) {
    const idle = state.phase === 'idle';
    const shown = idle && state.last_result ? state.last_result : state.phase;
    this.word.set(shown);
    attr(this.word.element, 'title', kOutcomeMeaning[shown] ?? kPhaseMeaning[shown] ?? null);
    const current = idle ? null : progress;
    show(this.bar.element, current !== null && state.phase !== 'queued');
    if (current) this.bar.set(`${id}: ${state.phase}`, current.overall_percent);
    text(this.rate, rate(current?.bytes_per_second));
    text(this.eta, current && current.eta_s !== null ? `${duration(current.eta_s)} left` : '');
    const notes = [];
    if (current?.attempt > 1) notes.push(`attempt ${current.attempt}`);
    if (current?.hops > 1) notes.push(`delta ${current.hop} of ${current.hops}`);
    if (idle && state.problem && state.problem !== 'absent') notes.push(state.problem);
    text(this.note, notes.join(', '));
  }

  patchError(module) {
    const error = currentError(module);
    show(this.error, error !== null);
    if (!error) return;
    text(this.code, String(error.code));
    text(this.meaning, error.meaning);
    text(this.hint, error.hint);
    attr(this.error, 'title', `${error.code} ${error.meaning}\n${error.hint}`);
  }

  select(selected) {
    if (this.check.checked !== selected) this.check.checked = selected;
    attr(this.element, 'data-selected', selected ? '' : null);
  }

  // Only one row is in the order of Tab; the arrows go between them.
  reachable(yes) {
    attr(this.link, 'tabindex', yes ? '0' : '-1');
    attr(this.check, 'tabindex', yes ? '0' : '-1');
  }
}
