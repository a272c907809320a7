// Bad documents from good ones: each property with a value of each type that its schema does not know, each object with
// a key more, each required key left out.

const values = {
  object: {unexpected: true},
  array: [['unexpected']],
  string: '\u0001 unexpected',
  number: -1234567.5,
  boolean: true,
  null: null,
};

function typeOf(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

const plain = (type) => (type === 'integer' ? 'number' : type);

/// A reference with a description of its own: in draft-07 nothing may stand beside $ref.
export function isDescribed(schema) {
  return schema.allOf?.length === 1 && !schema.type;
}

/// The JSON types that a schema knows; `null` for one that does not say.
export function typesOf(schema, resolve) {
  if (schema.$ref) return typesOf(resolve(schema.$ref), resolve);
  if (isDescribed(schema)) return typesOf(schema.allOf[0], resolve);
  if (schema.type) return new Set([schema.type].flat().map(plain));
  if ('const' in schema) return new Set([typeOf(schema.const)]);
  if (schema.enum) return new Set(schema.enum.map(typeOf));
  const some = schema.oneOf ?? schema.anyOf;
  if (!some) return null;
  const known = some.map((one) => typesOf(one, resolve));
  return known.includes(null) ? null : new Set(known.flatMap((types) => [...types]));
}

/// The variant of a schema that describes this value, without references.
function variant(schema, value, resolve, fits) {
  if (schema.$ref) return variant(resolve(schema.$ref), value, resolve, fits);
  if (isDescribed(schema)) return variant(schema.allOf[0], value, resolve, fits);
  for (const one of schema.oneOf ?? []) {
    if (typesOf(one, resolve)?.has(typeOf(value)) && fits(one, value)) return variant(one, value, resolve, fits);
  }
  return schema;
}

function* changesOf(schema, value, pointer, {resolve, fits}) {
  const types = typesOf(schema, resolve);
  if (!types) throw new Error(`${pointer || '/'}: the schema does not say of which type it is`);
  for (const [type, wrong] of Object.entries(values)) {
    if (!types.has(type)) yield {kind: 'type', pointer, to: wrong};
  }
  const own = variant(schema, value, resolve, fits);
  if (typeOf(value) === 'array' && own.items) {
    for (const [i, item] of value.entries()) yield* changesOf(own.items, item, `${pointer}/${i}`, {resolve, fits});
  }
  if (typeOf(value) !== 'object') return;
  if (own.additionalProperties === undefined) throw new Error(`${pointer || '/'}: the schema lets any key in`);
  yield {kind: 'key', pointer: `${pointer}/un expected`, to: own.additionalProperties === false ? 1 : values.object};
  for (const key of own.required ?? []) yield {kind: 'required', pointer: `${pointer}/${key}`};
  for (const [key, member] of Object.entries(value)) {
    const rule = own.properties?.[key] ?? own.additionalProperties;
    yield* changesOf(rule, member, `${pointer}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`, {resolve, fits});
  }
}

function apply(document, {kind, pointer, to}) {
  if (pointer === '') return to;
  const copy = structuredClone(document);
  const keys = pointer
    .slice(1)
    .split('/')
    .map((key) => key.replace(/~1/g, '/').replace(/~0/g, '~'));
  const last = keys.pop();
  const parent = keys.reduce((at, key) => at[key], copy);
  if (kind === 'required') delete parent[last];
  else parent[last] = to;
  return copy;
}

/// `resolve`: a reference to what it means; `fits`: whether a part of a schema takes a value.
export function* mutations(schema, good, tools) {
  for (const change of changesOf(schema, good, '', tools)) yield {...change, bad: apply(good, change)};
}
