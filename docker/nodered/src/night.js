// Outside of its hours the whole gateway is held (R/hold): no module is commanded, not even for a job that comes by day;
// what flashes goes on. The setting is retained in the broker, so that it outlives Node-RED. A hold of somebody else's
// (the reason tells) is neither replaced nor released. Outputs: to the broker, the switch, its two times.
const root = `${env.get("ROOT")}/${env.get("GATEWAY")}`;
const setting_topic = `${env.get("ROOT")}/client/node-red/${env.get("GATEWAY")}/night`;
const kReason = "only at night (Node-RED)";
const kUsual = { on: false, start: "01:00", end: "05:00" };
const kTime = /^([01]\d|2[0-3]):[0-5]\d$/;
const night = context.get("night") || { setting: null, hold: undefined, shown: {} };
context.set("night", night);

const isObject = (value) => typeof value === "object" && value !== null;

function isNight({ start, end }) {
  const now = new Date();
  const time = `${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
  return start <= end ? start <= time && time < end : start <= time || time < end;
}

// Before the gateway's own word (R/info) nobody knows whether somebody else holds it.
function hold() {
  if (!night.setting || night.hold === undefined) return null;
  const wanted = night.setting.on && !isNight(night.setting);
  if (wanted && night.hold === null) {
    return { topic: `${root}/hold`, payload: { hold: true, reason: kReason }, retain: true, qos: 1 };
  }
  if (!wanted && night.hold === kReason) {
    return { topic: `${root}/hold`, payload: { hold: false }, retain: true, qos: 1 };
  }
  return null;
}

// Only what has changed: somebody may be typing the other time.
function show(setting) {
  return ["on", "start", "end"].map((key) => {
    if (night.shown[key] === setting[key]) return null;
    night.shown[key] = setting[key];
    return { payload: setting[key] };
  });
}

if (msg.topic === setting_topic) {
  const { on, start, end } = isObject(msg.payload) ? msg.payload : {};
  if (typeof on !== "boolean" || !kTime.test(start) || !kTime.test(end)) return null;
  night.setting = { on, start, end };
  return [hold(), ...show(night.setting)];
}
if (msg.topic === `${root}/info`) {
  if (isObject(msg.payload)) night.hold = msg.payload.hold;
  return [hold(), ...show(night.setting ?? kUsual)];
}
if (msg.topic === "tick") return hold();

// The switch or one of the times was touched. It counts once the broker has it.
night.shown[msg.topic] = msg.payload;
const setting = { ...kUsual, ...night.setting, [msg.topic]: msg.payload };
if (!kTime.test(setting.start) || !kTime.test(setting.end)) return null;
night.setting = setting;
return { topic: setting_topic, payload: setting, retain: true, qos: 1 };
