import { join } from 'node:path';
import { readStateFile, writeStateFile } from '../spool/state-file.ts';
import { charge, NO_SPENDING, readSpending, type Spending } from '../upload/spending.ts';
import { NO_BACKOFF, readBackoff, type UploadBackoff } from '../upload/upload-policy.ts';

/** What must outlast a restart of the daemon: `upload.json`. */
export interface UploadState {
  readonly backoff: UploadBackoff;
  readonly spending: Spending;
  readonly lastSuccessWallMs: number | null;
}

const FRESH: UploadState = { backoff: NO_BACKOFF, spending: NO_SPENDING, lastSuccessWallMs: null };

/**
 * Reads the state. When the file is damaged, what was spent today is not known, and `unknownSpentBytes` (the day's
 * budget) counts as spent until midnight rather than nothing; that is written at once, so that a restart knows it too.
 */
export function readUploadState(stateDir: string, unknownSpentBytes: number, wallMs: number): UploadState {
  const read = readStateFile(statePath(stateDir), parse);
  if (read.kind === 'ok') return read.value;
  if (read.kind === 'missing') return FRESH;
  const state = { ...FRESH, spending: charge(NO_SPENDING, unknownSpentBytes, wallMs) };
  writeUploadState(stateDir, state);
  return state;
}

/** Writes it, durably. */
export function writeUploadState(stateDir: string, state: UploadState): void {
  writeStateFile(statePath(stateDir), { schema: 1, ...state });
}

function parse(json: unknown): UploadState {
  const { backoff, spending, lastSuccessWallMs } = json as Partial<Record<keyof UploadState, unknown>>;
  const spent = readSpending(spending);
  if (spent === undefined) throw new Error('no spending');
  return {
    backoff: readBackoff(backoff),
    spending: spent,
    lastSuccessWallMs: typeof lastSuccessWallMs === 'number' ? lastSuccessWallMs : null,
  };
}

function statePath(stateDir: string): string {
  return join(stateDir, 'upload.json');
}
