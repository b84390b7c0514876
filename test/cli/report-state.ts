import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KIND, MOD, packKeyDetail } from '../../src/core/events.ts';
import { keyId } from '../../src/core/keys.ts';
import { openLedger } from '../../src/privacy/ledger.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { ensureStages } from '../../src/spool/folders.ts';
import { openHistoryFile } from '../../src/spool/history-file.ts';
import { columnsOf, HEADER, type Row } from '../segment/samples.ts';
import { NOW } from './run.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How a working day goes, by the hour: what the daemon did from then on. */
const DAY: readonly (readonly [hour: number, state: 'capturing' | 'paused' | 'locked' | 'asleep'])[] = [
  [0, 'asleep'],
  [8.5, 'capturing'],
  [10, 'locked'],
  [10.25, 'capturing'],
  [12, 'paused'],
  [12.5, 'locked'],
  [13, 'capturing'],
  [17.5, 'asleep'],
];

/** A state folder of a week at a desk, in UTC, that ends at {@link NOW} with the daemon down. */
export function fillState(stateDir: string): void {
  ensureStages(stateDir);
  const today = Math.floor(NOW.wallMs / DAY_MS) * DAY_MS;
  const facts: [at: number, fact: LedgerFact][] = [];
  const sent: object[] = [];
  const history = openHistoryFile(stateDir, NOW.wallMs);
  let sequence = 0;
  for (let day = today - 6 * DAY_MS; day <= today; day += DAY_MS) {
    for (const [at, [hour, state]] of DAY.entries()) {
      const time = day + hour * HOUR_MS;
      const isStart = day === today - 6 * DAY_MS && at === 1;
      if (time > NOW.wallMs || (day === today - 6 * DAY_MS && at === 0)) continue;
      history.append({ at: time, state, ...(isStart ? { isStart } : {}) });
      const until = (DAY[at + 1]?.[0] ?? 24) - hour;
      for (let quarter = 0.25; state === 'capturing' && quarter <= until; quarter += 0.25) {
        const end = time + quarter * HOUR_MS;
        if (end > NOW.wallMs) break;
        const busy = 1 + Math.sin(end / 2.7e6);
        const cost = { cpuSeconds: Number((1 + 2 * busy).toFixed(3)), wakeups: Math.round(120 + 300 * busy) };
        history.append({ at: end, overMs: HOUR_MS / 4, rssBytes: 58e6 + 3e6 * busy, ...cost });
        const id = `${timePart(end)}-7000-8000-${String(++sequence).padStart(12, '0')}`;
        const bytes = segment(id, end - HOUR_MS / 4, sequence, busy);
        writeFileSync(join(stateDir, 'sent', `${id}.tlm`), bytes.bytes);
        facts.push([
          end,
          { type: 'captured', segment: id, sequence, events: bytes.events, bytes: bytes.bytes.length },
        ]);
        const record = {
          id,
          sha256: 'ab'.repeat(32),
          bytes: bytes.bytes.length,
          chargedBytes: 400_000 * busy,
        };
        sent.push({ ...record, destination: 'http://127.0.0.1:7717', atWallMs: end + 600_000 });
      }
    }
  }
  history.close();
  const clock = { wallMs: 0 };
  const ledger = openLedger(stateDir, { now: () => ({ ...NOW, ...clock }), bootId: 'b' });
  for (const [at, fact] of facts) {
    clock.wallMs = at;
    ledger.appendEntry(fact);
  }
  ledger.close();
  writeFileSync(join(stateDir, 'sent.jsonl'), sent.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function timePart(wallMs: number): string {
  const hex = wallMs.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

function segment(segmentId: string, startWallMs: number, sequence: number, busy: number) {
  const rows: Row[] = [];
  const end = HOUR_MS / 4;
  for (let t = 0; t < end; t += 1000 / (0.2 + busy))
    rows.push([Math.round(t), KIND.move, 100 + (t % 700), 200, 0, 0]);
  for (let t = 500; t < end; t += 9000)
    rows.push([t, KIND.down, 100, 200, 1, 0], [t + 80, KIND.up, 100, 200, 1, 0]);
  for (let t = 700; t < end * busy; t += 14_000) rows.push([t % end, KIND.wheel, 100, 200, 0, 1]);
  for (let t = 900; t < end; t += 4000 / (0.3 + busy))
    rows.push([Math.floor(t / 100) * 100, KIND.keydown, 100, 200, 0, packKeyDetail('text', false, 0)]);
  const chords = ['KeyC', 'KeyV', 'KeyS', 'KeyT'].map(
    (code) => [keyId(code), packKeyDetail('text', false, MOD.ctrl)] as const,
  );
  const edits = ['Enter', 'Tab', 'Backspace'].map(
    (code) => [keyId(code), packKeyDetail('edit', false, 0)] as const,
  );
  const moves = ['ArrowDown', 'PageDown'].map(
    (code) => [keyId(code), packKeyDetail('navigation', false, 0)] as const,
  );
  for (const [at, [a, b]] of [...chords, ...edits, ...edits, ...moves].entries())
    rows.push([60_000 + 70_000 * at, KIND.keydown, 100, 200, a, b]);
  rows.sort(([s], [t]) => s - t);
  const header = encodeHeader({ ...HEADER, segmentId, sequence, startWallMs, originMonoMs: 0 });
  const journal = Buffer.concat([header, encodeBlock(columnsOf(rows), 0, rows.length)]);
  // Not sealed, which would take seconds and make no difference here.
  return { bytes: journal, events: rows.length };
}
