// The versions of a model and the deltas between them, as a picture. Versions stand in columns, from the oldest to the newest that is reached.
import { svg } from './dom.js';
import { bytes, count, natural } from './format.js';

const kWidth = 190;    // of a version's box
const kHeight = 46;
const kGapX = 74;
const kGapY = 22;
const kMargin = 14;
const kStrangersInRow = 4;

// {nodes: [{version, modules, column, row}], edges: [{from, to, artifacts, back}], rows} of one model. A pure function.
export function layOut(artifacts, modulesAt) {
  const versions = new Set([...modulesAt.keys(), ...artifacts.flatMap(({ from, to }) => [from, to])]);
  const edges = new Map();
  for (const artifact of artifacts) {
    const key = `${artifact.from}\n${artifact.to}`;
    if (!edges.has(key)) edges.set(key, { from: artifact.from, to: artifact.to, artifacts: [], back: false });
    edges.get(key).artifacts.push(artifact);
  }
  markBack([...versions].sort(natural), [...edges.values()]);
  const column = new Map([...versions].map((version) => [version, 0]));
  const forward = [...edges.values()].filter(({ back }) => !back);
  for (let round = 0; round < versions.size; ++round) {
    for (const { from, to } of forward) column.set(to, Math.max(column.get(to), column.get(from) + 1));
  }
  const known = new Set(artifacts.flatMap(({ from, to }) => [from, to]));
  const filled = new Map();
  const nodes = [...known].sort(natural).map((version) => {
    const at = column.get(version);
    const row = filled.get(at) ?? 0;
    filled.set(at, row + 1);
    return { version, modules: modulesAt.get(version) ?? 0, column: at, row };
  });
  // Below them a row for the edges that go around, then the versions that no delta knows.
  const far = [...edges.values()].some(({ from, to, back }) => back || column.get(to) - column.get(from) > 1);
  const below = Math.max(0, ...filled.values()) + (far ? 1 : 0);
  const strangers = [...versions].filter((version) => !known.has(version)).sort(natural);
  nodes.push(...strangers.map((version, i) => ({ version, modules: modulesAt.get(version), column: i % kStrangersInRow, row: below + Math.floor(i / kStrangersInRow) })));
  const rows = strangers.length > 0 ? below + Math.ceil(strangers.length / kStrangersInRow) : below;
  return { nodes, edges: [...edges.values()], rows };
}

// An edge that closes a circle leads back.
function markBack(versions, edges) {
  const state = new Map();
  const visit = (version) => {
    state.set(version, 'open');
    for (const edge of edges.filter(({ from }) => from === version)) {
      if (state.get(edge.to) === 'open') edge.back = true;
      else if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(version, 'done');
  };
  for (const version of versions) if (!state.has(version)) visit(version);
}

const place = ({ column, row }) => ({ x: kMargin + column * (kWidth + kGapX), y: kMargin + row * (kHeight + kGapY) });

function drawEdge({ from, to, artifacts, back }, nodes) {
  const [a, b] = [place(nodes.get(from)), place(nodes.get(to))];
  const [x1, y1, x2, y2] = back ? [a.x + kWidth / 2, a.y + kHeight, b.x + kWidth / 2, b.y + kHeight] : [a.x + kWidth, a.y + kHeight / 2, b.x, b.y + kHeight / 2];
  const far = !back && nodes.get(to).column - nodes.get(from).column > 1;
  const bend = back ? kHeight * 0.9 : far ? kHeight + kGapY : 0;   // below what stands between
  const pull = back ? 0 : Math.max(40, Math.abs(x2 - x1) / 3);
  const path = `M${x1} ${y1} C${x1 + pull} ${y1 + bend} ${x2 - pull} ${y2 + bend} ${x2} ${y2}`;
  const size = Math.min(...artifacts.map((artifact) => artifact.size));
  const label = svg('text', { x: (x1 + x2) / 2, y: (y1 + y2) / 2 + bend * 0.75 - 6, 'text-anchor': 'middle' });
  label.textContent = bytes(size);
  const title = svg('title');
  title.textContent = artifacts.map(({ name, present }) => `${name}${present ? '' : ' (to be fetched)'}`).join(', ');
  return svg('g', { class: back ? 'edge back' : 'edge', 'data-absent': artifacts.some(({ present }) => present) ? null : '' }, title, svg('path', { d: path, 'marker-end': 'url(#arrow)' }), label);
}

const short = (version) => (version.length > 22 ? `${version.slice(0, 10)}…${version.slice(-11)}` : version);

function fullName(version) {
  const title = svg('title');
  title.textContent = version;
  return title;
}

function drawNode(node, onPick) {
  const { x, y } = place(node);
  const name = svg('text', { x: x + 12, y: y + 19, class: 'node-name' });
  name.textContent = short(node.version);
  const modules = svg('text', { x: x + 12, y: y + 36, class: 'node-count' });
  modules.textContent = node.modules === 0 ? 'no module runs it' : `${count(node.modules)} ${node.modules === 1 ? 'module runs it' : 'modules run it'}`;
  const group = svg('g', { class: node.modules > 0 ? 'node some' : 'node', role: 'button', tabindex: '0' }, svg('rect', { x, y, width: kWidth, height: kHeight, rx: 6 }), name, modules);
  if (name.textContent !== node.version) group.prepend(fullName(node.version));
  group.addEventListener('click', () => onPick(node.version));
  group.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onPick(node.version);
  });
  return group;
}

export function drawGraph(model, artifacts, modulesAt, onPick) {
  const { nodes, edges, rows } = layOut(artifacts, modulesAt);
  const byVersion = new Map(nodes.map((node) => [node.version, node]));
  const columns = Math.max(...nodes.map(({ column }) => column)) + 1;
  const width = 2 * kMargin + columns * kWidth + (columns - 1) * kGapX;
  const height = 2 * kMargin + rows * kHeight + (rows - 1) * kGapY;
  const arrow = svg('marker', { id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto-start-reverse' }, svg('path', { d: 'M0 0 8 4 0 8z' }));
  return svg('svg', { class: 'graph', width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': `Versions of ${model}` },
    svg('defs', {}, arrow), ...edges.map((edge) => drawEdge(edge, byVersion)), ...nodes.map((node) => drawNode(node, onPick)));
}
