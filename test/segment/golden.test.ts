import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GOLDEN_FILES } from './golden/files.ts';
import { twinOf } from './golden/twin.ts';

const FOLDER = join(import.meta.dirname, 'golden');
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.tlm'))
  .map((name) => name.slice(0, -'.tlm'.length));

function twin(name: string): object {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as object;
}

/** A Python that has what the reader imports: the first on the path, or the system's. */
const PYTHON = ['python3', '/usr/bin/python3'].find(
  (python) => spawnSync(python, ['-c', 'import msgpack, brotli']).status === 0,
);

describe('golden files', () => {
  it('are there for journals and sealed files, both pairings and codecs', () => {
    expect(NAMES.toSorted()).toEqual(Object.keys(GOLDEN_FILES).toSorted());
  });

  // What brotli makes of the same columns is its own affair.
  it.each(NAMES.filter((name) => /^(journal|torn|sealed-mix)/.test(name)))(
    'are what the writer still makes: %s',
    (name) => {
      expect(new Uint8Array(readFileSync(join(FOLDER, `${name}.tlm`)))).toEqual(GOLDEN_FILES[name]);
    },
  );

  it.each(NAMES)('read as their JSON twin says: %s', (name) => {
    expect(JSON.parse(JSON.stringify(twinOf(readFileSync(join(FOLDER, `${name}.tlm`)))))).toEqual(twin(name));
  });

  it.for(NAMES)('read the same in Python, by a reader that shares no code: %s', (name, { skip }) => {
    if (PYTHON === undefined) return skip('no python3 with the modules msgpack and brotli');
    const script = join(import.meta.dirname, 'read_segment.py');
    const output = execFileSync(PYTHON, [script, join(FOLDER, `${name}.tlm`)], { encoding: 'utf8' });
    expect({ ...twin(name), ...(JSON.parse(output) as object) }).toEqual(twin(name));
  });
});
