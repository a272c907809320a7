// What the gateway has said, and who wants to know when it is something new. All news of a moment come in one go, before the next frame is drawn.
export class Store {
  constructor() {
    this.info = null;
    this.modules = new Map();   // id: {id, state, status, progress}
    this.jobs = new Map();      // id: row
    this.listeners = [];
    this.ready = false;         // everything has been said once
    this.clearNews();
  }

  clearNews() {
    this.news = { all: false, info: false, artifacts: false, modules: new Set(), jobs: new Set() };
    this.waiting = false;
  }

  subscribe(listener) {
    this.listeners.push(listener);
  }

  // Everything that there is: what it does not name is gone.
  replace(documents) {
    const named = new Set(Object.keys(documents).map((key) => key.split('/').slice(0, 2).join('/')));
    for (const id of this.modules.keys()) if (!named.has(`module/${id}`)) this.removeModule(id);
    for (const id of this.jobs.keys()) if (!named.has(`job/${id}`)) this.merge({ [`job/${id}`]: null });
    for (const [id, module] of this.modules) {
      if (module.progress && !(`module/${id}/progress` in documents)) this.merge({ [`module/${id}/progress`]: null });
    }
    this.ready = true;
    this.news.all = true;
    this.merge({ artifacts: {}, ...documents });
  }

  merge(documents) {
    for (const [key, document] of Object.entries(documents)) {
      const [kind, id, what] = key.split('/');
      if (kind === 'module') this.setModule(id, what, document);
      else if (kind === 'job') this.setJob(id, document);
      else if (kind === 'info') {
        this.info = document;
        this.news.info = true;
      } else if (kind === 'artifacts') this.news.artifacts = true;
    }
    this.tell();
  }

  setModule(id, what, document) {
    if (document === null && what === 'state') return this.removeModule(id);
    if (!this.modules.has(id)) {
      if (document === null) return;
      this.modules.set(id, { id, state: null, status: 'offline', progress: null });
    }
    this.modules.get(id)[what] = document;
    this.news.modules.add(id);
  }

  removeModule(id) {
    this.modules.delete(id);
    this.news.modules.add(id);
  }

  setJob(id, document) {
    if (document === null) this.jobs.delete(id);
    else this.jobs.set(id, document);
    this.news.jobs.add(id);
  }

  tell() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      const news = this.news;
      this.clearNews();
      for (const listener of this.listeners) listener(news);
    });
  }
}
