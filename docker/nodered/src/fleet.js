// What is known of the fleet, from retained topics, from what happens, and from `list` for the rest: which version a
// job leads to, and how the last job of each module ended. Twice a second, when something has changed, all rows go to
// the table. Outputs: rows, commands.
const root = `${env.get("ROOT")}/${env.get("GATEWAY")}`;
const me = flow.get("me");
const kEnded = ["succeeded", "canceled", "rejected", "failed", "partial"];
const kGood = ["succeeded", "skipped"];
const kListAgainMs = 10000;
const kTones = { away: "#757575", active: "#0d74ce", good: "#2e7d32", canceled: "#b26a00", bad: "#c62828" };

// Ids may be any word, "__proto__" too: objects without a prototype.
const fleet = context.get("fleet") || {
  status: "unknown", hold: null, modules: Object.create(null), jobs: Object.create(null),
  wants_list: true, listing_since: 0, changed: true,
};
context.set("fleet", fleet);

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
const text = (value) => (value === null || value === undefined ? "" : String(value));
const moduleOf = (id) => (fleet.modules[id] ??= { state: {}, status: "", progress: null, last: null, error: null, update: {} });
const jobOf = (id) => (fleet.jobs[id] ??= {});

function takeModule(id, kind, payload, retained) {
  if (kind === "status") {
    if (payload === "online" || payload === "offline") moduleOf(id).status = payload;
    else delete fleet.modules[id];  // forgotten: the retained topic was cleared
    return;
  }
  if (!isObject(payload)) return;
  const module = moduleOf(id);
  if (kind === "state") {
    module.state = payload;
    if (payload.last_error !== undefined) module.error = payload.last_error;
    if (payload.job && jobOf(payload.job).to === undefined) fleet.wants_list = true;
  } else if (kind === "update") {
    module.update = payload;
  } else if (kind === "progress") {
    module.progress = payload;
  } else if (kind === "error" && !retained) {
    module.error = payload;
  } else if (kind === "result") {
    const reached = module.progress ? module.progress.overall_percent : 0;
    module.last = { job: payload.job, run: payload.run, outcome: payload.outcome, at: payload.ts, reached };
    module.progress = null;
    module.state = { ...module.state, phase: "idle", job: null, version: payload.version || module.state.version };
  }
}

function takeListedJob(row) {
  Object.assign(jobOf(row.job), { run: row.run, state: row.state, from: row.from, to: row.to });
  for (const [id, outcome] of Object.entries(row.modules)) {
    const module = moduleOf(id);
    const again = module.last && module.last.job === row.job && module.last.run < row.run;
    if (outcome === "queued" || outcome === "running") continue;
    if (!module.last || module.last.at < row.accepted_at || again) {
      module.last = { job: row.job, run: row.run, outcome, at: row.accepted_at, reached: 0 };
      module.progress = null;
    }
  }
}

// The pages of `list`, one after another. `seq` says which errors are old.
function takeList(reply) {
  fleet.listing_since = 0;
  if (reply.status !== "ok") return null;
  reply.data.jobs.forEach(takeListedJob);
  if (flow.get("old_seq") === undefined) flow.set("old_seq", reply.data.seq);
  return reply.data.next === null ? null : list(reply.data.next);
}

function list(after) {
  fleet.listing_since = Date.now();
  const payload = { limit: 1000, transaction: `${me}/list` };
  if (after) payload.after = after;
  return { topic: `${root}/cmd/list`, payload };
}

function statusOf(module, active) {
  if (module.status !== "online") return text(module.status || "unknown") + (module.state.problem ? `: ${module.state.problem}` : "");
  if (active) return module.state.phase || "queued";
  if (module.state.problem) return module.state.problem;
  return module.last ? module.last.outcome : "idle";
}

function toneOf(module, active) {
  if (module.status !== "online") return kTones.away;
  if (active) return kTones.active;
  if (!module.last) return kTones.away;
  if (kGood.includes(module.last.outcome)) return kTones.good;
  return module.last.outcome === "canceled" ? kTones.canceled : kTones.bad;
}

function rowOf([id, module]) {
  const { state, last, update } = module;
  const active = Boolean(state.job);
  // Idle comes before the result does: until then the bar stays where it is.
  const progress = module.progress && (!active || module.progress.job === state.job) ? module.progress : {};
  const job = active ? jobOf(state.job) : {};
  const error = isObject(module.error) ? module.error : null;
  const newer = update.latest_version && update.latest_version !== update.installed_version ? update.latest_version : "";
  const ended = last && fleet.jobs[last.job] && fleet.jobs[last.job].run === last.run && kEnded.includes(fleet.jobs[last.job].state);
  const good = last && kGood.includes(last.outcome);
  let bar = good ? 100 : last && last.reached;
  if (active || module.progress) bar = progress.overall_percent;
  return {
    module: id, model: text(state.model), version: text(state.version), to: active ? text(job.to) : text(newer), newer: text(newer),
    status: text(statusOf(module, active)), tone: toneOf(module, active), active, bar: Number(bar) || 0,
    percent: typeof progress.percent === "number" ? progress.percent : null,
    hop: progress.hops > 1 ? `${progress.hop}/${progress.hops}` : "",
    eta_s: typeof progress.eta_s === "number" ? progress.eta_s : null,
    error: error ? `${text(error.code)} ${text(error.meaning)}` : "", hint: error ? text(error.hint) : "",
    settled: !active && good === true,
    retry: !active && ended && !good ? { job: last.job, run: last.run } : null,
  };
}

function table() {
  const byName = new Intl.Collator("en", { numeric: true });
  const rows = Object.entries(fleet.modules).map(rowOf).sort((a, b) => byName.compare(a.module, b.module));
  return { payload: { gateway: env.get("GATEWAY"), status: fleet.status, hold: fleet.hold, rows } };
}

function tick() {
  if (fleet.listing_since && Date.now() - fleet.listing_since > kListAgainMs) {
    fleet.listing_since = 0;
    fleet.wants_list = true;
  }
  let command = null;
  if (fleet.status === "online" && fleet.wants_list && !fleet.listing_since) {
    fleet.wants_list = false;
    command = list();
  }
  const rows = fleet.changed ? table() : null;
  fleet.changed = false;
  return [rows, command];
}

if (msg.topic === "tick") return tick();
if (typeof msg.topic !== "string" || !msg.topic.startsWith(`${root}/`)) return null;
const [what, id, kind] = msg.topic.slice(root.length + 1).split("/");
fleet.changed = true;
if (what === "module") {
  takeModule(id, kind, msg.payload, msg.retain);
} else if (what === "job") {
  if (isObject(msg.payload)) Object.assign(jobOf(id), { run: msg.payload.run, state: msg.payload.state });
  else delete fleet.jobs[id];
} else if (what === "status") {
  if (msg.payload === "online" && fleet.status !== "online") fleet.wants_list = true;
  fleet.status = text(msg.payload);
} else if (what === "info" && isObject(msg.payload)) {
  fleet.hold = msg.payload.hold === null ? null : text(msg.payload.hold);
} else if (what === "rsp" && id === "list" && isObject(msg.payload) && msg.payload.transaction === `${me}/list`) {
  return [null, takeList(msg.payload)];
}
return null;
