// The last AT dialogue of a module, line by line. What differs in kind differs in its sign and its place, not by colour alone.
import { getText, href, transcriptPath } from './api.js';
import { h, show, text } from './dom.js';
import { bytes, time } from './format.js';

const kAgainMs = 2000;

// Which of its kinds a line is, and what it says: [kind, sign, words].
function told(event) {
  if ('cmd' in event) return ['cmd', '›', event.cmd];
  if ('line' in event) return ['line', '', event.line];
  if ('final' in event) return [/^(OK|CONNECT)/.test(event.final) ? 'final' : 'refused', /^(OK|CONNECT)/.test(event.final) ? '' : '✕', event.final];
  if ('urc' in event) return ['urc', 'URC', event.urc];
  if ('noise' in event) return ['noise', '?', event.noise];
  if ('data' in event) return ['data', '›', `${bytes(event.data)} of data`];
  if ('file' in event) return ['file', 'HTTP', fileWords(event.file)];
  if ('open' in event) return ['port', 'PORT', `opened ${event.open}`];
  if ('closed' in event) return ['port', 'PORT', `closed: ${event.closed}`];
  if ('step' in event) return ['step', 'STEP', event.step];
  if ('attempt' in event) return ['step', 'STEP', `attempt ${event.attempt}`];
  if ('hop' in event) return ['step', 'STEP', `delta ${event.hop} of its way`];
  if ('error' in event) return ['error', 'ERROR', `${event.error.code} ${event.error.meaning ?? event.error.name ?? ''}`];
  if ('outcome' in event) return ['step', 'END', event.outcome];
  if ('dropped' in event) return ['noise', '…', `${event.dropped} events were left out here`];
  return ['noise', '?', JSON.stringify(event)];
}

function fileWords({ size, delivered, released }) {
  return `${bytes(delivered)} of ${bytes(size)} delivered${released ? ', the last byte released' : ''}`;
}

const clock = (seconds) => `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${(seconds % 60).toFixed(3).padStart(6, '0')}`;

export class Transcript {
  constructor(module) {
    this.module = module;
    this.job = null;      // null: the newest
    this.lines = [];      // as they came: a line that is the same is not drawn again
    this.choice = h('select', { 'aria-label': 'Which update' });
    this.choice.addEventListener('change', () => {
      this.job = this.choice.value || null;
      this.load();
    });
    this.save = h('a', { class: 'button', download: '', text: 'Download JSON lines' });
    this.head = h('p', { class: 'transcript-head' });
    this.body = h('ol', { class: 'transcript', tabindex: '0', role: 'list', 'aria-label': 'AT dialogue' });
    this.none = h('p', { class: 'empty', text: 'No update of this module has been recorded yet.' });
    this.tools = h('div', { class: 'panel-tools' }, this.choice, this.save);
    this.element = h('section', { 'aria-label': 'Transcript' }, h('h3', { text: 'AT dialogue' }), this.tools, this.head, this.body, this.none);
    this.offer([]);
  }

  offer(transcripts) {
    const wanted = transcripts.map(({ job, run, started_at: at }, i) => ({ value: i === 0 ? '' : job, words: `${job}, run ${run}, ${time(at)}` }));
    const known = [...this.choice.options].map(({ value, text: words }) => ({ value, words }));
    if (JSON.stringify(wanted) !== JSON.stringify(known)) {
      this.choice.replaceChildren(...wanted.map(({ value, words }) => h('option', { value, text: words })));
      this.choice.value = wanted.some(({ value }) => value === (this.job ?? '')) ? this.job ?? '' : '';
    }
    show(this.tools, transcripts.length > 0);
    show(this.head, transcripts.length > 0);
    show(this.body, transcripts.length > 0);
    show(this.none, transcripts.length === 0);
    this.present = transcripts.length > 0;
    if (this.present) this.load();
  }

  // While the update runs, again and again; never two at once.
  follow(running) {
    if (running && !this.timer) this.timer = setInterval(() => this.load(), kAgainMs);
    if (!running && this.timer) {
      this.end();
      this.load();
    }
  }

  end() {
    clearInterval(this.timer);
    this.timer = null;
  }

  async load() {
    if (this.loading || document.hidden) return;
    this.loading = true;
    const path = transcriptPath(this.module, this.job);
    this.save.setAttribute('href', href(path));
    this.save.setAttribute('download', `${this.module}-${this.job ?? 'newest'}.jsonl`);
    try {
      this.draw(await getText(path));
    } catch (error) {
      if (error.status !== 404 && error.status !== 0) text(this.head, `${error.code}: ${error.message}`);
    } finally {
      this.loading = false;
    }
  }

  draw(document) {
    const [head, ...lines] = document.split('\n').filter(Boolean);
    if (!head) return;
    const about = JSON.parse(head);
    text(this.head, `${about.profile ?? about.model ?? ''}, ${about.delivery ?? ''}, began ${time(about.started_at)}, job ${about.job} run ${about.run}`);
    const atEnd = this.body.scrollTop + this.body.clientHeight >= this.body.scrollHeight - 24;
    let same = 0;
    if (this.started === head) while (same < lines.length && lines[same] === this.lines[same]) ++same;
    this.started = head;
    while (this.body.children.length > same) this.body.lastElementChild.remove();
    this.body.append(...lines.slice(same).map((line) => this.row(line)));
    this.lines = lines;
    if (atEnd || same === 0) this.body.scrollTop = this.body.scrollHeight;
  }

  row(line) {
    let event;
    try { event = JSON.parse(line); } catch { event = { noise: line }; }
    const [kind, sign, words] = told(event);
    return h('li', { 'data-kind': kind },
      h('time', { text: typeof event.t === 'number' ? clock(event.t) : '' }), h('span', { class: 'sign', text: sign }), h('span', { class: 'said', text: words }),
      event.error?.hint ? h('span', { class: 'said-hint', text: event.error.hint }) : null);
  }
}
