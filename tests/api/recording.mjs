// Recorded messages (tests/support/message_record.hpp), each validated by what the document says of its topic.
import {agree} from './agreement.mjs';
import {Commands} from './commands.mjs';
import {judge} from './document.mjs';

const kShown = 600;

/// Bytes that are no UTF-8 are recorded in hex.
const bytes = (line, key) =>
  `${key}_hex` in line ? Buffer.from(line[`${key}_hex`], 'hex') : Buffer.from(line[key] ?? '');

/// What dfota says to itself: that all it subscribed to has come, and that it may read where its answers come.
const isToItself = (line) =>
  /\/client\/dfota-ctl-[0-9a-f]{16}\/rsp$/.test(line.topic) && ['barrier', 'echo'].includes(line.payload.toString());

export class Recording {
  channels = new Map(); // key, to how many messages
  verdicts = new Map(); // on commands, to how many
  failures = new Map(); // each once, with how often and where first
  counts = {messages: 0, played: 0, outside: 0, plain: 0};
  #api;

  constructor(api) {
    this.#api = api;
  }

  /// The lines of one file: of one process.
  take(text, file) {
    const lines = [];
    text.split('\n').forEach((row, i) => {
      if (!row) return;
      const line = JSON.parse(row);
      lines.push({
        ...line,
        correlation: bytes(line, 'correlation').toString('hex'),
        payload: bytes(line, 'payload'),
        where: `${file}:${i + 1}`,
      });
    });
    for (const command of this.#check(lines).all) {
      const {verdict, fault} = agree(command);
      this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
      if (fault) this.#fail(`cmd/${command.verb}: ${fault}`, command.line);
    }
  }

  #fail(what, line) {
    const known = this.failures.get(what);
    if (known) ++known.times;
    else
      this.failures.set(what, {
        times: 1,
        where: line.where,
        text: `${line.topic} ${line.payload.toString().slice(0, kShown)}`,
      });
  }

  #count(key) {
    this.channels.set(key, (this.channels.get(key) ?? 0) + 1);
  }

  #check(lines) {
    const commands = new Commands(this.#api);
    const sent = new Set(lines.filter((line) => !line.received).map((line) => line.topic));
    const hold = {wrong: null, told: false};
    for (const line of lines) {
      ++this.counts.messages;
      if (!line.received) {
        if (line.played) ++this.counts.played;
        continue; // what a test sends comes back to the observer, too
      }
      const found = this.#api.find(line.topic);
      const key = found?.channel.key ?? '';
      if (isToItself(line)) {
        ++this.counts.outside;
      } else if (commands.isCommand(line)) {
        commands.add(line);
        this.#count(key || 'unknown verbs');
      } else if (key.startsWith('rsp_') || (!found && commands.isResponseTopic(line.topic))) {
        this.#checkReply(commands, line);
      } else if (key === 'hold') {
        this.#count(key);
        if (judge(found.channel, line.payload).fault) hold.wrong = line;
      } else if (found) {
        this.#checkPublication(found, line, sent.has(line.topic));
        hold.told ||= found.parameters.code === 'hold_invalid';
      } else if (!line.topic.startsWith('dfota/') && sent.has(line.topic)) {
        ++this.counts.outside; // a test's own marker
      } else {
        this.#fail(`no channel for ${line.topic}`, line);
      }
    }
    if (hold.wrong && !hold.told) this.#fail('hold: wrong, and the gateway took it', hold.wrong);
    return commands;
  }

  #checkReply(commands, line) {
    const command = commands.answeredBy(line);
    const verb = command?.verb;
    const channel = verb
      ? (this.#api.byKey(`rsp_${verb}`) ?? this.#api.byKey('rsp_unknown'))
      : this.#api.find(line.topic)?.channel;
    if (!channel) return this.#fail('a reply to nobody', line);
    this.#count(channel.key);
    const {fault, message, value} = judge(channel, line.payload);
    if (fault) return this.#fail(`${channel.key}: ${fault}`, line);
    this.#checkProperties(this.#api.byKey('rsp_unknown'), message, line);
    command?.replies.push(value);
  }

  #checkPublication({channel, parameters}, line, isTests) {
    this.#count(channel.key);
    const {fault, message, value} = judge(channel, line.payload);
    if (fault) return this.#fail(`${channel.key}: ${fault}`, line);
    const {action, qos, retain} = channel.operation;
    if (action === 'receive') return; // another program's
    if (line.qos !== qos) this.#fail(`${channel.key}: QoS ${line.qos}, not ${qos}`, line);
    // To an observer on 3.1.1 the flag tells only what was retained before.
    if (line.version === 5 && line.retained !== retain)
      this.#fail(`${channel.key}: ${retain ? 'not ' : ''}retained`, line);
    if (!isTests) this.#checkProperties(channel, message, line);
    for (const [key, said] of Object.entries(parameters)) {
      if (key in Object(value) && String(value[key]) !== said)
        this.#fail(`${channel.key}: another ${key} in the topic`, line);
    }
  }

  /// MQTT 5: content type, the version of the API and the expiry. A gateway on 3.1.1 has none of it.
  #checkProperties(channel, {name, contentType}, line) {
    const {content_type: type, user_properties: properties, expires_in_s: left} = line;
    if (line.version !== 5 || (type === undefined && properties === undefined)) {
      ++this.counts.plain;
      return;
    }
    if (properties?.schema !== this.#api.version)
      this.#fail(`${name}: of version ${properties?.schema} of the API`, line);
    if (line.payload.length && type !== contentType) this.#fail(`${name}: ${type}, not ${contentType}`, line);
    const life = channel.operation.messageExpiryInterval;
    if ((life === undefined) !== (left === undefined) || left > life)
      this.#fail(`${name}: expires in ${left} s, not in ${life} s`, line);
  }
}
