// The list of modules: hundreds up to a thousand, patched row by row, what is seen first, and a few milliseconds of a frame at most.
import { arrange, attr, h, icon, show, text } from './dom.js';
import { count } from './format.js';
import { ModuleRow } from './module_row.js';
import { arrangeModules, kGroups, kSorts, parseFilter } from './order.js';
import { SelectionBar } from './selection.js';

const kAllUpTo = 200;       // so many rows are all in the document; of more only those near to what is seen
const kReorderMs = 1000;    // rows that jump about cannot be read
const kBudgetMs = 6;        // of a frame, for rows that nobody sees
const kCardsUpTo = 24;      // so many modules or fewer are shown as cards, unless somebody chose

const saved = (name) => { try { return localStorage.getItem(`dfota.${name}`); } catch { return null; } };
const save = (name, value) => { try { localStorage.setItem(`dfota.${name}`, value); } catch { /* it holds until the page goes */ } };

export class ModuleList {
  constructor(store) {
    Object.assign(this, { store, rows: new Map(), lists: new Map(), shown: [], dirty: new Set(), seen: new Set(), selected: new Set() });
    this.options = { sort: saved('sort') ?? 'id', down: saved('down') === 'true', group: saved('group') ?? 'none' };
    if (!(this.options.sort in kSorts)) this.options.sort = 'id';
    if (!(this.options.group in kGroups)) this.options.group = 'none';
    this.layout = saved('layout');
    this.filter = parseFilter('');
    this.anchor = null;
    this.watcher = new IntersectionObserver((entries) => this.look(entries), { rootMargin: '800px' });
    this.bar = new SelectionBar(this);
    this.build();
  }

  build() {
    this.search = h('input', { type: 'search', id: 'filter', placeholder: 'Filter: id, tag, model, version, phase:…, error:716', 'aria-label': 'Filter the modules', autocomplete: 'off', spellcheck: 'false', 'aria-keyshortcuts': '/' });
    this.search.addEventListener('input', () => this.setFilter(this.search.value));
    this.all = h('input', { type: 'checkbox', 'aria-label': 'Select all that are shown' });
    this.all.addEventListener('change', () => this.selectAll(this.all.checked));
    this.found = h('span', { class: 'found' });
    const options = (table) => Object.entries(table).map(([value, { label }]) => h('option', { value, text: label }));
    this.groupBy = h('select', { 'aria-label': 'Group' }, ...options(kGroups));
    this.groupBy.value = this.options.group;
    this.groupBy.addEventListener('change', () => this.set({ group: this.groupBy.value }));
    this.sortBy = h('select', { 'aria-label': 'Sort', class: 'sort-by' }, ...options(kSorts));
    this.sortBy.addEventListener('change', () => this.set({ sort: this.sortBy.value, down: false }));
    this.layouts = ['rows', 'cards'].map((name) => {
      const button = h('button', { class: 'icon', type: 'button', 'aria-label': `Show as ${name}`, title: `Show as ${name}` }, icon(name));
      button.addEventListener('click', () => this.setLayout(name));
      return button;
    });
    this.heads = Object.entries(kSorts).map(([sort, { label }]) => {
      const button = h('button', { type: 'button', 'data-sort': sort }, h('span', { text: label }), icon('down'));
      button.addEventListener('click', () => this.set({ sort, down: this.options.sort === sort && !this.options.down }));
      return button;
    });
    this.empty = h('p', { class: 'empty' });
    this.groups = h('div', { class: 'groups' });
    this.groups.addEventListener('keydown', (event) => this.key(event));
    this.groups.addEventListener('click', (event) => this.click(event));
    this.element = h('section', { class: 'modules', 'aria-label': 'Modules' },
      h('div', { class: 'toolbar' },
        h('label', { class: 'select-all' }, this.all), h('div', { class: 'search' }, icon('search'), this.search), this.found,
        h('span', { class: 'spring' }), this.groupBy, this.sortBy, h('div', { class: 'pair', role: 'group', 'aria-label': 'Layout' }, ...this.layouts)),
      h('div', { class: 'heads' }, ...this.heads), this.groups, this.empty, this.bar.element);
  }

