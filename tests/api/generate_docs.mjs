// docs/api.md from gateway/api/asyncapi.yaml: `node tests/api/generate_docs.mjs` writes it.
import {mkdir, writeFile} from 'node:fs/promises';
import {pathToFileURL} from 'node:url';

import {Api, parse, root} from './document.mjs';
import {isDescribed} from './mutations.mjs';

export const page = root + 'docs/api.md';

const kShortPattern = 40,
  kLineLength = 110,
  kSecondsOfDay = 86400;

const cell = (text) => (text ?? '').replace(/\|/g, '\\|').replace(/\n/g, ' ');
const code = (text) => '`' + text + '`';
const table = (head, rows) =>
  [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n');

/// With what its description stands beside.
const flat = (schema) => (isDescribed(schema) ? {...flat(schema.allOf[0]), ...schema} : schema);

const isRecord = (schema) => schema.type === 'object' && schema.properties;

function range({minimum, maximum}) {
  if (minimum !== undefined && maximum !== undefined) return ` ${minimum} to ${maximum}`;
  return minimum !== undefined ? ` from ${minimum}` : '';
}

/// What a value may be, in a few words.
function typeText(described) {
  const schema = flat(described);
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.length > 12 ? 'word' : schema.enum.map(code).join(', ');
  if (schema.oneOf) return [...new Set(schema.oneOf.map(typeText))].join(' or ');
  const types = [schema.type].flat().map((type) => {
    if (type === 'array') {
      return flat(schema.items).type === 'object' ? 'list of objects' : `list of ${typeText(schema.items)}`;
    }
    if (type === 'integer') return 'whole number' + range(schema);
    if (type === 'number') return 'number' + range(schema);
    if (type === 'boolean') return '`true`, `false`';
    if (type === 'string' && schema.format === 'date-time') return 'time (RFC 3339)';
    if (type === 'string' && schema.maxLength) return `string, up to ${schema.maxLength}`;
    if (type === 'string' && schema.pattern?.length <= kShortPattern) return `string, ${code(schema.pattern)}`;
    return type;
  });
  return types.join(' or ');
}

/// The objects that a value consists of: their keys go below its row, as `key.other`.
function parts(described) {
  const schema = flat(described);
  if (schema.oneOf) return schema.oneOf.flatMap(parts);
  if (isRecord(schema)) return [{schema, suffix: ''}];
  if (schema.type === 'array')
    return parts(schema.items).map(({schema: own, suffix}) => ({schema: own, suffix: '[]' + suffix}));
  return [];
}

function rows(described, prefix = '', skip = []) {
  const schema = flat(described);
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {})
    .filter(([key]) => !skip.includes(key))
    .flatMap(([key, member]) => [
      [code(prefix + key), typeText(member), required.has(key) ? 'yes' : '', flat(member).description],
      ...parts(member).flatMap(({schema: own, suffix}) => rows(own, `${prefix}${key}${suffix}.`)),
    ]);
}

const once = (list) => list.filter((row, i) => list.findIndex((other) => other[0] === row[0]) === i);

function keys(schema, skip) {
  if (!schema.properties) return typeText(schema) + '.';
  const all = once(rows(schema, '', skip));
  return all.length ? table(['key', 'type', 'required', ''], all) : 'No keys of its own.';
}

/// On one line where it fits, else a member a line.
function spread(value, indent = '') {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= kLineLength) return line;
  const inner = indent + '  ';
  const list = Array.isArray(value);
  const members = list
    ? value.map((one) => spread(one, inner))
    : Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${spread(one, inner)}`);
  const rows = [];
  for (const member of members) {
    const last = rows.at(-1);
    const fits =
      last !== undefined && !/\n/.test(last + member) && indent.length + last.length + member.length < kLineLength;
    if (fits) rows[rows.length - 1] = `${last}, ${member}`;
    else rows.push(member);
  }
  return `${list ? '[' : '{'}\n${rows.map((row) => inner + row).join(',\n')}\n${indent}${list ? ']' : '}'}`;
}

const block = (texts) => '```json' + '\n' + texts.join('\n') + '\n```';

const short = (address) => address.replace('dfota/v1/{gateway}', 'R').replace(/\{(\w+)\}/g, '<$1>');

function topicTable(channels) {
  return table(
    ['topic', 'way', 'QoS', 'retained', ''],
    channels.map((channel) => {
      const {action, qos, retain} = channel.operation ?? {action: 'send', qos: 1, retain: false};
      return [
        code(short(channel.address)),
        action === 'receive' ? 'in' : 'out',
        String(qos),
        retain ? 'yes' : '',
        channel.summary,
      ];
    }),
  );
}

function commandSection(api, channel) {
  const verb = channel.key.slice('cmd_'.length);
  const schema = channel.messages[0].message.payload;
  const reply = api.byKey(`rsp_${verb}`).messages[0].message.payload;
  const data = reply.properties.data;
  const wrapped = {type: 'object', properties: {data}, required: ['data']};
  return [
    `### ${code(`cmd/${verb}`)}`,
    sentence(channel.summary),
    keys(schema, ['transaction']),
    block(schema.examples.map((example) => spread(example))),
    'Reply:',
    table(
      ['key', 'type', 'required', ''],
      once(rows(wrapped)).filter(([key]) => key !== '`data`'),
    ),
    block(reply.examples.map(({data: own}) => spread(own))),
  ].join('\n\n');
}

