// The deltas that the gateway keeps, what they lead to, and new ones.
import { command, get, putArtifact } from './api.js';
import { act, confirmed, explain, openDialog, toast } from './dialog.js';
import { h, show, text } from './dom.js';
import { bytes, count, natural, time } from './format.js';
import { drawGraph } from './graph.js';
import { versions } from './parts.js';
import { openUpdateDialog } from './update_dialog.js';

const kRedrawMs = 1000;   // of the modules on the picture

export class Artifacts {
  constructor(store) {
    this.store = store;
    this.list = [];
    this.use = h('span', { class: 'muted' });
    this.upload = h('button', { type: 'button', class: 'primary', text: 'Add a delta…', on: { click: () => openUpload(this) } });
    this.graphs = h('div', { class: 'graphs' });
    this.rows = h('tbody');
    this.empty = h('p', { class: 'empty', text: 'The gateway keeps no delta yet.' });
    this.table = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Deltas' }, h('table', {},
      h('thead', {}, h('tr', {}, ...['name', 'model', 'from → to', 'size', 'released', 'last used', ''].map((name) => (name ? h('th', { scope: 'col', class: name === 'size' ? 'num' : null, text: name }) : h('td'))))), this.rows));
    this.element = h('section', { class: 'artifacts', 'aria-label': 'Artifacts' },
      h('div', { class: 'toolbar' }, h('h2', { text: 'Artifacts' }), this.use, h('span', { class: 'spring' }), this.upload), this.graphs, this.table, this.empty);
  }

  opened() {
    this.isOpen = true;
    this.load();
  }

  closed() {
    this.isOpen = false;
  }

  update(news) {
    if (!this.isOpen) return;
    if (news.artifacts) this.load();
    else if (news.modules.size > 0) this.redrawTimer ??= setTimeout(() => this.drawGraphs(), kRedrawMs);
  }

  async load() {
    try {
      const { artifacts, used_bytes: used, max_bytes: max } = await get('artifacts');
      this.list = artifacts;
      text(this.use, `${bytes(used)} of ${bytes(max)} used`);
      this.rows.replaceChildren(...artifacts.map((artifact) => this.row(artifact)));
      show(this.table, artifacts.length > 0);
      show(this.empty, artifacts.length === 0);
      this.drawGraphs();
    } catch (error) {
      text(this.use, explain(error));
    }
  }

  row(artifact) {
    const { name, model, from, to, size, released, used_at: used, present, notes } = artifact;
    const remove = h('button', { type: 'button', text: 'Remove', 'aria-label': `Remove ${name}` });
    remove.addEventListener('click', () => act(remove, () => this.remove(name)));
    const update = h('button', { type: 'button', text: 'Update…', 'aria-label': `Update modules with ${name}` });
    update.addEventListener('click', () => openUpdateDialog(this.store, { artifact: name, model }));
    const day = typeof released === 'object' ? released.to : released;
    return h('tr', { 'data-artifact': name }, h('td', {}, h('span', { class: 'mono', text: name }), notes ? h('p', { class: 'hint', text: notes }) : null), h('td', { text: model }),
      h('td', {}, versions(from, to)), h('td', { class: 'num', text: bytes(size) }), h('td', { text: day ? day.slice(0, 10) : '' }),
      h('td', { text: used ? time(used) : present ? '' : 'not in the cache' }), h('td', {}, h('div', { class: 'acts' }, update, remove)));
  }

  async remove(name) {
    const sure = await confirmed({ title: `Remove ${name}?`, action: 'Remove it', danger: true,
      details: [h('p', { text: 'Its file goes, too, unless another artifact has the same bytes. It is refused while a job needs it.' })] });
    if (!sure) return;
    await command('artifact_remove', { name });
    toast(`${name} is removed`);
    await this.load();
  }

  // Of each model that has deltas.
  drawGraphs() {
    clearTimeout(this.redrawTimer);
    this.redrawTimer = null;
    const models = [...new Set(this.list.map(({ model }) => model))].sort(natural);
    const at = new Map(models.map((model) => [model, new Map()]));
    for (const { state } of this.store.modules.values()) {
      const counts = state && at.get(state.model);
      if (counts && state.version) counts.set(state.version, (counts.get(state.version) ?? 0) + 1);
    }
    const known = JSON.stringify([this.list, [...at].map(([model, counts]) => [model, [...counts]])]);
    if (this.drawn === known) return;
    this.drawn = known;
    this.graphs.replaceChildren(...models.map((model) => {
      const graph = drawGraph(model, this.list.filter((artifact) => artifact.model === model), at.get(model), (target) => openUpdateDialog(this.store, { target, model }));
      const all = [...at.get(model).values()].reduce((sum, one) => sum + one, 0);
      return h('section', { class: 'model' }, h('h3', {}, model, h('small', { text: ` ${count(all)} here` })),
        h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Graph of ${model}` }, graph));
    }));
  }
}

function field(label, input, hint = null) {
  const id = `upload-${label.replace(/\W/g, '')}`;
  input.id = id;
  return h('div', { class: 'field' }, h('label', { for: id, text: label }), input, hint && h('p', { class: 'hint', text: hint }));
}

async function sha256(file) {
  if (!globalThis.crypto?.subtle) return null;   // only pages of a safe origin may: without it the gateway's own hash stands alone
  const hash = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function openUpload(view) {
  const models = [...new Set([...view.store.modules.values()].map(({ state }) => state?.model).filter(Boolean))].sort(natural);
  const file = h('input', { type: 'file', required: true });
  const name = h('input', { type: 'text', required: true, pattern: '[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}', maxlength: '64', spellcheck: 'false' });
  const model = h('input', { type: 'text', required: true, maxlength: '64', list: 'upload-models', value: models.length === 1 ? models[0] : '' });
  const [from, to] = [0, 1].map(() => h('input', { type: 'text', required: true, maxlength: '64', class: 'mono', spellcheck: 'false', list: 'upload-versions' }));
  const released = h('input', { type: 'date' });
  const [notes, signature] = [2, 3].map((rows) => h('textarea', { rows, maxlength: '2048' }));
  const known = [...new Set([...view.store.modules.values()].map(({ state }) => state?.version).filter(Boolean))].sort(natural);
  const fault = h('p', { class: 'fault', role: 'alert' });
  const go = h('button', { class: 'primary', type: 'submit', text: 'Add it', form: 'upload' });
  file.addEventListener('change', () => { if (file.files[0] && !name.value) name.value = file.files[0].name; });
  const form = h('form', { id: 'upload' }, field('File', file), field('Name', name), field('Model', model, 'as the modules say it'),
    h('div', { class: 'two' }, field('From', from), field('To', to)), field('Released', released, 'when “to” was: it tells the newer version from the older one'),
    field('Notes', notes), field('Signature', signature, 'the text of its .minisig, where the gateway wants one'), fault,
    h('datalist', { id: 'upload-models' }, ...models.map((value) => h('option', { value }))), h('datalist', { id: 'upload-versions' }, ...known.map((value) => h('option', { value }))));
  const dialog = openDialog({ title: 'Add a delta', body: [form], actions: [go] });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    fault.textContent = '';
    go.disabled = true;
    try {
      const hash = await sha256(file.files[0]);
      const query = { model: model.value, from: from.value, to: to.value, sha256: hash, released: released.value, notes: notes.value, signature: signature.value };
      for (const [key, value] of Object.entries(query)) if (!value) delete query[key];
      await putArtifact(name.value, query, file.files[0]);
      toast(`${name.value} is added`);
      dialog.close();
      await view.load();
    } catch (error) {
      fault.textContent = explain(error);
    } finally {
      go.disabled = false;
    }
  });
}
