// Dialogs, questions and passing notes. A dialog gives the focus back to where it was when it closes.
import { h, icon } from './dom.js';

const kToastMs = 8000;
let numbers = 0;

// `body`: elements; `actions`: buttons. It is gone from the document when it is closed.
export function openDialog({ title, body, actions = [], className = '', onClose = () => {} }) {
  const id = `dialog-${++numbers}`;
  const close = h('button', { class: 'icon', type: 'button', 'aria-label': 'Close' }, icon('close'));
  const element = h('dialog', { class: className, 'aria-labelledby': id },
    h('header', {}, h('h2', { id, text: title }), close),
    h('div', { class: 'dialog-body' }, ...body),
    actions.length > 0 && h('footer', {}, ...actions));
  close.addEventListener('click', () => element.close());
  element.addEventListener('close', () => {
    element.remove();
    onClose();
  });
  // Beside it is away from it.
  element.addEventListener('pointerdown', (event) => { if (event.target === element) element.close(); });
  document.body.append(element);
  element.showModal();
  return element;
}

// Is what is pressed really meant? `details` are elements that say what comes of it.
export function confirmed({ title, details, action, danger = false }) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = h('button', { class: danger ? 'danger' : 'primary', type: 'button', text: action, 'data-act': 'confirm' });
    const no = h('button', { type: 'button', text: 'Leave it', autofocus: true });
    const element = openDialog({ title, body: details, actions: [no, yes], className: 'question', onClose: () => resolve(answer) });
    yes.addEventListener('click', () => {
      answer = true;
      element.close();
    });
    no.addEventListener('click', () => element.close());
  });
}

export function toast(message, bad = false) {
  const note = h('div', { class: bad ? 'toast bad' : 'toast' }, icon(bad ? 'warn' : 'succeeded'), h('span', { text: message }));
  const close = h('button', { class: 'icon', type: 'button', 'aria-label': 'Close the note', on: { click: () => note.remove() } }, icon('close'));
  note.append(close);
  const notes = document.getElementById('toasts');
  notes.append(note);
  while (notes.children.length > 4) notes.firstChild.remove();
  if (!bad) setTimeout(() => note.remove(), kToastMs);
}

export function explain(error) {
  return error.code && error.status !== 0 ? `${error.code}: ${error.message}` : error.message;
}

// What a button does: told when it is refused, and not twice at once.
export async function act(button, what) {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  try {
    await what();
  } catch (error) {
    toast(explain(error), true);
  } finally {
    button.removeAttribute('aria-busy');
  }
}
