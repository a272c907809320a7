// The API document, parsed: its channels as what a message is looked up and validated by.
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const require = createRequire(import.meta.url);
const {Parser, fromFile} = require('@asyncapi/parser');
const Ajv = require('ajv');
const addFormats = require('ajv-formats');

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const documentFile = root + 'gateway/api/asyncapi.yaml';
export const schemaDirectory = root + 'gateway/api/schemas/';

/// Strict about keywords that it does not know; `x-...` are the parser's own.
export function makeAjv() {
  const ajv = new Ajv({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allErrors: false,
    allowUnionTypes: true,
  });
  addFormats(ajv);
  ajv.addKeyword({keyword: 'x-parser-schema-id'});
  return ajv;
}

export async function parse() {
  return fromFile(new Parser(), documentFile).parse();
}

/// 'file.json#/pointer' to the schemas of the directory; references are left as they are.
export async function readSchema(name) {
  return JSON.parse(await readFile(schemaDirectory + name, 'utf8'));
}

function patternOf(address) {
  const names = [];
  const text = address.replace(/\{(\w+)\}/g, (all, name) => {
    names.push(name);
    return '([^/]+)';
  });
  return {names, pattern: new RegExp(`^${text}$`)};
}

/// What the parsed document says, in the shape in which it is asked.
export class Api {
  constructor(json) {
    const ajv = makeAjv();
    this.version = json.info.version;
    this.channels = Object.entries(json.channels).map(([key, channel]) => ({
      key,
      address: channel.address,
      ...patternOf(channel.address),
      messages: Object.entries(channel.messages).map(([name, message]) => ({
        name,
        message,
        isText: message.contentType === 'text/plain',
        validate: ajv.compile(message.payload),
      })),
      operation: null,
    }));
    // The more of a topic stands in the address, the better it fits: rsp/update before rsp/{verb}.
    this.channels.sort((a, b) => a.names.length - b.names.length);
    for (const [key, operation] of Object.entries(json.operations)) {
      const address = operation.channel.address;
      const mqtt = operation.bindings.mqtt;
      Object.assign(this.at(address), {operation: {key, action: operation.action, ...mqtt}});
    }
  }

  at(address) {
    return this.channels.find((channel) => channel.address === address);
  }

  byKey(key) {
    return this.channels.find((channel) => channel.key === key);
  }

  /// The channel of a topic with the values of its parameters, or null.
  find(topic) {
    for (const channel of this.channels) {
      const match = channel.pattern.exec(topic);
      if (!match) continue;
      return {channel, parameters: Object.fromEntries(channel.names.map((name, i) => [name, match[i + 1]]))};
    }
    return null;
  }
}

/// UTF-8 of a Buffer, or null.
function textOf(payload) {
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(payload);
  } catch {
    return null;
  }
}

/// Which of the channel's messages it is and what it says; or why it is none of them.
export function judge(channel, payload) {
  const text = textOf(payload);
  if (text === null) return {fault: 'no UTF-8'};
  const faults = [];
  for (const {name, message, isText, validate} of channel.messages) {
    if (name === 'removed' && text !== '') continue;
    let value = text;
    if (!isText) {
      try {
        value = JSON.parse(text);
      } catch (error) {
        faults.push(`${name}: no JSON: ${error.message}`);
        continue;
      }
    }
    if (validate(value)) return {message, value};
    const error = validate.errors[0];
    faults.push(`${name}: ${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`);
  }
  return {fault: faults.join('; ')};
}
