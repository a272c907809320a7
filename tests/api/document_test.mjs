// The document parses without any diagnostic, describes every topic of the gateway's readme, uses every schema, and
// knows the same words as the sources.
import {readFile, readdir} from 'node:fs/promises';

import {Api, parse, readSchema, root, schemaDirectory} from './document.mjs';

const failures = [];
const check = (ok, what) => ok || failures.push(what);
const sorted = (list) => [...list].sort().join(' ');

const {document, diagnostics} = await parse();
for (const {severity, code, message, path, range} of diagnostics) {
  failures.push(
    `diagnostic ${code} (severity ${severity}), line ${range.start.line + 1}, ${path.join('/')}: ${message}`,
  );
}
if (document) {
  const json = document.json();
  const api = new Api(json);
  check(json.asyncapi === '3.1.0', 'it is not AsyncAPI 3.1.0');
  for (const channel of api.channels) {
    if (channel.key.startsWith('rsp_') && channel.key !== 'rsp_unknown') {
      check(api.byKey(channel.key.replace('rsp_', 'cmd_')), `${channel.key} has no command`);
    } else {
      check(channel.operation, `no operation for ${channel.key}`);
    }
    for (const {message} of channel.messages) check(message.title, `a message of ${channel.key} has no title`);
  }
  for (const [key, operation] of Object.entries(json.operations)) {
    if (operation.channel.address.includes('/cmd/')) check(operation.reply?.channel, `${key} has no reply`);
  }
  check(
    Object.values(json.servers).some((server) => server.protocol === 'secure-mqtt'),
    'no server with TLS',
  );
  for (const server of Object.values(json.servers)) {
    check(server.bindings.mqtt.lastWill.topic === api.byKey('status').address, 'the will is not on the status topic');
  }
  const topics = (await readFile(root + 'gateway/README.md', 'utf8')).split('\n## Topics')[1].split('\n## ')[0];
  for (const [, topic] of topics.matchAll(/^\| `R\/([^`]+)`/gm)) {
    if (/cmd|rsp/.test(topic)) continue;
    const names = {id: 'module', job: 'job', class: 'class', code: 'code'};
    const address = 'dfota/v1/{gateway}/' + topic.replace(/<(\w+)>/g, (all, name) => `{${names[name]}}`);
    check(api.at(address), `gateway/README.md tells of R/${topic}, the document does not`);
  }
  console.log(
    `asyncapi ${json.asyncapi}: ${diagnostics.length} diagnostics, ${api.channels.length} channels, ` +
      `${Object.keys(json.operations).length} operations`,
  );
}

const yaml = await readFile(root + 'gateway/api/asyncapi.yaml', 'utf8');
const files = await readdir(schemaDirectory);
for (const file of files) {
  const own = file === 'common.json' || file === 'manifest.json';
  check(own || yaml.includes(`'schemas/${file}'`), `the document does not use schemas/${file}`);
}

// The words of the sources, and those of the schemas.
const source = (file) => readFile(root + file, 'utf8');
const words = (text) => [...text.matchAll(/"([a-z_]+)"/g)].map((match) => match[1]);
const common = (await readSchema('common.json')).definitions;
const findings = [...(await source('modem/finding.cpp')).matchAll(/\{"([a-z_]+)",\s*"/g)].map((match) => match[1]);
check(
  sorted(findings) === sorted(common.finding.enum),
  'modem/finding.cpp and common.json#/definitions/finding differ',
);
const array = (text, name) => words(new RegExp(`${name} = \\{([^}]*)\\}`).exec(text)[1]);
const types = await source('modem/update_types.cpp');
for (const [name, key] of [
  ['kPhases', 'phase'],
  ['kOutcomes', 'outcome'],
  ['kDeliveries', 'delivery'],
]) {
  check(sorted(array(types, name)) === sorted(common[key].enum), `modem/update_types.cpp and the ${key}s differ`);
}
const states = array(await source('gateway/job.cpp'), 'kStates');
check(sorted(states) === sorted(common.job_state.enum), 'gateway/job.cpp and the states of jobs differ');

for (const failure of failures) console.log(`FAILED: ${failure}`);
process.exitCode = failures.length ? 1 : 0;
