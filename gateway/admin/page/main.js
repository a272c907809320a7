// Wires the page: the stream fills the store, the store tells the views, the address says which of them is shown.
import { access } from './api.js';
import { Artifacts } from './artifacts.js';
import { openDialog } from './dialog.js';
import { attr, h, icon, show, text } from './dom.js';
import { time } from './format.js';
import { JobView } from './job_view.js';
import { JobList } from './jobs.js';
import { ModuleView } from './module_view.js';
import { ModuleList } from './modules.js';
import { Store } from './store.js';
import { Stream } from './stream.js';
import { Summary } from './summary.js';
import { initAccessButton } from './token.js';
import { openUpdateDialog } from './update_dialog.js';
import { kGatewayProblem, kPhases } from './words.js';

const $ = (id) => document.getElementById(id);
const store = new Store();
const list = new ModuleList(store);
const summary = new Summary(store, (filter) => list.setFilter(list.search.value === filter ? '' : filter));
list.onFilter = (filter) => summary.pressed(filter);
const jobs = new JobList(store);
const artifacts = new Artifacts(store);
const tabs = {
  modules: { elements: [summary.element, list.element], label: 'Modules' },
  jobs: { elements: [jobs.element], view: jobs, label: 'Jobs' },
  artifacts: { elements: [artifacts.element], view: artifacts, label: 'Artifacts' },
};
const kPanels = { module: ModuleView, job: JobView };
let tab = null;
let panel = null;
let cameFrom = null;   // where the focus goes back to

function showTab(name) {
  if (tab === name) return;
  tabs[tab]?.view?.closed?.();
  tab = name;
  $('view').replaceChildren(...tabs[name].elements);
  for (const link of document.querySelectorAll('.tabs a')) attr(link, 'aria-current', link.dataset.tab === name ? 'page' : null);
  tabs[name].view?.opened();
}

function showPanel(kind, id) {
  panel?.closed();
  if (!panel) cameFrom = document.activeElement;
  panel = new kPanels[kind](store, id);
  const close = h('button', { class: 'icon', type: 'button', 'aria-label': 'Close the details', on: { click: closePanel } }, icon('close'));
  const head = h('h2', { tabindex: '-1', translate: 'no' }, h('small', { text: `${kind} ` }), panel.title);
  $('panel').replaceChildren(h('header', {}, head, close), panel.element);
  show($('panel'), true);
  document.body.dataset.panel = kind;
  panel.opened();
  head.focus();
}

function hidePanel() {
  if (!panel) return;
  panel.closed();
  panel = null;
  show($('panel'), false);
  $('panel').replaceChildren();
  delete document.body.dataset.panel;
  if (cameFrom?.isConnected) cameFrom.focus();
  else $('main').focus();
}

function closePanel() {
  location.hash = `#/${tab}`;
}