const sentence = (text) => text && text + (/[?.]$/.test(text) ? '' : '.');

function publicationSection(channel) {
  const text = [
    `### ${code(short(channel.address))}`,
    [channel.summary, channel.description].filter(Boolean).map(sentence).join(' '),
  ];
  for (const {name, isText, message} of channel.messages) {
    if (name !== 'removed') text.push(keys(message.payload));
    else if (channel.operation.action === 'send') text.push('Empty once it was forgotten.');
    if (!isText) text.push(block(message.payload.examples.map((example) => spread(example))));
  }
  return text.join('\n\n');
}

function words(json, api) {
  const of = (key) => api.byKey(key).messages[0].message.payload.properties;
  const state = of('module_state'),
    result = of('module_result'),
    job = of('job_state');
  const findings = of('module_error').code.oneOf.find((one) => one.enum).enum;
  const refusals = api.byKey('rsp_unknown').messages[0].message.payload.properties.error.properties.code.enum;
  const list = (all) => all.map(code).join(', ');
  return table(
    ['word', ''],
    [
      ['`phase`', list(flat(state.phase).enum)],
      ['`outcome`', list(flat(result.outcome).enum)],
      ['`state` of a job', list(flat(job.state).enum)],
      ['`problem` of a module', list(state.problem.oneOf[0].enum)],
      ['`code` of class `gateway`', list(findings)],
      ['`code` of a refusal', list(refusals)],
      ['`code` of `R/error/gateway/<code>`', list(of('error_gateway').code.enum)],
    ],
  );
}

export async function generate() {
  const {document, diagnostics} = await parse();
  if (!document) throw new Error(diagnostics.map(({message}) => message).join('; '));
  const json = document.json();
  const api = new Api(json);
  const inOrder = Object.keys(json.channels).map((key) =>
    Object.assign(api.byKey(key), json.channels[key], {messages: api.byKey(key).messages}),
  );
  const commands = inOrder.filter(({key}) => key.startsWith('cmd_'));
  const reply = {...api.byKey('rsp_unknown'), summary: 'The reply to a command that names no response topic'};
  const others = inOrder.filter(({key}) => !/^(cmd|rsp)_|^hold$/.test(key));
  const hold = api.byKey('hold');
  const refusal = api.byKey('rsp_unknown').messages[0].message.payload;
  const will = json.servers.mqtt.bindings.mqtt;
  const sections = [
    `# The API over MQTT, ${json.info.version}`,
    'Generated from [gateway/api/asyncapi.yaml](../gateway/api/asyncapi.yaml) and ' +
      '[gateway/api/schemas](../gateway/api/schemas) by `node tests/api/generate_docs.mjs`: change those. ' +
      'What the words mean and why things are so: [gateway/README.md](../gateway/README.md).',
    json.info.description,
    '`R` below is `dfota/v1/{gateway}`.',
    '## Connection',
    table(
      ['server', 'protocol', ''],
      Object.values(json.servers).map((server) => [code(server.host), server.protocol, server.description]),
    ),
    `The gateway's client id is \`${will.clientId}\`, its session outlives the connection by ` +
      `${will.sessionExpiryInterval / kSecondsOfDay} days, its keep-alive is ${will.keepAlive} s; its will is ` +
      `\`${will.lastWill.message}\` on \`${short(will.lastWill.topic)}\`, retained.`,
    '## Topics',
    topicTable([...commands, hold, reply, ...others]),
    '## Commands',
    'Every command may have a `transaction` (a string of up to 128 bytes), which comes back in the reply. A reply is',
    block([
      spread({ts: '2026-11-22T17:08:22.661Z', gateway: 'rack-1', status: 'ok', data: {}, warnings: []}),
      ...refusal.examples.map((example) => spread(example)),
    ]),
    keys(refusal),
    ...commands.map((channel) => commandSection(api, channel)),
    publicationSection(hold),
    '## Publications',
    ...others.map(publicationSection),
    '## Words',
    words(json, api),
  ];
  return sections.join('\n\n') + '\n';
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await mkdir(root + 'docs', {recursive: true});
  await writeFile(page, await generate());
}
