// Starting a job: which modules, where to, how; first what would be done with each of them, then the job.
import { command, get } from './api.js';
import { explain, openDialog, toast } from './dialog.js';
import { h, show } from './dom.js';
import { count, natural, plural } from './format.js';
import { drawPreview } from './preview.js';
import { kDeliveries } from './words.js';
import { names } from './actions.js';

let fields = 0;

function field(label, input, hint = null) {
  input.id = `job-field-${++fields}`;
  const note = hint && h('p', { class: 'hint', id: `${input.id}-hint`, text: hint });
  if (note) input.setAttribute('aria-describedby', note.id);
  return h('div', { class: 'field' }, h('label', { for: input.id, text: label }), input, note);
}

const choice = (name, options, value) => {
  const select = h('select', { name }, ...options.map(([key, label]) => h('option', { value: key, text: label })));
  if (value !== undefined) select.value = value;
  return select;
};
const amount = (name, max) => h('input', { type: 'number', name, min: '1', max: String(max), inputmode: 'numeric' });

class UpdateDialog {
  constructor(store, preset, artifacts) {
    Object.assign(this, { store, preset, artifacts });
    this.modules = [...store.modules.values()].filter(({ state }) => state);
    this.makeScope();
    this.makeWay();
    this.makeRollout();
    this.fault = h('p', { class: 'fault', role: 'alert' });
    this.preview = h('div', { class: 'preview', 'aria-live': 'polite' });
    this.look = h('button', { type: 'submit', form: 'job-form', class: 'primary', text: 'Preview', 'data-act': 'preview' });
    this.start = h('button', { type: 'button', class: 'primary', text: 'Start', hidden: true, 'data-act': 'start' });
    this.back = h('button', { type: 'button', text: 'Change it', hidden: true, 'data-act': 'back' });
    this.form = h('form', { id: 'job-form' }, this.scopeField, this.idsField, this.tagField, this.modelField, this.wayField, this.targetField, this.artifactField, this.rollout);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.busy(() => this.dryRun());
    });
    this.form.addEventListener('change', () => this.adapt());
    this.start.addEventListener('click', () => this.busy(() => this.run()));
    this.back.addEventListener('click', () => this.showForm());
    this.dialog = openDialog({ title: 'Start a job', body: [this.form, this.preview, this.fault], actions: [this.back, this.look, this.start], className: 'wide' });
    this.adapt();
  }

  makeScope() {
    const { modules: ids, model } = this.preset;
    const tags = [...new Set(this.modules.flatMap(({ state }) => state.tags))].sort(natural);
    const models = [...new Set(this.modules.map(({ state }) => state.model).filter(Boolean))].sort(natural);
    const scopes = [['all', `all ${count(this.modules.length)} modules`]];
    if (ids) scopes.unshift(['ids', ids.length === 1 ? ids[0] : `the ${count(ids.length)} selected modules`]);
    if (models.length > 0) scopes.push(['model', 'those of a model']);
    if (tags.length > 0) scopes.push(['tag', 'those with a tag']);
    this.scope = choice('scope', scopes, ids ? 'ids' : model && models.includes(model) ? 'model' : 'all');
    this.scopeField = field('Modules', this.scope);
    this.idsField = h('p', { class: 'hint mono', text: ids && ids.length > 1 ? names(ids) : '' });
    this.tag = choice('tag', tags.map((tag) => [tag, tag]));
    this.tagField = field('Tag', this.tag);
    this.model = choice('model', models.map((one) => [one, one]), models.includes(model) ? model : undefined);
    this.modelField = field('Model', this.model);
  }

  makeWay() {
    const { target, artifact } = this.preset;
    const inScope = new Set((this.preset.modules ?? []).map((id) => this.store.modules.get(id)?.state?.model).filter(Boolean));
    const fits = (model) => (this.preset.model ? model === this.preset.model : inScope.size === 0 || inScope.has(model));
    const ways = [['target', 'to a version'], ['artifact', 'with one delta'], ['rollback', 'back to the version before']];
    this.way = choice('way', this.artifacts.length > 0 ? ways : ways.filter(([key]) => key !== 'artifact'), artifact ? 'artifact' : 'target');
    this.wayField = field('Where to', this.way);
    const targets = [...new Set(this.artifacts.filter(({ model }) => fits(model)).map(({ to }) => to))].sort(natural).reverse();
    this.target = h('input', { type: 'text', name: 'target', maxlength: '64', class: 'mono', spellcheck: 'false', autocomplete: 'off', list: 'job-targets', value: target ?? targets[0] ?? '' });
    this.targetField = h('div', {}, field('Version', this.target, targets.length > 0 ? 'exactly as modules report it; the gateway plans the way, over several deltas if need be' : 'there is no delta yet: see Artifacts'),
      h('datalist', { id: 'job-targets' }, ...targets.map((value) => h('option', { value }))));
    this.artifact = choice('artifact', this.artifacts.map(({ name, model, from, to }) => [name, `${name} (${model}: ${from} → ${to})`]), artifact);
    this.artifactField = field('Delta', this.artifact);
  }

  makeRollout() {
    this.delivery = choice('delivery', Object.entries(kDeliveries), 'http');
    this.canary = amount('canary', 10000);
    this.parallel = amount('max_parallel', 10000);
    this.failures = amount('abort_after_failures', 10000);
    this.attempts = amount('attempts', 10);
    this.absent = choice('absent', [['fail', 'rejected after a while'], ['wait', 'waited for']]);
    this.windowStart = h('input', { type: 'time', name: 'start' });
    this.windowEnd = h('input', { type: 'time', name: 'end' });
    this.name = h('input', { type: 'text', name: 'job', maxlength: '64', pattern: '[A-Za-z0-9._\\-]{1,64}', class: 'mono', spellcheck: 'false', autocomplete: 'off', placeholder: 'made by the gateway' });
    this.downgrade = h('input', { type: 'checkbox', name: 'allow_downgrade', id: 'job-downgrade' });
    this.rollout = h('details', {}, h('summary', { text: 'Delivery and rollout' }), h('div', { class: 'grid' },
      field('Delivery', this.delivery), field('Canaries', this.canary, 'so many must succeed before the others begin'), field('At once', this.parallel, 'else as the limits allow'),
      field('Stop at failures', this.failures, 'so many failed: the others are left alone'), field('Attempts', this.attempts), field('Absent modules', this.absent),
      field('From', this.windowStart, 'the gateway’s own time, every day'), field('Until', this.windowEnd), field('Job id', this.name)),
    h('p', { class: 'check' }, this.downgrade, h('label', { for: 'job-downgrade', text: 'Allow an older version, or where nobody knows which is newer' })));
  }

  adapt() {
    show(this.idsField, this.scope.value === 'ids' && this.idsField.textContent !== '');
    show(this.tagField, this.scope.value === 'tag');
    show(this.modelField, this.scope.value === 'model');
    show(this.targetField, this.way.value === 'target');
    show(this.artifactField, this.way.value === 'artifact');
    this.target.required = this.way.value === 'target';
    this.windowEnd.required = this.windowStart.value !== '';
    this.windowStart.required = this.windowEnd.value !== '';
  }

  // The command, as cmd/update takes it.
  body() {
    const modules = { ids: () => this.preset.modules, all: () => 'all', tag: () => ({ tag: this.tag.value }), model: () => ({ model: this.model.value }) };
    const body = { modules: modules[this.scope.value](), delivery: this.delivery.value };
    if (this.way.value === 'target') body.target = this.target.value.trim();
    else if (this.way.value === 'artifact') body.artifact = { name: this.artifact.value };
    else body.rollback = true;
    for (const input of [this.canary, this.parallel, this.failures, this.attempts]) if (input.value) body[input.name] = Number(input.value);
    if (this.absent.value === 'wait') body.absent = 'wait';
    if (this.windowStart.value) body.window = { start: this.windowStart.value, end: this.windowEnd.value };
    if (this.downgrade.checked) body.allow_downgrade = true;
    if (this.name.value.trim()) body.job = this.name.value.trim();
    return body;
  }

  async busy(work) {
    this.fault.textContent = '';
    const buttons = [this.look, this.start, this.back];
    for (const button of buttons) button.disabled = true;
    try {
      await work();
    } catch (error) {
      this.fault.textContent = explain(error);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  async dryRun() {
    this.command = this.body();
    const { modules } = await command('update', { ...this.command, dry_run: true });
    this.plan = modules;
    this.leaveOut = drawPreview(this.preview, modules, () => this.label());
    show(this.form, false);
    show(this.look, false);
    show(this.start, true);
    show(this.back, true);
    this.label();
    this.start.disabled = false;
    this.start.focus();
  }

  // Which modules the job is sent for: the scope as it is, or those alone that can go.
  sent() {
    const good = this.plan.filter(({ reason }) => reason === null).map(({ module }) => module);
    return this.leaveOut?.checked && good.length > 0 ? good : null;
  }

  label() {
    const number = this.sent()?.length ?? this.plan.length;
    this.start.textContent = `Start for ${plural(number, 'module')}`;
  }

  async run() {
    const reply = await command('update', { ...this.command, modules: this.sent() ?? this.command.modules });
    toast(`Job ${reply.job}: accepted for ${plural(reply.modules.length, 'module')}${reply.warnings.length > 0 ? `. ${reply.warnings.join('. ')}` : ''}`);
    this.dialog.close();
    location.hash = `#/job/${reply.job}`;
  }

  showForm() {
    this.preview.replaceChildren();
    this.fault.textContent = '';
    show(this.form, true);
    show(this.look, true);
    show(this.start, false);
    show(this.back, false);
    this.look.focus();
  }
}

// `preset`: any of modules (ids), model, target, artifact.
export async function openUpdateDialog(store, preset = {}) {
  let artifacts = [];
  try {
    ({ artifacts } = await get('artifacts'));
  } catch (error) {
    toast(explain(error), true);
  }
  return new UpdateDialog(store, preset, artifacts);
}
