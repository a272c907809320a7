#!/usr/bin/env node
// The gateway's page with a thousand modules that all download: how fast it is drawn, what it keeps, and what pages cost the gateway.
//   node tests/bench/page_bench.mjs BUILD [--modules 1000] [--pages 10] [--seconds 15]
// Everything on loopback, in a directory of its own; the rack, the broker, the gateway and Chromium share the machine. Prints tables, asserts nothing.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRequire } from 'node:module';

import { Fleet, kRoot, kVersions } from '../browser/fleet.mjs';
import { Processes, environment, until } from '../browser/processes.mjs';

const { chromium } = createRequire(import.meta.url)('playwright-core');
const kTicksPerS = 100;
const kAtOnce = 200;

function options() {
  const [build = 'build', ...rest] = process.argv.slice(2);
  const found = { build, modules: 1000, pages: 10, seconds: 15 };
  for (let i = 0; i < rest.length; i += 2) {
    const name = rest[i].replace(/^--/, '');
    if (!(name in found) || !(Number(rest[i + 1]) > 0)) throw new Error('usage: node page_bench.mjs BUILD [--modules N] [--pages N] [--seconds S]');
    found[name] = Number(rest[i + 1]);
  }
  return found;
}

// utime and stime of a process, in seconds.
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / kTicksPerS;
}

function rss(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

function table(head, rows) {
  console.log(`\n| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

// The times between frames for so long, and what was done meanwhile.
function frames(page, seconds, scroll) {
  return page.evaluate(async ([forMs, scrolls]) => {
    const times = [];
    const long = [];
    const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
    observer.observe({ type: 'longtask' });
    const end = performance.now() + forMs;
    let before = await new Promise(requestAnimationFrame);
    while (performance.now() < end) {
      if (scrolls) scrollBy(0, 60);
      const now = await new Promise(requestAnimationFrame);
      times.push(now - before);
      before = now;
    }
    observer.disconnect();
    scrollTo(0, 0);
    times.sort((a, b) => a - b);
    const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
    return { count: times.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), most: times.at(-1), long: long.length, longest: Math.max(0, ...long) };
  }, [seconds * 1000, scroll]);
}

async function metrics(session) {
  const { metrics: list } = await session.send('Performance.getMetrics');
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

async function open(browser, fleet, modules) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(120000);
  const page = await context.newPage();
  const began = performance.now();
  await page.goto(fleet.page);
  await page.waitForFunction((count) => document.querySelectorAll('.module').length === count, modules);
  return { page, context, shownMs: performance.now() - began };
}

async function drawing(browser, fleet, { modules, seconds }) {
  const { page, context, shownMs } = await open(browser, fleet, modules);
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  const rows = [];
  for (const [what, layout, scroll] of [['rows', 'rows', false], ['rows, scrolled', 'rows', true], ['cards, scrolled', 'cards', true]]) {
    await page.getByRole('button', { name: `Show as ${layout}` }).click();
    const before = await metrics(session);
    const { count, p50, p95, p99, most, long, longest } = await frames(page, seconds, scroll);
    const after = await metrics(session);
    const busy = (name) => `${((after[name] - before[name]) / (after.Timestamp - before.Timestamp) * 100).toFixed(0)} %`;
    rows.push([what, count, ...[p50, p95, p99, most].map((ms) => ms.toFixed(1)), long, longest.toFixed(0), busy('TaskDuration'), busy('ScriptDuration')]);
  }
  table(['list', 'frames', 'p50 ms', 'p95 ms', 'p99 ms', 'most ms', 'tasks over 50 ms', 'longest ms', 'main thread busy', 'of it script'], rows);
  const filterMs = await page.evaluate(async () => {
    const field = document.getElementById('filter');
    const began = performance.now();
    field.value = 'uc20-77';
    field.dispatchEvent(new Event('input'));
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - began;
  });
  await session.send('HeapProfiler.collectGarbage');
  const { JSHeapUsedSize: heap, Nodes: nodes } = await metrics(session);
  table(['from the address to all rows', 'filter by a text', 'heap of the page', 'nodes'], [[`${shownMs.toFixed(0)} ms`, `${filterMs.toFixed(0)} ms`, `${(heap / 1e6).toFixed(1)} MB`, nodes]]);
  await context.close();
}

async function cost(browser, fleet, { modules, pages, seconds }) {
  const { pid } = fleet.gateway.child;
  const measure = async () => {
    const before = cpu(pid);
    const began = performance.now();
    await delay(seconds * 1000);
    return (cpu(pid) - before) / (performance.now() - began) * 1000;
  };
  const none = await measure();
  const memory = rss(pid);
  const opened = [];
  for (let i = 0; i < pages; ++i) opened.push(await open(browser, fleet, modules));
  const many = await measure();
  const row = (count, share, mib) => [count, `${(share * 100).toFixed(1)} % of a core`, (share / none).toFixed(2), `${mib.toFixed(0)} MiB`];
  table(['open pages', 'the gateway\'s CPU', 'ratio', 'its memory'], [row(0, none, memory), row(pages, many, rss(pid))]);
  for (const { context } of opened) await context.close();
}

// A part after the other: a file server that a thousand strangers call in one moment turns some of them away.
async function allDownload(fleet, modules) {
  for (let from = 0; from < modules; from += kAtOnce) {
    const to = Math.min(modules, from + kAtOnce);
    const ids = Array.from({ length: to - from }, (_, i) => `uc20-${from + i}`);
    await fleet.client(['update', '--modules', ids.join(','), '--target', kVersions[1], '--job', `from-${from}`, '--no-wait']);
    await until(`${to} modules download`, async () => {
      await delay(500);
      const { modules: rows } = await (await fetch(`${fleet.page}api/v1/modules`)).json();
      return rows.filter(({ phase }) => phase === 'downloading').length >= to * 0.99;
    });
  }
}

async function main() {
  const wanted = options();
  const dir = mkdtempSync(join(tmpdir(), 'dfota-page-bench.'));
  const processes = new Processes(dir);
  let browser;
  try {
    const fleet = new Fleet(processes, wanted.build.startsWith('/') ? wanted.build : join(process.cwd(), wanted.build), wanted.modules,
      { downloads: wanted.modules, hears: `${kRoot}/status`, tags: (i) => [`shelf-${Math.floor(i / 40) + 1}`] });
    await fleet.start(['all:client=slow:1500']);   // so that all of them download for as long as it is looked at
    const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...sandbox, '--no-proxy-server'], env: environment });
    await allDownload(fleet, wanted.modules);
    console.log(`${wanted.modules} modules download, each at 1.5 kB/s`);
    await cost(browser, fleet, wanted);
    await drawing(browser, fleet, wanted);
  } finally {
    await browser?.close();
    await processes.end();
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
