// The commands of one file of recorded messages, and which of them a reply answers: by its topic, its correlation data
// and its transaction; of several that are alike, in their order.
import {judge} from './document.mjs';

const kCommand = /^dfota\/v1\/[^/]+\/cmd\/([^/]+)$/;
const kMostTransaction = 128;

/// What a gateway echoes of it, as it reads it.
function transactionOf(payload) {
  try {
    const {transaction} = JSON.parse(payload.toString());
    const size = typeof transaction === 'string' ? Buffer.byteLength(transaction) : 0;
    return size > 0 && size <= kMostTransaction ? transaction : '';
  } catch {
    return '';
  }
}

export class Commands {
  #api;
  #waiting = new Map(); // where a reply may come, to the commands in their order
  #responseTopics = new Set();
  all = [];

  constructor(api) {
    this.#api = api;
  }

  isCommand({topic}) {
    return kCommand.test(topic);
  }

  isResponseTopic(topic) {
    return this.#responseTopics.has(topic);
  }

  add(line) {
    const verb = kCommand.exec(line.topic)[1];
    const channel = this.#api.byKey(`cmd_${verb}`);
    const fault = channel ? judge(channel, line.payload).fault : 'there is no such verb';
    const command = {line, verb, known: Boolean(channel), fault, transaction: transactionOf(line.payload), replies: []};
    this.all.push(command);
    if (line.response_topic) this.#responseTopics.add(line.response_topic);
    // The default topic, too: a response topic may be forbidden.
    for (const topic of new Set([line.response_topic ?? '', `/rsp/${verb}`, '/rsp/unknown'])) {
      const key = this.#key(line.observer, topic, line.correlation);
      if (!this.#waiting.has(key)) this.#waiting.set(key, {commands: [], next: 0});
      this.#waiting.get(key).commands.push(command);
    }
  }

  answeredBy(line) {
    const transaction = transactionOf(line.payload);
    const isDefault = /\/rsp\/[^/]+$/.test(line.topic) && !this.#responseTopics.has(line.topic);
    const topic = isDefault ? line.topic.slice(line.topic.lastIndexOf('/rsp/')) : line.topic;
    const list = this.#waiting.get(this.#key(line.observer, topic, line.correlation));
    if (!list) return null;
    while (list.commands[list.next]?.replies.length) ++list.next;
    const mine = (command) => command.transaction === transaction || transaction === '';
    const open = list.commands.slice(list.next, list.next + 100).find((one) => mine(one) && !one.replies.length);
    // A command that came twice, for the gateway died between the journal and the acknowledgement, is answered twice.
    return open ?? list.commands.findLast(mine) ?? null;
  }

  #key(observer, topic, correlation) {
    return `${observer} ${topic} ${correlation}`;
  }
}
