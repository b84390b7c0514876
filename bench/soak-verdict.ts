import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readLedger } from '../src/privacy/ledger.ts';
import { readSent } from '../src/spool/sent-log.ts';
import { type Desk, segmentFiles } from '../test/e2e/desk.ts';

/** How what the laptop says it captured compares with what the collector has. */
export interface Verdict {
  readonly captured: number;
  readonly stored: number;
  readonly events: number;
  /** One line each; none: every captured segment is stored exactly once, as it was sent. */
  readonly problems: readonly string[];
}

/** Looks at both sides' files, not at what either program says of itself. */
export async function judge(desk: Desk): Promise<Verdict> {
  const captured = new Set<string>();
  const problems: string[] = [];
  for (const entry of readLedger(desk.stateDir)) {
    if (entry.type === 'captured') captured.add(entry.segment);
    if (entry.type === 'dropped' && entry.cause !== 'keep-sent')
      problems.push(`${entry.segment} was dropped`);
    if (entry.type === 'quarantined') problems.push(`${entry.segment} was set aside: ${entry.why}`);
  }
  const sentAs = new Map([...readSent(desk.stateDir)].map(({ id, sha256 }) => [id, sha256]));
  const stored = new Map<string, number>();
  for (const file of segmentFiles(desk.dataDir)) {
    const id = basename(file).replace(/\.tlm(\.age)?$/, '');
    stored.set(id, (stored.get(id) ?? 0) + 1);
    if (!captured.has(id)) problems.push(`${id} is stored and was never captured`);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (sentAs.get(id) !== sha256) problems.push(`${id} is stored, but not as it was sent`);
  }
  for (const id of captured) if (!stored.has(id)) problems.push(`${id} was captured and is not stored`);
  for (const [id, copies] of stored) if (copies > 1) problems.push(`${id} is stored ${copies} times`);
  for (const stage of ['journal', 'sealed', 'outbox', 'quarantine']) {
    const folder = join(desk.stateDir, stage);
    if (existsSync(folder) && segmentFiles(folder).length > 0) problems.push(`${stage}/ is not empty`);
  }
  const events = await desk.stored();
  const positions = events.filter(({ kind }) => kind === 'move').map(({ x, y }) => `${x},${y}`);
  const twice = positions.length - new Set(positions).size;
  if (twice > 0) problems.push(`${twice} positions that were passed once are recorded twice`);
  return { captured: captured.size, stored: stored.size, events: events.length, problems };
}
