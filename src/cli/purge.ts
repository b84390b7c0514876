import { follow, get, post } from '../control/calls.ts';
import type { GetReplies, PurgePlan } from '../control/protocol.ts';
import { TelemetryError } from '../core/errors.ts';
import { fromOf, type PurgeReceipt, type PurgeScope } from '../core/purge.ts';
import { askDaemon, isDaemonDown } from './daemon.ts';
import type { CliIo } from './io.ts';
import { cutForPlan } from './owner-cut.ts';

/** A purge that is planned and may be carried out, with the daemon or without it. */
export interface PlannedPurge {
  readonly plan: PurgePlan;
  /** The daemon is down: collectors are asked once it runs again. */
  readonly isAtRest: boolean;
  carryOut(): Promise<PurgeReceipt>;
  /** Lets go of the files; nothing is changed. */
  close(): void;
}

/** A purge goes through files, each in a process of its own where it must be cut; the daemon goes on if we give up. */
const PURGE_MS = 10 * 60_000;

/** Plans a purge at the daemon, or on the files of one that is down. */
export async function planPurge(io: CliIo, scope: PurgeScope): Promise<PlannedPurge> {
  try {
    return await planAtDaemon(io, scope);
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
  }
  // Loaded here alone: it can do what a daemon does when it starts.
  const { RestingFiles } = await import('./purge-at-rest.ts');
  const files = RestingFiles.open(io);
  const plan = files.plan(scope);
  return { plan, isAtRest: true, carryOut: () => files.purge(plan, scope), close: () => files.close() };
}

async function planAtDaemon(io: CliIo, scope: PurgeScope): Promise<PlannedPurge> {
  const { plan, socketPath, stateDir } = await askDaemon(io, async (path) => ({
    plan: await post(path, 'purgePlan', { scope }),
    socketPath: path,
    stateDir: stateDirOf(await get(path, 'status')),
  }));
  return {
    plan,
    isAtRest: false,
    carryOut: async () => {
      const cuts = await cutForPlan(io, stateDir, plan, fromOf(scope));
      return post(socketPath, 'purge', { id: plan.id, scope, cuts }, { timeoutMs: PURGE_MS });
    },
    close: () => undefined,
  };
}

/** How long a receipt waits for collectors to confirm; one on the same network takes a second. */
const CONFIRMATION_MS = 3000;

/** Waits a moment for the collectors; which requests are still open. */
export async function openErasures(
  io: CliIo,
  receipt: PurgeReceipt,
  isAtRest: boolean,
): Promise<Set<string>> {
  const asked = new Set(receipt.erasures.map(({ request }) => request));
  if (isAtRest || asked.size === 0) return asked;
  let open = asked;
  const enough = new AbortController();
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(CONFIRMATION_MS)]);
  await askDaemon(io, (socketPath) =>
    follow(
      socketPath,
      'watch',
      ({ requests }) => {
        open = new Set(requests.map(({ id }) => id).filter((id) => asked.has(id)));
        if (open.size === 0) enough.abort();
      },
      signal,
    ),
  ).catch((error: unknown) => {
    if (!isDaemonDown(error)) throw error;
  });
  return open;
}

/** Only the person, who is told where it is, gets a plan. */
function stateDirOf({ daemon }: GetReplies['status']): string {
  if ('stateDir' in daemon) return daemon.stateDir;
  throw new TelemetryError('not-permitted', 'This telemetryd records somebody else.', { op: 'purge' });
}