  // What the store has new.
  update(news) {
    let order = false;
    const changed = new Set(news.modules);
    if (news.jobs.size > 0) {
      for (const { id, state } of this.store.modules.values()) if (state && news.jobs.has(state.job)) changed.add(id);
    }
    for (const id of changed) {
      const module = this.store.modules.get(id);
      if (!module?.state) {
        this.forget(id);
        order = true;
        continue;
      }
      if (!this.rows.has(id)) {
        this.rows.set(id, new ModuleRow(id));
        order = true;
      }
      this.dirty.add(id);
    }
    this.patch();
    if (order || news.all) this.reorder();
    else if (changed.size > 0) this.reorderSoon();
    if (changed.size > 0) this.bar.update();
  }

  forget(id) {
    const row = this.rows.get(id);
    if (row) this.watcher.unobserve(row.element);
    this.rows.delete(id);
    this.dirty.delete(id);
    this.seen.delete(id);
    this.selected.delete(id);
  }

  look(entries) {
    for (const { target, isIntersecting } of entries) {
      const id = target.dataset.module;
      if (isIntersecting) this.seen.add(id);
      else this.seen.delete(id);
      this.fill(id);
    }
    this.patch();
  }

  fill(id) {
    const row = this.rows.get(id);
    row?.fill(!this.windowed || this.seen.has(id) || id === this.current || row.element.contains(document.activeElement));
  }

  patchOne(id) {
    this.dirty.delete(id);
    const module = this.store.modules.get(id);
    if (module?.state) this.rows.get(id)?.patch(module, module.state.job ? this.store.jobs.get(module.state.job)?.to ?? null : null);
  }

  // First what is seen; the others as far as the frame has time for them, and only where they are in the document.
  patch() {
    for (const id of this.seen) if (this.dirty.has(id)) this.patchOne(id);
    if (this.windowed) return;
    const end = performance.now() + kBudgetMs;
    for (const id of this.dirty) {
      if (performance.now() > end) break;
      this.patchOne(id);
    }
    if (this.dirty.size === 0 || this.patching) return;
    this.patching = requestAnimationFrame(() => {
      this.patching = null;
      this.patch();
    });
  }

  reorderSoon() {
    this.reorderTimer ??= setTimeout(() => this.reorder(), kReorderMs);
  }

