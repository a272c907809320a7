// The gateway's events, for as long as the page is looked at. A gateway that is silent for too long is gone, whatever the connection says.
import { access, session } from './api.js';

const kSilentMs = 25000;   // it says the time every 10 s
const kAgainMs = 2000;
const kHiddenMs = 60000;   // a tab that nobody sees gives its connection back: a browser has only six for a host

export class Stream {
  constructor(store, onState) {
    Object.assign(this, { store, state: 'connecting', source: null, heardAt: null, goneSince: null, timer: null, hiddenTimer: null });
    this.onState = (now) => {
      this.state = now.state;
      onState(now);
    };
    document.addEventListener('visibilitychange', () => this.look());
    setInterval(() => this.watch(), 1000);
  }

  // The session first: a stream that is refused says nothing of why.
  async connect() {
    clearTimeout(this.timer);
    try {
      await session();
      if (access.mayRead || await access.ask(false)) this.open();
      else this.lock();
    } catch {
      this.gone();
      this.again();
    }
  }

  open() {
    clearTimeout(this.timer);
    this.source?.close();
    this.openedAt = Date.now();
    this.source = new EventSource('api/v1/events');
    const on = (name, use) => this.source.addEventListener(name, (event) => {
      const document = JSON.parse(event.data);
      this.heard();
      use(document);
    });
    on('snapshot', (documents) => this.store.replace(documents));
    on('change', (documents) => this.store.merge(documents));
    on('time', () => {});
    this.source.addEventListener('error', () => this.lost());
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  heard() {
    this.heardAt = Date.now();
    this.goneSince = null;
    this.onState({ state: 'live', heardAt: this.heardAt });
  }

  // The browser tries again by itself after a break; what was refused (401, 503) it never asks again.
  lost() {
    this.gone();
    if (this.source?.readyState === EventSource.CLOSED) this.again();
  }

  again() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), kAgainMs);
  }

  // Nothing may be read: until somebody has the token.
  lock() {
    this.close();
    this.onState({ state: 'locked' });
  }

  get locked() {
    return this.state === 'locked';
  }

  gone() {
    this.goneSince ??= this.heardAt ?? Date.now();
    this.onState({ state: 'gone', since: this.goneSince });
  }

  watch() {
    if (!this.source || Date.now() - Math.max(this.heardAt ?? 0, this.openedAt) < kSilentMs) return;
    this.gone();
    this.open();
  }

  look() {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) this.hiddenTimer = setTimeout(() => this.close(), kHiddenMs);
    else if (!this.source && !this.locked) this.connect();
  }
}
