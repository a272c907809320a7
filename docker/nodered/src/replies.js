// What became of a button: a word for each reply to this flow's own commands.
const reply = msg.payload;
const verb = msg.topic.split("/").pop();
const mine = `${flow.get("me")}/`;
if (msg.retain || typeof reply !== "object" || reply === null || typeof reply.transaction !== "string") return null;
if (!reply.transaction.startsWith(mine)) return null;
const module = reply.transaction.slice(mine.length);
if (verb === "list" || verb === "replay" || module === "rack-test") return null;

function done(data) {
  if (verb !== "cancel") return `job ${data.job}, run ${data.run}: ${data.state}`;
  if (data.stopped.length) return "canceled";
  if (data.stopping.length) return "stops before it is commanded";
  return data.will_end.length ? "was commanded and ends by itself" : "nothing to cancel";
}

const said = reply.status === "ok" ? done(reply.data) : `refused, ${reply.error.code}: ${reply.error.message}`;
// A notification shows its text, but only after a sanitizer of HTML has changed it: nothing here may look like HTML.
const plain = (text) => text.replace(/[<>&]/g, (character) => ({ "<": "\u2039", ">": "\u203a", "&": "+" })[character]);
return { payload: plain(`${module} ${verb}: ${said}`) };