  reorder() {
    clearTimeout(this.reorderTimer);
    this.reorderTimer = null;
    const modules = [...this.store.modules.values()].filter(({ state }) => state);
    this.windowed = modules.length > kAllUpTo;
    const groups = arrangeModules(modules, { ...this.options, filter: this.filter });
    const focused = this.groups.contains(document.activeElement) ? document.activeElement : null;
    arrange(this.groups, groups.map((group) => this.arrangeGroup(group)));
    for (const name of this.lists.keys()) if (!groups.some((group) => group.name === name)) this.lists.delete(name);
    this.shown = groups.flatMap((group) => group.modules.map(({ id }) => id));
    if (focused && focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    this.showFacts(modules.length);
  }

  arrangeGroup({ name, modules }) {
    if (!this.lists.has(name)) {
      const head = h('h2', { class: 'group-head' }, h('span'), h('small'));
      const list = h('ul', { class: 'module-list', role: 'list' });
      this.lists.set(name, { head, list, section: h('section', {}, head, list) });
    }
    const { head, list, section } = this.lists.get(name);
    show(head, name !== '');
    text(head.firstChild, name);
    text(head.lastChild, count(modules.length));
    for (const { id } of modules) {
      this.watcher.observe(this.rows.get(id).element);
      this.fill(id);
    }
    arrange(list, modules.map(({ id }) => this.rows.get(id).element));
    return section;
  }

  showFacts(all) {
    text(this.found, this.shown.length === all ? count(all) : `${count(this.shown.length)} of ${count(all)}`);
    show(this.empty, this.shown.length === 0);
    text(this.empty, !this.store.ready ? 'Waiting for the gateway.' : all === 0 ? 'The gateway has no modules yet: name them in its configuration, or let it look for them ([discovery]).' : 'No module fits the filter.');
    const layout = this.layout ?? (all > 0 && all <= kCardsUpTo ? 'cards' : 'rows');
    attr(this.element, 'data-layout', layout);
    this.layouts.forEach((button, i) => attr(button, 'aria-pressed', String(['rows', 'cards'][i] === layout)));
    for (const head of this.heads) {
      const chosen = head.dataset.sort === this.options.sort;
      attr(head, 'aria-pressed', String(chosen));
      attr(head, 'data-down', chosen && this.options.down ? '' : null);
    }
    this.sortBy.value = this.options.sort;
    if (!this.shown.includes(this.current)) this.setCurrent(this.shown[0] ?? null);
    this.showSelection();
  }

  set(options) {
    Object.assign(this.options, options);
    for (const [name, value] of Object.entries(this.options)) save(name, String(value));
    this.reorder();
  }

  setLayout(layout) {
    this.layout = layout;
    save('layout', layout);
    this.reorder();
  }

  setFilter(filter) {
    if (this.search.value !== filter) this.search.value = filter;
    this.filter = parseFilter(filter);
    this.reorder();
    this.onFilter?.(filter);
  }

  setCurrent(id) {
    this.rows.get(this.current)?.reachable(false);
    this.current = id;
    this.rows.get(id)?.reachable(true);
    this.fill(id);
    if (this.dirty.has(id)) this.patchOne(id);
  }

  select(ids, selected) {
    for (const id of ids) {
      if (selected) this.selected.add(id);
      else this.selected.delete(id);
    }
    this.showSelection();
  }

  selectAll(selected) {
    this.select(selected ? this.shown : [...this.selected], selected);
  }

  showSelection() {
    for (const [id, row] of this.rows) row.select(this.selected.has(id));
    const picked = this.shown.filter((id) => this.selected.has(id)).length;
    this.all.checked = picked > 0 && picked === this.shown.length;
    this.all.indeterminate = picked > 0 && picked < this.shown.length;
    this.bar.update();
  }

  // With Shift all between this one and the one before.
  click(event) {
    const row = event.target.closest('.module');
    if (!row || event.target.tagName !== 'INPUT') return;
    this.toggle(row.dataset.module, event.target.checked, event.shiftKey);
  }

  toggle(id, selected, range) {
    const [from, to] = [this.shown.indexOf(this.anchor), this.shown.indexOf(id)];
    const ids = range && from >= 0 ? this.shown.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
    this.anchor = id;
    this.setCurrent(id);
    this.select(ids, selected);
  }

  key(event) {
    const row = event.target.closest('.module');
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const id = row.dataset.module;
    if (event.key === ' ' && event.target.tagName === 'A') {
      event.preventDefault();
      return this.toggle(id, !this.selected.has(id), event.shiftKey);
    }
    const next = this.neighbour(this.shown.indexOf(id), event.key);
    if (next === undefined) return;
    event.preventDefault();
    this.setCurrent(next);
    if (event.shiftKey) this.select([id, next], true);
    const { link } = this.rows.get(next);
    link.focus();
    link.scrollIntoView({ block: 'nearest' });
  }

  neighbour(at, key) {
    const columns = this.element.dataset.layout === 'cards' ? this.columns() : 1;
    const step = { ArrowDown: columns, ArrowUp: -columns, ArrowRight: columns > 1 ? 1 : 0, ArrowLeft: columns > 1 ? -1 : 0, PageDown: 10, PageUp: -10 }[key];
    if (key === 'Home') return this.shown[0];
    if (key === 'End') return this.shown.at(-1);
    return step ? this.shown[Math.max(0, Math.min(this.shown.length - 1, at + step))] : undefined;
  }

  columns() {
    const list = this.groups.querySelector('.module-list');
    return list ? getComputedStyle(list).gridTemplateColumns.split(' ').length : 1;
  }
}
