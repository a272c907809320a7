// Which modules are shown, in which order and groups. Pure functions of what the store keeps.
import { natural } from './format.js';
import { kBad, kPhases } from './words.js';

// The last error counts while its job runs, and afterwards until another job went well.
export function currentError({ state }) {
  const error = state.last_error;
  if (!error) return null;
  if (state.job !== null) return error.job === state.job ? error : null;
  return kBad.has(state.last_result) ? error : null;
}

export const isActive = ({ state }) => state.phase !== 'idle';
export const needsLook = (module) => module.state.problem !== null || (!isActive(module) && kBad.has(module.state.last_result)) || currentError(module) !== null;

const kFields = {
  id: ({ id }) => id,
  tag: ({ state }) => state.tags,
  model: ({ state }) => state.model,
  version: ({ state }) => state.version,
  phase: ({ state }) => state.phase,
  job: ({ state }) => state.job,
  status: ({ status }) => status,
  problem: ({ state }) => state.problem,
  result: ({ state }) => state.last_result,
  imei: ({ state }) => state.imei,
  port: ({ state }) => state.port,
  error: (module) => {
    const error = currentError(module);
    return error && [`${error.code}`, error.name, error.meaning];
  },
  is: (module) => [isActive(module) ? 'active' : 'idle', ...(needsLook(module) ? ['trouble'] : [])],
};
const kExact = new Set(['phase', 'status', 'is', 'tag', 'job', 'problem', 'result']);   // named fields of one word

function fits(field, module, value) {
  const found = kFields[field](module);
  return [found].flat().some((one) => {
    if (one === null || one === undefined) return false;
    const lower = one.toLowerCase();
    return kExact.has(field) ? lower === value : lower.includes(value);
  });
}

// "lab -phase:idle error:716": all words must fit, those behind a minus must not. Returns a predicate.
export function parseFilter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const no = word.length > 1 && word.startsWith('-');
    const bare = no ? word.slice(1) : word;
    const [field, ...rest] = bare.split(':');
    const named = rest.length > 0 && field in kFields;
    return { no, field: named ? field : null, value: named ? rest.join(':') : bare };
  });
  const anywhere = Object.keys(kFields).filter((field) => field !== 'is');
  const has = (module, value) => anywhere.some((field) => [kFields[field](module)].flat().some((one) => one?.toLowerCase().includes(value)));
  return (module) => words.every(({ no, field, value }) => (field ? fits(field, module, value) : has(module, value)) !== no);
}

const overall = ({ state, progress }) => (state.phase === 'idle' ? -1 : progress?.overall_percent ?? 0);
const number = (get) => (a, b) => get(a) - get(b);
const word = (get) => (a, b) => natural(get(a) ?? '\uffff', get(b) ?? '\uffff');

export const kSorts = {
  id: { label: 'Module', compare: () => 0 },
  phase: { label: 'Phase', compare: number(({ state }) => -kPhases.indexOf(state.phase)) },
  progress: { label: 'Progress', compare: number((module) => -overall(module)) },
  rate: { label: 'Rate', compare: number(({ progress }) => -(progress?.bytes_per_second ?? -1)) },
  eta: { label: 'Left', compare: number(({ progress }) => progress?.eta_s ?? Infinity) },
  version: { label: 'Version', compare: word(({ state }) => state.version) },
  signal: { label: 'Signal', compare: number(({ state }) => state.signal_dbm ?? 0) },
  trouble: { label: 'Last error', compare: number((module) => (needsLook(module) ? 0 : 1)) },
};

// Infinity - Infinity is no number: such modules are equals.
export function compareBy(sort, down) {
  const { compare } = kSorts[sort];
  return (a, b) => (compare(a, b) || 0) * (down ? -1 : 1) || natural(a.id, b.id) * (down && sort === 'id' ? -1 : 1);
}

export const kGroups = {
  none: { label: 'No groups', of: () => '' },
  tag: { label: 'By tag', of: ({ state }) => state.tags.join(' · ') || 'without a tag' },
  model: { label: 'By model', of: ({ state }) => state.model ?? 'model not known' },
  version: { label: 'By version', of: ({ state }) => state.version ?? 'version not known' },
};

// [{name, modules}], the groups by their names.
export function arrangeModules(modules, { filter, sort, down, group }) {
  const compare = compareBy(sort, down);
  const groups = new Map();
  for (const module of modules) {
    if (!filter(module)) continue;
    const name = kGroups[group].of(module);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(module);
  }
  return [...groups].sort(([a], [b]) => natural(a, b)).map(([name, members]) => ({ name, modules: members.sort(compare) }));
}
