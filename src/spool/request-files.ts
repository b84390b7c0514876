import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRequestKind, type PersonRequest } from '../core/person-request.ts';
import { ensureFolder, removeFile, removeTempFiles } from './durable-file.ts';
import { isUuid } from './identifiers.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/** A person's requests on disk: `requests/<id>.json`, 0600 in a folder of 0700, each there until it is settled. */
export function writeRequest(stateDir: string, request: PersonRequest): void {
  ensureFolder(folderOf(stateDir));
  writeStateFile(pathOf(stateDir, request.id), { schema: 1, ...request });
}

/** All of them, oldest first. One that cannot be read is kept aside and passed over. */
export function readRequests(stateDir: string): PersonRequest[] {
  return idsIn(stateDir).flatMap((id) => {
    const read = readStateFile(pathOf(stateDir, id), (json) => parseRequest(json, id));
    return read.kind === 'ok' ? [read.value] : [];
  });
}

/** As {@link readRequests}, for those who may only look: moves nothing. */
export function peekRequests(stateDir: string): PersonRequest[] {
  return idsIn(stateDir).flatMap((id) => {
    try {
      return parseRequest(JSON.parse(readFileSync(pathOf(stateDir, id), 'utf8')), id);
    } catch {
      return [];
    }
  });
}

/** Forgets a request that is settled; nothing happens when there is none. */
export function removeRequest(stateDir: string, id: string): void {
  if (isUuid(id)) removeFile(pathOf(stateDir, id));
}

/** Removes what interrupted writes left there. */
export function tidyRequests(stateDir: string): void {
  if (namesIn(stateDir).length > 0) removeTempFiles(folderOf(stateDir));
}

function parseRequest(json: unknown, id: string): PersonRequest {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  const { kind, destination, device, body, createdAt } = fields;
  if (fields['id'] !== id) throw new Error('its id is not the one of its name');
  if (!isRequestKind(kind)) throw new Error('its kind is not known');
  if (typeof destination !== 'string' || typeof device !== 'string' || typeof createdAt !== 'string')
    throw new Error('it is not whole');
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('it asks nothing');
  return { id, kind, destination, device, body: { ...body }, createdAt };
}

function idsIn(stateDir: string): string[] {
  return namesIn(stateDir)
    .map((name) => name.replace(/\.json$/, ''))
    .filter(isUuid)
    .sort();
}

function namesIn(stateDir: string): string[] {
  try {
    return readdirSync(folderOf(stateDir));
  } catch {
    // Nobody has asked anything yet.
    return [];
  }
}

function folderOf(stateDir: string): string {
  return join(stateDir, 'requests');
}

function pathOf(stateDir: string, id: string): string {
  return join(folderOf(stateDir), `${id}.json`);
}
