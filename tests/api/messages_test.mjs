// Every message that the integration tests have published or received is one that the document describes, on its topic,
// with its QoS, its retained flag and its properties. And commands are judged alike by the gateway and by the document:
// what the gateway refused for its form the schema refuses, what it took the schema takes.
//
// What a test says that plays the gateway is not validated, the commands of dfota to it are.
import {readFile, readdir} from 'node:fs/promises';

import {Api, parse} from './document.mjs';
import {Recording} from './recording.mjs';

const directory = process.argv[2];
const {document} = await parse();
const recording = new Recording(new Api(document.json()));
for (const file of (await readdir(directory)).sort())
  recording.take(await readFile(`${directory}/${file}`, 'utf8'), file);

const {channels, verdicts, failures, counts} = recording;
const list = (map) => [...map].sort().forEach(([key, number]) => console.log(`${String(number).padStart(8)}  ${key}`));
list(channels);
console.log(
  `${counts.messages} messages; not validated: ${counts.played} of a played gateway, ${counts.outside} outside of the API; ` +
    `${counts.plain} without properties (MQTT 3.1.1)`,
);
console.log('commands, by the document and by the gateway:');
list(verdicts);
for (const [what, {times, where, text}] of failures)
  console.log(`FAILED (${times} times, first ${where}): ${what}\n    ${text}`);
if (counts.messages === 0) console.log('no message was recorded: none of the tests that ran has any');
process.exitCode = failures.size ? 1 : 0;
