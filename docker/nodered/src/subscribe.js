// Runs once: what the flow listens to, all of it below the gateway's root.
const root = `${env.get("ROOT")}/${env.get("GATEWAY")}`;
// Marks this flow's own commands, so that its replies can be told from those to others.
flow.set("me", `node-red-${Math.random().toString(36).slice(2, 10)}`);
flow.set("old_seq", undefined);
flow.set("newest_seq", undefined);
const topics = ["status", "info", "module/+/status", "module/+/state", "module/+/update", "module/+/progress",
  "module/+/result", "module/+/error/#", "job/+/state", "rsp/+"].map((topic) => `${root}/${topic}`);
topics.push(`${env.get("ROOT")}/client/node-red/${env.get("GATEWAY")}/night`);
return { action: "subscribe", topic: topics.map((topic) => ({ topic, qos: 1 })) };
