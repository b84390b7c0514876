import { locations } from '../control/locations.ts';
import type { CutReport, PurgePlan } from '../control/protocol.ts';
import { decodeLastGood } from '../policy/last-good.ts';
import { recipientsOf } from '../privacy/consent.ts';
import { decodeReceipts } from '../privacy/consent-file.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { stagedPath, stagingFolder } from '../spool/purge-staging.ts';
import type { CutOrder } from '../spool/sealer/cut-file.ts';
import type { CutResult } from '../spool/sealer/cut-result.ts';
import type { CliIo } from './io.ts';
import { decoded } from './state-files.ts';

/** Cuts segment files with the person's own key, as the daemon, which has none, cannot. */
export type OwnerCutter = (
  order: Pick<CutOrder, 'path' | 'newId' | 'fromWallMs' | 'place'>,
) => Promise<CutResult>;

/** Without an identity file nothing opens, and what straddles the border goes as a whole. */
export async function ownerCutter(io: CliIo, stateDir: string): Promise<OwnerCutter> {
  // Loaded here alone: the age library behind them is large.
  const { readOwnerIdentities } = await import('../privacy/owner-identity.ts');
  const { cutFile } = await import('../spool/sealer/cut-file.ts');
  const identities = readOwnerIdentities(locations(io.around).identityPath) ?? [];
  const receipts = decoded(stateDir, 'consent.json', decodeReceipts) ?? [];
  const named = decoded(stateDir, 'policy-last-good.json', decodeLastGood)?.policy.encrypt.recipients ?? [];
  return (order) =>
    cutFile({
      ...order,
      identities,
      journalKey: null,
      recipientsOf: (receiptId) => recipientsOf(receipts, receiptId, named),
    });
}

/** Cuts what a running daemon's plan leaves to the person's own key; the results lie ready for it. */
export async function cutForPlan(
  io: CliIo,
  stateDir: string,
  plan: PurgePlan,
  fromWallMs: number,
): Promise<CutReport[]> {
  const wanted = plan.segments.flatMap((planned) =>
    planned.path === null ? [] : [{ ...planned, path: planned.path }],
  );
  if (wanted.length === 0) return [];
  const cut = await ownerCutter(io, stateDir);
  ensureFolder(stagingFolder(stateDir));
  const reports: CutReport[] = [];
  for (const { id, path, newId } of wanted) {
    const place = (): string => stagedPath(stateDir, newId);
    reports.push({ segment: id, result: await cut({ path, newId, fromWallMs, place }) });
  }
  return reports;
}
