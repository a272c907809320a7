// Whether the gateway and the schema of a command say the same of it.

/// The gateway refuses for the form of the document: so must the schema.
const kForm = new Set(['not_json', 'not_utf8', 'invalid', 'unknown_key']);

/// Of the bytes, or decided before the document is looked at: the schema may say either.
const kEither = new Set([
  'too_large',
  'too_deep',
  'duplicate_key', // what a JSON Schema does not see
  'retained',
  'forbidden_response_topic',
  'busy', // of the message, or of the gateway's state, not of the document
  'unsupported_package', // by the name of a file; the schema knows the plain cases
  'unknown_verb',
  'unsupported',
]);

/// What a schema cannot say: one value depends on another one, on what is in the catalog, or counts in bytes.
const kBeyond = [
  ['/to', /is the same version as from/],
  ['/window/end', /is the window's start/],
  ['/from', /the manifest of .* says/],
  ['/to', /the manifest of .* says/],
  [
    '/url',
    /must name a (host|file)|modules take at most|AT\+QFOTADL takes|user:password@|@ behind its host|: or @ in it/,
  ],
  ['/aliases', /is neither from nor to|is from or to itself/],
];

function isBeyond({message, pointer}) {
  return kBeyond.some(([at, text]) => pointer.startsWith(at) && text.test(message));
}

function judgeReply(command, reply) {
  const refused = Boolean(command.fault);
  if (reply.status === 'ok') {
    if (refused) return {verdict: 'DIFFER', fault: `the gateway took it, the schema does not: ${command.fault}`};
    return {verdict: 'taken by both'};
  }
  const {code, message, pointer} = reply.error;
  const isOfTheMessage = kEither.has(code) || (code === 'expired' && pointer === ''); // by its message expiry
  if (isOfTheMessage) return {verdict: `refused as ${code}, which no schema decides`};
  if (!command.known) return {verdict: 'DIFFER', fault: `refused as ${code}, and the document knows no such verb`};
  if (kForm.has(code)) {
    if (refused) return {verdict: 'refused by both'};
    if (isBeyond(reply.error)) return {verdict: 'refused by the gateway for what no schema can say'};
    return {verdict: 'DIFFER', fault: `the schema takes it, the gateway refuses it as ${code} ${pointer}: ${message}`};
  }
  if (refused)
    return {verdict: 'DIFFER', fault: `the gateway refuses it as ${code} only, the schema: ${command.fault}`};
  return {verdict: 'taken by the schema, refused for the state of things'};
}

/// A command with its replies to what to count it as, and what is wrong.
export function agree(command) {
  if (command.line.played) {
    if (command.fault) return {verdict: 'DIFFER', fault: `dfota sent what the schema does not take: ${command.fault}`};
    return {verdict: 'sent by dfota to a played gateway, taken by the schema'};
  }
  if (command.replies.length === 0) {
    if (command.fault)
      return {verdict: 'DIFFER', fault: `not answered, and the schema does not take it: ${command.fault}`};
    return {verdict: 'not answered (the gateway died, or it was for others), taken by the schema'};
  }
  const judged = command.replies.map((reply) => judgeReply(command, reply));
  return judged.find(({fault}) => fault) ?? judged[0];
}
