// Each schema takes its own examples, and none of what is made of them with a wrong type, an extra key or a key left
// out. Every property that a schema knows stands in one of the examples.
import {readdir} from 'node:fs/promises';

import {makeAjv, readSchema, schemaDirectory} from './document.mjs';
import {mutations} from './mutations.mjs';

const failures = [];
const counts = {schemas: 0, examples: 0, type: 0, key: 0, required: 0};

const schemas = new Map();
const ajv = makeAjv();
for (const file of (await readdir(schemaDirectory)).sort()) {
  const schema = await readSchema(file);
  schemas.set(file, schema);
  ajv.addSchema(schema, file);
}

/// References of `file`, which may go into another one. What they mean has its references told with their file.
function resolver(file) {
  const absolute = (value, own) => {
    if (Array.isArray(value)) return value.map((one) => absolute(one, own));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        key,
        key === '$ref' && member.startsWith('#') ? own + member : absolute(member, own),
      ]),
    );
  };
  return {
    resolve: (reference) => {
      const [name, pointer] = reference.split('#');
      const own = name || file;
      const found = pointer
        .slice(1)
        .split('/')
        .reduce((at, key) => at[key], schemas.get(own));
      return absolute(found, own);
    },
    root: absolute(schemas.get(file), file),
  };
}

function collectKeys(value, into) {
  if (Array.isArray(value)) value.forEach((one) => collectKeys(one, into));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      into.add(key);
      collectKeys(member, into);
    }
  }
}

for (const [file, schema] of schemas) {
  if (file === 'common.json') continue;
  ++counts.schemas;
  const validate = ajv.getSchema(file);
  const {resolve, root} = resolver(file);
  const fits = (part, value) => ajv.validate(part, value);
  const shown = new Set();
  if (!schema.examples?.length) failures.push(`${file}: there is no example`);
  for (const example of schema.examples ?? []) {
    ++counts.examples;
    collectKeys(example, shown);
    if (!validate(example)) failures.push(`${file}: its own example is refused: ${ajv.errorsText(validate.errors)}`);
    for (const {kind, pointer, bad} of mutations(root, example, {resolve, fits})) {
      ++counts[kind];
      if (validate(bad))
        failures.push(`${file}: takes ${pointer || '/'} (${kind}): ${JSON.stringify(bad).slice(0, 200)}`);
    }
  }
  for (const key of Object.keys(schema.properties ?? {})) {
    if (!shown.has(key)) failures.push(`${file}: no example shows ${key}`);
  }
}

const reported = (file) => JSON.stringify(schemas.get(file).definitions.reported);
if (reported('common.json') !== reported('manifest.json'))
  failures.push('common.json and manifest.json differ in reported');

for (const failure of failures) console.log(`FAILED: ${failure}`);
console.log(
  `${counts.schemas} schemas took their ${counts.examples} examples; refused of ${counts.type} wrong types, ` +
    `${counts.key} extra keys and ${counts.required} missing keys all but ${failures.length}`,
);
process.exitCode = failures.length ? 1 : 0;
