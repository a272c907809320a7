// That messages_test.mjs can fail: recordings that are right, and each with one thing wrong.
import {Api, parse, readSchema} from './document.mjs';
import {Recording} from './recording.mjs';

const {document} = await parse();
const api = new Api(document.json());
const first = async (file) => (await readSchema(file)).examples[0];

const R = 'dfota/v1/rack-1';
const bare = {observer: 1, received: true, played: false, version: 5, qos: 1, retained: false};
const said = {content_type: 'application/json', user_properties: {schema: '1.0.0'}};
const info = {...bare, ...said, retained: true, topic: `${R}/info`, payload: await first('info.json')};
const progress = {
  ...bare,
  ...said,
  qos: 0,
  expires_in_s: 60,
  topic: `${R}/module/uc20-a/progress`,
  payload: await first('module_progress.json'),
};
const online = {...bare, ...said, content_type: 'text/plain', retained: true, topic: `${R}/status`, payload: 'online'};
const error = {...bare, ...said, topic: `${R}/module/uc20-b/error/7xx/716`, payload: await first('module_error.json')};
const asked = {response_topic: 'dfota/v1/client/x', correlation: '1'};
const command = {...bare, ...asked, topic: `${R}/cmd/retry`, payload: {job: 'j', run: 1}};
const reply = {...bare, ...said, correlation: '1', expires_in_s: 3600, topic: 'dfota/v1/client/x'};
const ok = {...reply, payload: {...(await first('rsp_job.json')), transaction: undefined}};
const {error: fault, ...head} = await first('rsp_error.json');
const refusal = (code, pointer = '') => ({
  ...reply,
  payload: {...head, transaction: undefined, error: {...fault, code, pointer}},
});
const bad = {...command, payload: {job: 'j', run: 1, colour: 'red'}};
const hold = {...bare, retained: true, topic: `${R}/hold`, payload: {hold: 1}};
const told = {
  ...bare,
  ...said,
  topic: `${R}/error/gateway/hold_invalid`,
  payload: {...(await first('gateway_error.json')), code: 'hold_invalid'},
};

const mine = {...bare, content_type: 'text/plain', topic: 'dfota/v1/client/dfota-ctl-8eb08d4a3ac30861/rsp'};

const right = {
  'one of each': [info, progress, online, error],
  'a command and its reply': [command, ok],
  'refused by both': [bad, refusal('unknown_key', '/colour')],
  'refused for the state of things': [command, refusal('unknown_job', '/job')],
  'a verb that there is not': [{...command, topic: `${R}/cmd/nonsense`}, refusal('unknown_verb')],
  'a wrong hold, and it is told': [hold, told],
  'dfota to itself': [{...mine, payload: 'barrier'}],
  'without properties, on 3.1.1': [{...info, content_type: undefined, user_properties: undefined}],
};
const wrong = {
  'a topic of no channel': [{...info, topic: `${R}/news`}],
  'a key more': [{...info, payload: {...info.payload, more: 1}}],
  'a wrong type': [{...progress, payload: {...progress.payload, percent: '41'}}],
  'no JSON': [{...info, payload: '{'}],
  'an empty payload where nothing is removed': [{...info, payload: ''}],
  'another QoS': [{...progress, qos: 1}],
  'not retained': [{...info, retained: false}],
  'another module in the topic': [{...progress, topic: `${R}/module/uc20-z/progress`}],
  'another code in the topic': [{...error, topic: `${R}/module/uc20-b/error/7xx/717`}],
  'another content type': [{...info, content_type: 'text/plain'}],
  'another version of the API': [{...info, user_properties: {schema: '2.0.0'}}],
  'progress that does not expire': [{...progress, expires_in_s: undefined}],
  'a state that expires': [{...info, expires_in_s: 60}],
  'taken, and the schema refuses it': [bad, ok],
  'refused for its form, and the schema takes it': [command, refusal('invalid', '/run')],
  'refused for the state, and the schema refuses it': [bad, refusal('unknown_job', '/job')],
  'wrong, and nobody answered': [bad],
  'the reply of another verb': [{...command, topic: `${R}/cmd/pause`, payload: {}}, ok],
  'a reply to nobody': [ok],
  'something else where dfota hears its answers': [{...mine, payload: 'news'}],
  'a wrong command of dfota': [{...bad, played: true}],
  'a wrong hold, and it is not told': [hold],
};

const text = (lines) =>
  lines
    .map((line) =>
      JSON.stringify({
        ...line,
        payload: typeof line.payload === 'string' ? line.payload : JSON.stringify(line.payload),
      }),
    )
    .join('\n');
const failuresOf = (lines) => {
  const recording = new Recording(api);
  recording.take(text(lines), 'recording');
  return [...recording.failures.keys()];
};

const unexpected = [];
for (const [what, lines] of Object.entries(right))
  for (const failure of failuresOf(lines)) unexpected.push(`${what}: ${failure}`);
for (const [what, lines] of Object.entries(wrong))
  if (failuresOf(lines).length !== 1) unexpected.push(`${what}: ${failuresOf(lines).join(' | ') || 'it was taken'}`);
for (const one of unexpected) console.log(`FAILED: ${one}`);
console.log(
  `${Object.keys(right).length} right recordings, ${Object.keys(wrong).length} wrong ones, ${unexpected.length} judged wrongly`,
);
process.exitCode = unexpected.length ? 1 : 0;
