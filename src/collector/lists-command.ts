import { counted, roughBytes } from '../core/amounts.ts';
import { printable } from '../core/printable.ts';
import type { IndexLine, SequenceSummary } from './index-lines.ts';
import { writeDocument } from './json-document.ts';
import {
  ERASED_SCHEMA,
  type ErasedLine,
  erasedLines,
  headOf,
  indexLines,
  type ListRange,
} from './list-lines.ts';
import type { Access, ReaderBook } from './reader-book.ts';
import type { UseBook } from './use-book.ts';
import { withBook } from './with-book.ts';

/** How a list is printed: for people, as one document, or as a line of JSON each. */
export type ListForm = 'text' | 'json' | 'jsonl';

/** What the commands that list stand on. */
export interface ListDesk {
  readonly use: UseBook;
  readonly readers: ReaderBook;
  readonly write: (text: string) => void;
}

/** `index`: what may be trained on now. Nothing but one device's numbers is held in memory. */
export async function listUsable(form: ListForm, range: ListRange, { use, write }: ListDesk): Promise<void> {
  await withBook(use, async () => {
    const lines = indexLines(use, range);
    if (form === 'jsonl') await writeLines(lines, write);
    else await (form === 'json' ? indexDocument(lines, write) : indexTable(lines, write));
  });
}

/** `erased`: what copies must not have any more. */
export async function listErased(form: ListForm, range: ListRange, { use, write }: ListDesk): Promise<void> {
  await withBook(use, async () => {
    const lines = erasedLines(use, range);
    if (form === 'jsonl') await writeLines(lines, write);
    else if (form === 'text') await erasedTable(lines, write);
    else await writeDocument(headOf(ERASED_SCHEMA, range), 'segments', erasedObjects(lines), write);
  });
}

/** `access`: who read what, the oldest first. */
export async function listAccess(
  form: ListForm,
  range: ListRange,
  { readers, write }: ListDesk,
): Promise<void> {
  await withBook(readers, async () => {
    const accesses = readers.accesses(range.sinceMs ?? 0);
    if (form === 'text') {
      let isEmpty = true;
      for await (const access of accesses) {
        write(accessText(access));
        isEmpty = false;
      }
      if (isEmpty) write('nobody read anything\n');
      return;
    }
    const head = headOf(1, range);
    if (form === 'json') await writeDocument(head, 'accesses', objectsOf(accesses), write);
    else await writeLines(objectsOf(accesses), write);
  });
}

async function* objectsOf(accesses: AsyncIterable<Access>): AsyncGenerator<object> {
  for await (const { atMs, reader, what, device, segment } of accesses)
    yield { at: iso(atMs), reader, what, device, segment };
}

function accessText({ atMs, reader, what, device, segment }: Access): string {
  const which = what === 'segment' ? `${device ?? ''}/${segment ?? ''}` : what;
  return `${iso(atMs).slice(0, 19).replace('T', ' ')}  ${printable(reader).padEnd(20)}  ${which}\n`;
}

async function writeLines(lines: AsyncIterable<object>, write: (text: string) => void): Promise<void> {
  for await (const line of lines) write(`${JSON.stringify(line)}\n`);
}

/** `{ schema, at, since, devices: [{ device, segments: […], sizeBytes, sequence }], totals }`. */
async function indexDocument(lines: AsyncIterable<IndexLine>, write: (text: string) => void): Promise<void> {
  let device = '';
  let isFirst = true;
  for await (const line of lines) {
    switch (line.type) {
      case 'index': {
        const { schema, at, since } = line;
        write(`${JSON.stringify({ schema, at, since }).slice(0, -1)},"devices":[`);
        break;
      }
      case 'segment': {
        const { device: of } = line;
        if (of === device) write(',');
        else write(`${isFirst ? '' : ','}\n{"device":${JSON.stringify(of)},"segments":[`);
        write(`\n${JSON.stringify({ ...line, type: undefined, device: undefined })}`);
        device = of;
        isFirst = false;
        break;
      }
      case 'device': {
        const { sizeBytes, sequence } = line;
        write(`\n],${JSON.stringify({ sizeBytes, sequence }).slice(1)}`);
        break;
      }
      case 'end': {
        const { devices, segments, sizeBytes } = line;
        write(`\n],"totals":${JSON.stringify({ devices, segments, sizeBytes })}}\n`);
      }
    }
  }
}

/** 36 + 2 + 8 + 2 + 8 + 2 and what is missing. */
async function indexTable(lines: AsyncIterable<IndexLine>, write: (text: string) => void): Promise<void> {
  let isHeaded = false;
  for await (const line of lines) {
    if (line.type === 'device') {
      if (!isHeaded) write(`${'device'.padEnd(36)}  segments      size  missing\n`);
      isHeaded = true;
      const { device, segments, sizeBytes, sequence } = line;
      const amounts = `${String(segments).padStart(8)}  ${roughBytes(sizeBytes).padStart(8)}`;
      write(`${device}  ${amounts}  ${missingText(sequence)}\n`);
    }
    if (line.type === 'end') {
      const { devices, segments, sizeBytes } = line;
      const total = `${counted(segments, 'segment')} of ${counted(devices, 'device')}, ${roughBytes(sizeBytes)}`;
      write(segments === 0 ? 'nothing may be used\n' : `\n${total}\n`);
    }
  }
}

function missingText({ missing, unknown }: SequenceSummary): string {
  const count = missing.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const words = count === 0 ? 'none' : String(count);
  return unknown === 0 ? words : `${words}, ${unknown} unnumbered`;
}

async function* erasedObjects(lines: AsyncIterable<ErasedLine>): AsyncGenerator<object> {
  for await (const line of lines) {
    if (line.type !== 'segment') continue;
    const { device, segment, at, why } = line;
    yield { device, segment, at, why };
  }
}

async function erasedTable(lines: AsyncIterable<ErasedLine>, write: (text: string) => void): Promise<void> {
  for await (const line of lines) {
    if (line.type === 'segment')
      write(`${line.segment}  ${line.at.slice(0, 16).replace('T', ' ')}  ${line.why}\n`);
    if (line.type === 'end')
      write(line.segments === 0 ? 'nothing\n' : `\n${counted(line.segments, 'segment')}\n`);
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
