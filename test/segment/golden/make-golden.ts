import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN_FILES } from './files.ts';
import { twinOf } from './twin.ts';

// Run by hand after a change of format, never by the tests: `node test/segment/golden/make-golden.ts`.
for (const [name, bytes] of Object.entries(GOLDEN_FILES)) {
  writeFileSync(join(import.meta.dirname, `${name}.tlm`), bytes);
  writeFileSync(join(import.meta.dirname, `${name}.json`), `${JSON.stringify(twinOf(bytes), null, 1)}\n`);
}
