// One job over the modules of a rack; when each of them has its result, a CSV and the word PASS or FAIL.
// Outputs: commands, the page, the file.
const root = `${env.get("ROOT")}/${env.get("GATEWAY")}`;
const transaction = `${flow.get("me")}/rack-test`;
const kEnded = ["succeeded", "canceled", "rejected", "failed", "partial"];
const kColumns = ["module", "outcome", "from", "to", "version", "attempts", "duration_s", "error_code", "error_meaning"];
const kGood = ["succeeded", "skipped"];
let test = context.get("test");

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
const page = () => ({
  payload: {
    state: test.state, job: test.job, message: test.message, file: test.file, modules: test.modules.length,
    passed: test.rows.filter((row) => kGood.includes(row.outcome)).length, rows: test.rows,
  },
});

function start({ modules, tag, target, url, sha256, from, to, allow_downgrade }) {
  const stamp = new Date().toISOString().replace(/[-:]|\..*/g, "").replace("T", "-");
  const job = `rack-test-${stamp}-${Math.random().toString(36).slice(2, 6)}`;
  test = { job, state: "asked", message: "", file: "", modules: [], rows: [], seq: flow.get("newest_seq") ?? flow.get("old_seq") ?? 0, replayed: false };
  context.set("test", test);
  const body = {
    job, transaction, modules: tag ? { tag } : modules || "all",
    ...(target ? { target } : { artifact: { url, sha256 }, from, to }),
    ...(allow_downgrade ? { allow_downgrade } : {}),
  };
  return [{ topic: `${root}/cmd/update`, payload: body }, page(), null];
}

// A job that runs ends with results, canceled ones among them. One that nobody has answered ends here.
function stop() {
  if (test.state === "asked") test.state = "stopped";
  return [{ topic: `${root}/cmd/cancel`, payload: { job: test.job, transaction } }, page(), null];
}

function takeReply(reply) {
  if (test.state !== "asked") return null;
  if (reply.status !== "ok") {
    test.state = "refused";
    test.message = `${reply.error.code}: ${reply.error.message} ${reply.error.pointer || ""}`;
    return [null, page(), null];
  }
  test.state = "running";
  test.modules = reply.data.modules;
  return finish();
}

function takeResult(result) {
  if (test.rows.some((row) => row.module === result.module)) return null;
  const error = result.error || {};
  test.rows.push({
    module: result.module, outcome: result.outcome, from: result.from, to: result.to, version: result.version, attempts: result.attempts,
    duration_s: result.duration_s, error_code: error.code ?? "", error_meaning: error.meaning ?? "",
  });
  return finish();
}

// The pages of `replay`, one after another: the results come on their own topics.
function replay(after) {
  if (after === null) return null;
  return [{ topic: `${root}/cmd/replay`, payload: { after, limit: 1000, transaction } }, null, null];
}

// Texts come from modules and manifests: none may end a cell, or be a formula of a spreadsheet.
function cell(value) {
  if (typeof value === "number") return String(value);
  let text = String(value ?? "");
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function finish() {
  if (test.state !== "running" || test.rows.length < test.modules.length) return [null, page(), null];
  const byName = new Intl.Collator("en", { numeric: true });
  test.rows.sort((a, b) => byName.compare(a.module, b.module));
  test.state = test.rows.every((row) => kGood.includes(row.outcome)) ? "PASS" : "FAIL";
  const lines = [kColumns.join(","), ...test.rows.map((row) => kColumns.map((column) => cell(row[column])).join(","))];
  const filename = `${env.get("CSV_DIR")}/${test.job}.csv`;
  return [null, page(), { filename, payload: `${lines.join("\r\n")}\r\n` }];
}

if (isObject(msg.payload) && Number.isInteger(msg.payload.seq)) {
  flow.set("newest_seq", Math.max(flow.get("newest_seq") ?? 0, msg.payload.seq));
}
const busy = test && (test.state === "asked" || test.state === "running");
if (msg.topic === "start") return busy ? null : start(msg.payload);
if (!test) return null;
if (msg.topic === "stop") return busy ? stop() : null;
if (msg.topic === "written") {
  test.file = msg.filename;
  return [null, page(), null];
}
if (!isObject(msg.payload)) return null;
if (msg.topic === `${root}/rsp/update` && msg.payload.transaction === transaction) return takeReply(msg.payload);
if (msg.topic === `${root}/rsp/replay` && msg.payload.transaction === transaction) return replay(msg.payload.data?.next ?? null);
if (msg.payload.job !== test.job || msg.payload.run !== 1) return null;
if (msg.topic.endsWith("/result")) return takeResult(msg.payload);
// The job's last state comes after its results: what is missing then was said while Node-RED was away.
const ended = msg.topic === `${root}/job/${test.job}/state` && kEnded.includes(msg.payload.state);
if (ended && test.state === "running" && !test.replayed) {
  test.replayed = true;
  return replay(test.seq);
}
return null;
