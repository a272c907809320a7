// Writes ../flows.json from the files beside this one:  node docker/nodered/src/build.mjs [FILE]
// The functions and pages are readable here, and one string each in what Node-RED imports.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const here = new URL('.', import.meta.url);
const source = (name) => readFileSync(new URL(name, here), 'utf8').trimEnd();
const idOf = (name) => createHash('sha256').update(`dfota/${name}`).digest('hex').slice(0, 16);

const tab = idOf('tab');
const broker = idOf('broker');
const nodes = [];

// Settings of the flow (its properties in the editor), with the environment's before their defaults.
const setting = (name, variable, otherwise) => ({
  name, type: 'jsonata', value: `$env("${variable}") != "" ? $env("${variable}") : "${otherwise}"`,
});
nodes.push({
  id: tab, type: 'tab', label: 'dfota-gateway', disabled: false,
  info: 'The fleet of one dfota-gateway, updates at night only, and rack tests. See docker/nodered/README.md of the project.',
  env: [
    setting('BROKER', 'MQTT_HOST', '127.0.0.1'), setting('PORT', 'MQTT_PORT', '1883'),
    setting('ROOT', 'DFOTA_TOPIC_ROOT', 'dfota/v1'), setting('GATEWAY', 'DFOTA_GATEWAY', 'rack-1'),
    setting('CSV_DIR', 'DFOTA_CSV_DIR', '.'),
  ],
});
// In the flow (`z`), so that it sees the flow's settings.
nodes.push({
  id: broker, type: 'mqtt-broker', z: tab, name: 'broker', broker: '${BROKER}', port: '${PORT}', clientid: '', autoConnect: true,
  usetls: false, protocolVersion: '5', keepalive: '60', cleansession: true, autoUnsubscribe: true,
  birthTopic: '', birthQos: '0', birthRetain: 'false', birthPayload: '', birthMsg: {},
  closeTopic: '', closeQos: '0', closeRetain: 'false', closePayload: '', closeMsg: {},
  willTopic: '', willQos: '0', willRetain: 'false', willPayload: '', willMsg: {}, userProps: '', sessionExpiry: '',
});

// A node of the flow at (column, row) of the editor; `wires` names, for each output, where it goes.
function add(name, type, [column, row], wires, fields = {}) {
  const to = wires.map((names) => names.map(idOf));
  nodes.push({ id: idOf(name), type, z: tab, name, ...fields, x: 120 + column * 200, y: 60 + row * 60, wires: to });
}
const config = (name, type, fields) => nodes.push({ id: idOf(name), type, name, ...fields });
// Functions begin anew with the flow, in a Node-RED that keeps its context on the disk, too: the broker tells what is.
const code = (file, outputs, kept) => ({
  func: source(file), outputs, timeout: 0, noerr: 0, initialize: kept ? `context.set("${kept}", undefined);` : '', finalize: '', libs: [],
});
const inject = (topic, fields) => ({
  props: [{ p: 'topic', vt: 'str' }], topic, repeat: '', crontab: '', once: true, onceDelay: 0.1, payload: '', payloadType: 'date', ...fields,
});
const topics = (...patterns) => ({
  property: 'topic', propertyType: 'msg', checkall: 'true', repair: false, outputs: patterns.length,
  rules: patterns.map((v) => ({ t: 'regex', v, vt: 'str', case: false })),
});
const setTopic = (to) => ({
  rules: [{ t: 'set', p: 'topic', pt: 'msg', to, tot: 'str' }], action: '', property: '', from: '', to: '', reg: false,
});

config('dashboard', 'ui-base', {
  path: '/dashboard', appIcon: '', includeClientData: true, acceptsClientConfig: ['ui-notification', 'ui-control'], showPathInSidebar: false,
  headerContent: 'page', navigationStyle: 'default', titleBarStyle: 'default', showReconnectNotification: true, notificationDisplayTime: 1,
  showDisconnectNotification: true, allowInstall: false,
});
config('theme', 'ui-theme', {
  colors: { surface: '#16324f', primary: '#0d74ce', bgPage: '#f4f6f8', groupBg: '#ffffff', groupOutline: '#d9d9e0' },
  sizes: { density: 'compact', pagePadding: '12px', groupGap: '12px', groupBorderRadius: '4px', widgetGap: '8px' },
});
function page(name, path, icon, order) {
  config(name, 'ui-page', {
    ui: idOf('dashboard'), path, icon, layout: 'grid', theme: idOf('theme'), order, className: '', visible: true, disabled: false,
    breakpoints: [{ name: 'Default', px: '0', cols: '3' }, { name: 'Tablet', px: '576', cols: '6' }, { name: 'Small Desktop', px: '768', cols: '9' },
      { name: 'Desktop', px: '1024', cols: '12' }],
  });
}
function group(name, ofPage, order) {
  config(name, 'ui-group', {
    page: idOf(ofPage), width: '12', height: '1', order, showTitle: true, className: '', visible: true, disabled: false, groupType: 'default',
  });
}
page('Fleet', '/fleet', 'lan', 1);
page('Rack test', '/rack-test', 'clipboard-check-outline', 2);
group('Modules', 'Fleet', 1);
group('Nightly window', 'Fleet', 2);
group('One job over the rack', 'Rack test', 1);
const template = (file, inGroup) => ({
  group: idOf(inGroup), page: '', ui: '', order: 1, width: '0', height: '0', head: '', format: source(file), storeOutMessages: true,
  passthru: false, resendOnRefresh: true, templateScope: 'local', className: '',
});
const toast = (position, color, displayTime) => ({
  ui: idOf('dashboard'), position, colorDefault: false, color, displayTime, showCountdown: true, outputs: 1, allowDismiss: true,
  dismissText: 'Close', allowConfirm: false, confirmText: 'Confirm', raw: false, className: '',
});
const input = (topic, order, fields) => ({
  group: idOf('Nightly window'), order, width: '4', height: '1', topic, topicType: 'str', passthru: false, className: `dfota-night-${topic}`, ...fields,
});
const time = (topic, label, order) => input(topic, order, {
  label, mode: 'time', tooltip: '', delay: 300, sendOnDelay: false, sendOnBlur: true, sendOnEnter: true, clearable: false, sendOnClear: false,
  icon: '', iconPosition: 'left', iconInnerPosition: 'inside',
});

