// A module's number, with the guide's meaning. Not what was retained, and not what was there before this flow or comes
// once more (`replay`): of each module only errors with a higher seq than any before.
const error = msg.payload;
if (msg.retain || typeof error !== "object" || error === null || typeof error.seq !== "number") return null;
const newest = context.get("newest") || Object.create(null);
context.set("newest", newest);
const before = Math.max(newest[error.module] ?? -1, flow.get("old_seq") ?? -1);
if (error.seq <= before) return null;
newest[error.module] = error.seq;
const again = error.next_attempt_at ? `, again at ${new Date(error.next_attempt_at).toLocaleTimeString()}` : "";
// A notification shows its text, but only after a sanitizer of HTML has changed it: nothing here may look like HTML.
const plain = (text) => text.replace(/[<>&]/g, (character) => ({ "<": "\u2039", ">": "\u203a", "&": "+" })[character]);
return { payload: plain(`${error.module}: ${error.code} ${error.meaning} (${error.phase}, attempt ${error.attempt}${again})`) };
