// docs/api.md is what is generated from the document now.
import {readFile} from 'node:fs/promises';

import {generate, page} from './generate_docs.mjs';

const [written, generated] = [await readFile(page, 'utf8').catch(() => ''), await generate()];
if (written !== generated) {
  console.log('FAILED: docs/api.md is not what gateway/api says: run node tests/api/generate_docs.mjs');
  process.exitCode = 1;
}