// What comes from the broker, and what goes to it.
add('once', 'inject', [0, 4], [['subscribe']], inject('', {}));
add('subscribe', 'function', [1, 4], [['from the gateway']], code('subscribe.js', 1));
add('from the gateway', 'mqtt in', [2, 4], [['by topic']], {
  topic: '', qos: '1', datatype: 'auto-detect', broker, nl: false, rap: false, rh: 0, inputs: 1,
});
add('by topic', 'switch', [3, 4], [['error toast'], ['fleet'], ['replies'], ['night'], ['rack test']], topics(
  '/module/[^/]+/error/[67]xx/', '/(status|info|module/.+|job/.+|rsp/list)$', '/rsp/[a-z_]+$', '/(info|night)$',
  '/(result|error/.+|job/.+|rsp/update|rsp/replay)$'));
// A command that the gateway gets later than this is refused: nobody expects it any more. What is retained stays.
const publish = (expiry) => ({
  topic: '', qos: '1', retain: '', respTopic: '', contentType: 'application/json', userProps: '', correl: '', expiry, broker,
});
add('to the gateway', 'mqtt out', [7, 3], [], publish('60'));
add('retained', 'mqtt out', [7, 6], [], publish(''));

// The fleet.
add('half a second', 'inject', [3, 1], [['fleet']], inject('tick', { repeat: '0.5' }));
add('fleet', 'function', [4, 1], [['table'], ['to the gateway']], code('fleet.js', 2, 'fleet'));
add('table', 'ui-template', [5, 1], [['command']], template('fleet.vue', 'Modules'));
add('command', 'function', [6, 1], [['to the gateway']], code('command.js', 1));

// What pops up.
add('error toast', 'function', [4, 3], [['errors']], code('toast.js', 1, 'newest'));
add('errors', 'ui-notification', [5, 3], [[]], toast('top right', '#b3261e', '15'));
add('replies', 'function', [4, 4], [['answers']], code('replies.js', 1));
add('answers', 'ui-notification', [5, 4], [[]], toast('bottom right', '#16324f', '5'));

// The nightly window.
add('each minute', 'inject', [3, 7], [['night']], inject('tick', { repeat: '60' }));
add('night', 'function', [4, 6], [['retained'], ['only at night'], ['begins'], ['ends']], code('night.js', 4, 'night'));
add('only at night', 'ui-switch', [5, 5], [['night']], input('on', 1, {
  label: 'Update only at night', decouple: false, style: '', layout: 'row-spread', clickableArea: 'switch', onvalue: 'true', onvalueType: 'bool',
  onicon: '', oncolor: '', offvalue: 'false', offvalueType: 'bool', officon: '', offcolor: '',
}));
add('begins', 'ui-text-input', [5, 6], [['night']], time('start', 'from', 2));
add('ends', 'ui-text-input', [5, 7], [['night']], time('end', 'to', 3));

// The rack test.
add('page', 'ui-template', [5, 9], [['rack test']], template('rack_test.vue', 'One job over the rack'));
add('rack test', 'function', [4, 9], [['to the gateway'], ['page'], ['csv']], code('rack_test.js', 3, 'test'));
add('csv', 'file', [5, 10], [['written']], {
  filename: 'filename', filenameType: 'msg', appendNewline: false, createDir: true, overwriteFile: 'true', encoding: 'utf8',
});
add('written', 'change', [6, 10], [['rack test']], setTopic('written'));

const file = process.argv[2] ?? new URL('../flows.json', here);
writeFileSync(file, `${JSON.stringify(nodes, null, 2)}\n`);