// #/modules, #/jobs, #/artifacts; #/module/<id> and #/job/<id> beside the view that was there.
function route() {
  const [name = 'modules', id] = location.hash.replace(/^#\/?/, '').split('/').map((part) => { try { return decodeURIComponent(part); } catch { return part; } });
  if (name in kPanels && id) {
    showTab(tab ?? (name === 'job' ? 'jobs' : 'modules'));
    showPanel(name, id);
  } else {
    showTab(name in tabs ? name : 'modules');
    hidePanel();
  }
  showTitle();
}

function showTitle() {
  const gateway = store.info?.gateway ?? 'dfota-gateway';
  const active = [...store.modules.values()].filter(({ state }) => state && kPhases.indexOf(state.phase) > 1).length;
  const what = panel ? panel.title : tabs[tab]?.label;
  const title = `${document.body.dataset.gone !== undefined ? 'gone · ' : ''}${gateway}${active > 0 ? ` (${active} at work)` : ''} · ${what}`;
  if (document.title !== title) document.title = title;
}

function showInfo() {
  const { info } = store;
  if (!info) return;
  text($('gateway'), info.gateway);
  text($('program'), `dfota-gateway ${info.version}`);
  attr($('program'), 'title', `since ${time(info.started_at)}; modules download from ${info.http}`);
  const notices = [];
  if (info.hold !== null) notices.push(h('p', { class: 'banner hold' }, icon('paused'), h('span', {}, h('b', { text: 'Held: ' }), `${info.hold}. No module is commanded; what flashes goes on.`)));
  for (const problem of info.problems) notices.push(h('p', { class: 'banner bad' }, icon('warn'), h('span', {}, h('b', { text: `${problem}: ` }), kGatewayProblem[problem] ?? 'See the gateway’s log.')));
  $('notices').replaceChildren(...notices);
}

function showConnection({ state, since }) {
  attr($('live'), 'data-state', state);
  attr($('live').firstElementChild.firstElementChild, 'href', state === 'live' ? '#i-dot' : '#i-ring');
  text($('live-text'), state);
  const told = { gone: `The gateway is gone since ${time(since)}, trying again. What stands here is as it was then.`, locked: 'Nothing is shown without the gateway’s token.' }[state];
  show($('gone'), told !== undefined);
  text($('gone').firstElementChild, told ?? '');
  show($('unlock'), state === 'locked');
  if (state === 'gone') document.body.dataset.gone = '';
  else delete document.body.dataset.gone;
  showTitle();
}

function showKeys() {
  const keys = [['/', 'to the filter'], ['↑ ↓ Home End', 'from module to module'], ['Enter', 'opens the module'], ['Space', 'selects it; with Shift all up to it'],
    ['Esc', 'closes what is open, or empties the filter'], ['Shift-click', 'selects all between'], ['?', 'this']];
  openDialog({ title: 'Keys', body: [h('dl', { class: 'facts keys' }, ...keys.flatMap(([key, what]) => [h('dt', {}, h('kbd', { text: key })), h('dd', { text: what })])),
    h('p', { class: 'hint', text: 'The filter takes words, and tag: model: version: phase: status: problem: result: job: error: is:active is:trouble, each with a minus before it for what is not to be shown.' })] });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== 'checkbox';
  if (event.key === 'Escape') {
    if (event.target === list.search && list.search.value) list.setFilter('');
    else if (event.target === list.search) list.rows.get(list.current)?.link.focus();
    else if (panel) closePanel();
    return;
  }
  if (event.target === list.search && event.key === 'ArrowDown') {
    event.preventDefault();
    list.rows.get(list.current)?.link.focus();
  }
  if (typing) return;
  if (event.key === '/') {
    event.preventDefault();
    if (tab !== 'modules') location.hash = '#/modules';
    showTab('modules');
    list.search.focus();
    list.search.select();
  } else if (event.key === '?') showKeys();
}

function initButtons() {
  $('start').addEventListener('click', () => openUpdateDialog(store));
  const label = () => attr($('theme'), 'aria-label', document.documentElement.dataset.theme === 'dark' ? 'Light colours' : 'Dark colours');
  $('theme').addEventListener('click', () => {
    window.dfotaSwitchTheme();
    label();
  });
  label();
  $('keys').addEventListener('click', showKeys);
  initAccessButton($('access'));
}

function begin() {
  initButtons();
  document.addEventListener('keydown', onKey);
  window.addEventListener('hashchange', route);
  store.subscribe((news) => {
    if (news.info) showInfo();
    list.update(news);
    summary.update(news);
    if (tab === 'jobs') jobs.update(news);
    artifacts.update(news);
    panel?.update(news);
    if (news.modules.size > 0 || news.info) showTitle();
  });
  route();
  list.reorder();
  const stream = new Stream(store, showConnection);
  const changed = access.changed;
  access.changed = () => {   // the token has come, or was given back
    changed();
    if (stream.locked && access.mayRead) stream.open();
    else if (stream.source && !access.mayRead) stream.lock();
  };
  $('unlock').addEventListener('click', () => access.ask(false));
  stream.connect();
}

begin();
