// What can be done with the modules that are selected.
import { cancelModules, retryModules } from './actions.js';
import { act } from './dialog.js';
import { h, show, text } from './dom.js';
import { count } from './format.js';
import { openUpdateDialog } from './update_dialog.js';
import { kBad } from './words.js';

export class SelectionBar {
  constructor(list) {
    this.list = list;
    this.words = h('span', { class: 'selected-words' });
    const button = (name, label, className, what) => {
      const element = h('button', { type: 'button', class: className, text: label, 'data-act': name });
      element.addEventListener('click', () => act(element, () => what([...list.selected])));
      return element;
    };
    this.update_ = button('update', 'Update…', 'primary', (ids) => openUpdateDialog(list.store, { modules: ids }));
    this.retry = button('retry', 'Retry', '', (ids) => retryModules(list.store, ids));
    this.cancel = button('cancel', 'Cancel', 'danger', (ids) => cancelModules(list.store, ids));
    this.clear = button('clear', 'Clear', 'plain', () => {
      list.selectAll(false);
      list.search.focus();
    });
    this.element = h('div', { class: 'selection', role: 'group', 'aria-label': 'Selected modules', hidden: true }, this.words, this.update_, this.retry, this.cancel, this.clear);
  }

  update() {
    const { selected, store } = this.list;
    show(this.element, selected.size > 0);
    if (selected.size === 0) return;
    text(this.words, `${count(selected.size)} selected`);
    const states = [...selected].map((id) => store.modules.get(id)?.state).filter(Boolean);
    this.retry.disabled = !states.some(({ job, last_result: last }) => job === null && kBad.has(last));
    this.cancel.disabled = !states.some(({ job }) => job !== null);
  }
}
