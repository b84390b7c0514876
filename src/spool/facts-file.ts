import { join } from 'node:path';
import { messageOf, TelemetryError } from '../core/errors.ts';
import { readPlainFile, removeFile, writeDurably } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';
import { isUuid } from './identifiers.ts';
import type { SealedFacts } from './sealed-file.ts';

/**
 * What must be known of an encrypted segment without opening it: `sealed/<id>.facts.json`, written before the segment
 * appears there and removed when it was sent or is gone. It stays in place while a round has the segment.
 */
export function writeFacts(stateDir: string, facts: SealedFacts, files: FileSystem = fileSystemNode): void {
  writeDurably(
    factsPath(stateDir, facts.id),
    new TextEncoder().encode(`${JSON.stringify({ schema: 1, ...facts })}\n`),
    files,
  );
}

/** The facts of a segment; a `bad-segment` error when there are none or they are not whole. */
export function readFacts(stateDir: string, id: string, files: FileSystem = fileSystemNode): SealedFacts {
  const bytes = readPlainFile(factsPath(stateDir, id), files);
  if (bytes === undefined) throw bad('there is no record of what it holds');
  try {
    return parseFacts(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw bad(`the record of what it holds is damaged (${messageOf(cause)})`);
  }
}

/** Removes them; nothing happens when there are none. */
export function removeFacts(stateDir: string, id: string, files: FileSystem = fileSystemNode): void {
  if (isUuid(id)) removeFile(factsPath(stateDir, id), files);
}

/** The id in the name of a facts file; `undefined` for any other name. */
export function factsId(name: string): string | undefined {
  const id = /^([0-9a-f-]{36})\.facts\.json$/.exec(name)?.[1];
  return id !== undefined && isUuid(id) ? id : undefined;
}

/** Checks facts that came as JSON; throws when they are none. */
export function parseFacts(json: unknown): SealedFacts {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  const number = (name: string): number => {
    const value = fields[name];
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`no ${name}`);
    return value;
  };
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value !== 'string') throw new Error(`no ${name}`);
    return value;
  };
  return {
    id: text('id'),
    sizeBytes: number('sizeBytes'),
    sequence: number('sequence'),
    events: fields['events'] === null ? null : number('events'),
    receiptId: text('receiptId'),
    backend: text('backend'),
    startWallMs: number('startWallMs'),
    lastEventWallMs: number('lastEventWallMs'),
  };
}

function factsPath(stateDir: string, id: string): string {
  return join(stateDir, 'sealed', `${id}.facts.json`);
}

function bad(what: string): TelemetryError {
  return new TelemetryError('bad-segment', `The encrypted segment cannot be used: ${what}.`, {
    op: 'read facts',
  });
}
