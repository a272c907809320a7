// A fleet to look at: a broker, a rack of simulated modules, the gateway with its page, and Node-RED with the flow of docker/nodered.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { environment, freePorts, until } from './processes.mjs';

const source = fileURLToPath(new URL('../..', import.meta.url));
export const kGateway = 'shelf';
export const kRoot = `dfota/v1/${kGateway}`;
export const kVersions = ['UC20GQBR03A11E1G', 'UC20GQBR03A12E1G', 'UC20GQBR03A13E1G'];

export class Fleet {
  // `downloads` at once; the tags of a module are what `tags` says of its number; `hears`: the topics that are listened to.
  constructor(processes, binaries, modules, { downloads = 5, tags = () => [], hears = '#' } = {}) {
    Object.assign(this, { processes, binaries, dir: processes.dir, modules, downloads, tags, hears });
  }

  async start(faults) {
    [this.broker, this.http, this.admin, this.nodeRed] = await freePorts(4);
    await this.startBroker();
    await this.startRack(faults);
    await this.startGateway();
    await this.addDelta('a', kVersions[0], kVersions[1], ['2026-01-01', '2026-02-01']);
    await this.addDelta('b', kVersions[1], kVersions[2], ['2026-02-01', '2026-03-01']);
  }

  async startBroker() {
    const file = `${this.dir}/mosquitto.conf`;
    writeFileSync(file, `listener ${this.broker} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
    const path = `${environment.PATH}:/usr/sbin`;
    const broker = this.processes.start('broker', 'mosquitto', ['-c', file], { env: { PATH: path } });
    await this.processes.ready(broker, () => this.processes.log('broker').includes(' running'));
    // What is said, for whoever has to find out why a test failed; the status shows that it stands.
    const heard = this.processes.start('heard', 'mosquitto_sub', ['-p', `${this.broker}`, '-q', '1', '-v', '-t', 'test/#', '-t', this.hears]);
    await this.publish('test/listening', 'yes', ['-r']);
    await this.processes.ready(heard, () => this.heard('test/listening').length > 0);
  }

  async startRack(faults) {
    const args = ['--dir', `${this.dir}/rack`, '--log', `${this.dir}/rack.jsonl`, '--count', `${this.modules}`, '--speed', '20', '--model', 'UC20',
      '--version', kVersions[0], ...faults.flatMap((fault) => ['--fault', fault])];
    const rack = this.processes.start('rack', `${this.binaries}/dfota-rack`, args);
    const ports = `${this.dir}/rack`;
    await this.processes.ready(rack, () => existsSync(ports) && readdirSync(ports).filter((name) => /^m\d+$/.test(name)).length === this.modules);
  }

  async startGateway(name = 'gateway') {
    const modules = Array.from({ length: this.modules },
      (_, i) => `[[module]]\nid = "uc20-${i}"\nport = "${this.dir}/rack/m${i}"\ntags = ${JSON.stringify(this.tags(i))}\n`);
    writeFileSync(`${this.dir}/gateway.toml`, `
[gateway]
id = "${kGateway}"
state_dir = "${this.dir}/state"
[mqtt]
uri = "mqtt://127.0.0.1:${this.broker}"
[http]
listen = "127.0.0.1:${this.http}"
public_url = "http://127.0.0.1:${this.http}"
[admin]
listen = "127.0.0.1:${this.admin}"
[limits]
downloads = ${this.downloads}                 # so that some wait while others flash
updates = ${Math.max(64, this.downloads)}
[retry]
attempts = 1                  # what fails is to be tried again by hand
[timeouts]
listen = 0.5                  # the rack runs at twenty times the speed of real modules
${modules.join('')}`);
    const before = this.heard(`${kRoot}/status`).length;
    this.gateway = this.processes.start(name, `${this.binaries}/dfota-gateway`, ['--config', `${this.dir}/gateway.toml`]);
    await this.processes.ready(this.gateway, () => this.heard(`${kRoot}/status`).slice(before).includes('online'));
  }

  // As when its power goes: it says nothing more.
  async killGateway() {
    this.gateway.child.kill('SIGKILL');
    await until('the gateway is gone', () => this.gateway.ended !== null && this.heard(`${kRoot}/status`).at(-1) === 'offline');
    this.processes.running.splice(this.processes.running.indexOf(this.gateway), 1);
  }

  get page() {
    return `http://127.0.0.1:${this.admin}/`;
  }

  get token() {
    return readFileSync(`${this.dir}/state/admin_token`, 'utf8').trim();
  }

  async addDelta(name, from, to, [fromReleased, released]) {
    const file = `${this.dir}/${name}.bin`;
    await this.processes.run('make-delta', `${this.binaries}/dfota-rack`,
      ['--make-delta', file, '--model', 'UC20', '--from', from, '--to', to, '--size', '524288']);
    await this.client(['artifact', 'add', file, '--model', 'UC20', '--from', from, '--to', to, '--released', released, '--from-released', fromReleased]);
  }

  async client(args) {
    await this.processes.run('dfota', `${this.binaries}/dfota`, ['--broker', `mqtt://127.0.0.1:${this.broker}`, '--gateway', kGateway, ...args]);
  }

  async startNodeRed() {
    const userDir = `${this.dir}/node-red`;
    mkdirSync(userDir);
    copyFileSync(`${source}/docker/nodered/flows.json`, `${userDir}/flows.json`);
    writeFileSync(`${userDir}/package.json`, '{"name": "node-red-test", "private": true}\n');
    writeFileSync(`${userDir}/settings.js`, `module.exports = {
  uiHost: '127.0.0.1', uiPort: ${this.nodeRed}, flowFile: 'flows.json', credentialSecret: 'none to keep',
  editorTheme: { tours: false }, telemetry: { enabled: false }, externalModules: { autoInstall: false, palette: { allowInstall: false } },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};
`);
    const env = {
      MQTT_HOST: '127.0.0.1', MQTT_PORT: `${this.broker}`, DFOTA_GATEWAY: kGateway, DFOTA_CSV_DIR: `${this.dir}/csv`,
    };
    const program = `${source}/tests/node_modules/node-red/red.js`;
    const nodeRed = this.processes.start('node-red', process.execPath, [program, '--userDir', userDir], { env });
    await this.processes.ready(nodeRed, () => /Started flows[^]*Connected to broker/.test(this.processes.log('node-red')));
    return `http://127.0.0.1:${this.nodeRed}`;
  }

  async publish(topic, payload, options = []) {
    await this.processes.run('publish', 'mosquitto_pub', ['-p', `${this.broker}`, '-q', '1', '-t', topic, '-m', payload, ...options]);
  }

  // What was said on a topic so far, the oldest first.
  heard(topic) {
    return this.processes.log('heard').split('\n').filter((line) => line.startsWith(`${topic} `)).map((line) => line.slice(topic.length + 1));
  }

  // The commands of a verb that were sent, and the first that fits.
  async command(verb, fits) {
    return until(`a fitting cmd/${verb}`, () => this.heard(`${kRoot}/cmd/${verb}`).map((text) => JSON.parse(text)).find(fits));
  }
}
