// Processes of a test: each has a log, and is ended by its id, whatever becomes of the test.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export const kWatchdogMs = 120000;
const kEndMs = 15000;

// Nothing here goes through a proxy of this machine's: all of it is on loopback.
export const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));

// Until `condition` gives something; it may be asynchronous. What it waits for is told when it never comes.
export async function until(what, condition) {
  const end = Date.now() + kWatchdogMs;
  while (Date.now() < end) {
    const found = await condition();
    if (found) return found;
    await delay(50);
  }
  throw new Error(`never happened: ${what}`);
}

export async function freePorts(count) {
  const held = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = held.map((server) => server.address().port);
  await Promise.all(held.map((server) => new Promise((resolve) => { server.close(resolve); })));
  return ports;
}

export class Processes {
  constructor(dir) {
    this.dir = dir;
    this.running = [];
  }

  log(name) {
    return readFileSync(`${this.dir}/${name}.log`, 'utf8');
  }

  start(name, program, args, { env = {}, cwd = this.dir } = {}) {
    const log = openSync(`${this.dir}/${name}.log`, 'w');
    const child = spawn(program, args, { cwd, env: { ...environment, ...env }, stdio: ['ignore', log, log] });
    closeSync(log);
    const process = { name, child, ended: null };
    child.once('error', (error) => { process.ended = error.message; });
    child.once('exit', (code, signal) => { process.ended = signal ?? `exit code ${code}`; });
    this.running.push(process);
    return process;
  }

  // Until `condition`, while the process lives.
  async ready(process, condition) {
    await until(`${process.name} is ready`, () => {
      if (process.ended !== null) throw new Error(`${process.name} ended: ${process.ended}`);
      return condition();
    });
  }

  async run(name, program, args) {
    const process = this.start(name, program, args);
    await until(`${name} ends`, () => process.ended !== null);
    this.running.splice(this.running.indexOf(process), 1);
    if (process.ended !== 'exit code 0') throw new Error(`${program} ${args.join(' ')}: ${process.ended}\n${this.log(name)}`);
  }

  // The newest first: the gateway says goodbye to a broker that is still there.
  async end() {
    for (const process of this.running.reverse()) {
      if (process.ended !== null) continue;
      process.child.kill('SIGTERM');
      const end = Date.now() + kEndMs;
      while (process.ended === null && Date.now() < end) await delay(20);
      if (process.ended === null) process.child.kill('SIGKILL');
    }
    this.running = [];
  }
}
