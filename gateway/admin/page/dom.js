// Making and patching elements. What modules and people have written gets in as text and as values of attributes only, never as markup.
const kSvg = 'http://www.w3.org/2000/svg';

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'text') element.textContent = value;
  else if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (name === 'value' || name === 'checked' || name === 'disabled' || name === 'indeterminate') element[name] = value;
  else element.setAttribute(name, value === true ? '' : String(value));
}

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(kSvg, tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children);
  return element;
}

// One of the symbols of index.html. It stands beside a word that says the same, so nobody reads it out.
export function icon(name, className = 'ico') {
  return svg('svg', { class: className, 'aria-hidden': 'true' }, svg('use', { href: `#i-${name}` }));
}

export function setIcon(element, name) {
  attr(element.firstChild, 'href', `#i-${name}`);
}

// What an element was last given is remembered: the page is touched only when something is new.
const kText = Symbol('text');
const kAttributes = Symbol('attributes');

export function text(element, value) {
  if (element[kText] === value) return;
  element[kText] = value;
  element.textContent = value;
}

export function attr(element, name, value) {
  const known = (element[kAttributes] ??= {});
  if (known[name] === value) return;
  known[name] = value;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

// The children of `parent` become `elements`, in this order; those that stay are moved only where they must be.
export function arrange(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const element of elements) {
    if (element === at) {
      at = at.nextElementSibling;
      continue;
    }
    if (at && at.nextElementSibling === element) {   // one went back: it is taken out, instead of moving all the others
      const later = at;
      at = element.nextElementSibling;
      parent.insertBefore(later, null);
      continue;
    }
    parent.insertBefore(element, at);
  }
}
