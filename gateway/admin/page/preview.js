// What the gateway says that it would do: modules with the same way stand together, those that cannot go with the reason why.
import { h } from './dom.js';
import { bytes, count, duration, plural } from './format.js';
import { errorBlock, versions } from './parts.js';
import { names } from './actions.js';

function grouped(modules, key) {
  const groups = new Map();
  for (const module of modules) groups.set(key(module), [...groups.get(key(module)) ?? [], module]);
  return [...groups.values()];
}

const ids = (modules) => h('p', { class: 'mono hint', text: names(modules.map(({ module }) => module)) });

function wayBlock(modules) {
  const [{ way, bytes: size, version, target }] = modules;
  const longest = Math.max(...modules.map(({ expected_duration_s: expected }) => expected ?? -1));
  if (way.length === 0) return h('section', {}, h('h3', {}, plural(modules.length, 'module'), ' at ', h('span', { class: 'mono', text: version ?? '?' })), h('p', { text: 'It runs that version already: skipped.' }), ids(modules));
  const hops = way.length > 1 ? h('ol', { class: 'hops' }, ...way.map((hop) => h('li', {}, versions(hop.from, hop.to), h('small', { class: 'mono', text: ` ${hop.artifact} ${bytes(hop.bytes)}` })))) : null;
  const took = longest >= 0 ? `, about ${duration(longest)} each` : '';
  return h('section', {}, h('h3', {}, `${plural(modules.length, 'module')}: `, versions(version, target)),
    h('p', { text: `${plural(way.length, 'delta')}, ${bytes(size)} for each${took}` }), hops, ids(modules));
}

// Returns the box that leaves out those that cannot go, or null.
export function drawPreview(element, modules, onChange) {
  const good = modules.filter(({ reason }) => reason === null);
  const bad = modules.filter(({ reason }) => reason !== null);
  const leave = h('input', { type: 'checkbox', id: 'leave-out', checked: true, on: { change: onChange } });
  const both = bad.length > 0 && good.length > 0;
  element.replaceChildren(
    h('p', { class: 'preview-head' }, h('b', { text: count(good.length) }), ` of ${plural(modules.length, 'module')} can go. Nothing has been done yet.`),
    ...grouped(good, ({ way, version, target }) => JSON.stringify([way, version, target])).map(wayBlock),
    ...grouped(bad, ({ reason }) => JSON.stringify(reason)).map((group) => h('section', { class: 'cannot' }, h('h3', { text: `${plural(group.length, 'module')} cannot` }), errorBlock(group[0].reason), ids(group))),
    both ? h('p', { class: 'check' }, leave, h('label', { for: 'leave-out', text: 'Leave those out (else they are rejected in the job)' })) : '');
  return both ? leave : null;
}
