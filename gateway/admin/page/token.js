// The token that writes need, and off loopback reads, too: asked for once, then the cookie says it.
import { access, logIn, logOut } from './api.js';
import { act, explain, openDialog, toast } from './dialog.js';
import { attr, h } from './dom.js';

let asking = null;   // whoever asks while the dialog is open waits for the same answer

export function askForToken(forWriting) {
  asking ??= new Promise((resolve) => openTokenDialog(forWriting, resolve)).finally(() => { asking = null; });
  return asking;
}

function openTokenDialog(forWriting, resolve) {
  let known = false;
  const input = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true, spellcheck: 'false', 'aria-describedby': 'token-place' });
  const fault = h('p', { class: 'fault', role: 'alert' });
  const go = h('button', { class: 'primary', type: 'submit', text: 'Use it', form: 'token-form' });
  const form = h('form', { id: 'token-form' },
    h('p', { text: forWriting ? 'To change anything the gateway wants its token.' : 'Off its own machine the gateway shows nothing without its token.' }),
    h('input', { type: 'text', name: 'username', autocomplete: 'username', value: location.host, hidden: true }),   // whose it is, for what keeps passwords
    h('label', { for: 'token', text: 'Token' }), input, fault,
    h('p', { class: 'hint', id: 'token-place' },
      'It stands in the file that ', h('code', { text: 'admin.token_file' }), ' of the gateway’s configuration names; without one in ',
      h('code', { text: 'admin_token' }), ' of its state directory (', h('code', { text: 'sudo cat /var/lib/dfota-gateway/admin_token' }),
      '). This browser keeps a cookie for it, not the token.'));
  const dialog = openDialog({ title: 'The gateway’s token', body: [form], actions: [go], className: 'question', onClose: () => resolve(known) });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    fault.textContent = '';
    try {
      await logIn(input.value.trim());
      known = true;
      dialog.close();
    } catch (error) {
      fault.textContent = error.status === 401 || error.status === 403 ? 'That is not the token of this gateway.' : explain(error);
      input.select();
    }
  });
}

// The button of the bar: tells whether this browser may write, and takes it back.
export function initAccessButton(button) {
  access.ask = askForToken;
  access.changed = () => {
    attr(button, 'aria-label', access.mayWrite ? 'Log out: this browser may change things' : 'Log in with the gateway’s token');
    attr(button, 'title', access.mayWrite ? 'Log out' : 'Log in with the token');
    attr(button, 'data-in', String(access.mayWrite));
  };
  access.changed();
  button.addEventListener('click', () => act(button, async () => {
    if (!access.mayWrite) return void await askForToken(true);
    await logOut();
    toast('Logged out: changes need the token again.');
  }));
}
