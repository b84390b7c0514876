import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readUploadState, writeUploadState } from '../../src/daemon/upload-state.ts';
import { charge, NO_SPENDING, spentAt } from '../../src/upload/spending.ts';
import { NO_BACKOFF } from '../../src/upload/upload-policy.ts';
import { tempFolder } from '../spool/temp-folder.ts';

const NOW = Date.UTC(2026, 6, 1, 12);
const DAY_MS = 86_400_000;

it('comes back as it was written', () => {
  const stateDir = tempFolder();
  const state = {
    backoff: { ...NO_BACKOFF, attempt: 3, sinceWallMs: NOW, untilWallMs: NOW + 60_000, detail: '503' },
    spending: charge(NO_SPENDING, 1234, NOW),
    lastSuccessWallMs: NOW - 1,
  };
  writeUploadState(stateDir, state);
  expect(readUploadState(stateDir, 999, NOW)).toEqual(state);
});

it('is fresh where there is none', () => {
  expect(readUploadState(tempFolder(), 999, NOW)).toEqual({
    backoff: NO_BACKOFF,
    spending: NO_SPENDING,
    lastSuccessWallMs: null,
  });
});

it.each([
  ['bytes that are no JSON', '{"schema":1,'],
  ['no spending', '{"schema":1,"backoff":null}'],
  ['a negative spending', '{"spending":{"days":[],"months":[],"totalBytes":-1}}'],
  ['nothing', ''],
])('with %s counts the day’s budget as spent until midnight, over restarts too', (_what, text) => {
  const stateDir = tempFolder();
  writeFileSync(join(stateDir, 'upload.json'), text);
  for (let start = 0; start < 3; start++) {
    const { spending, backoff } = readUploadState(stateDir, 20_000, NOW);
    expect(spentAt(spending, NOW).todayBytes).toBe(20_000);
    expect(spentAt(spending, NOW + DAY_MS).todayBytes).toBe(0);
    expect(backoff).toEqual(NO_BACKOFF);
  }
  expect(readdirSync(stateDir).sort()).toEqual(['upload.json', 'upload.json.corrupt-1']);
});

it('forgets a backoff that cannot be read, and not the spending beside it', () => {
  const stateDir = tempFolder();
  const spending = charge(NO_SPENDING, 1234, NOW);
  writeFileSync(join(stateDir, 'upload.json'), JSON.stringify({ backoff: { attempt: 'x' }, spending }));
  expect(readUploadState(stateDir, 999, NOW)).toEqual({
    backoff: NO_BACKOFF,
    spending,
    lastSuccessWallMs: null,
  });
});
