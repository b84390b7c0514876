import { post } from '../control/calls.ts';
import type { ConsentReply } from '../control/protocol.ts';
import type { PurgeReceipt, PurgeScope } from '../core/purge.ts';
import { isAgreed } from './confirm.ts';
import { askDaemon, isDaemonDown } from './daemon.ts';
import type { CliIo } from './io.ts';
import { planPurge } from './purge.ts';

/** What is to be done, beside, with what was recorded. */
export interface RevokeOptions {
  readonly purgeUnsent: boolean;
  readonly eraseSent: boolean;
}

/** A purge that followed a revocation. */
export interface RevokePurge {
  readonly receipt: PurgeReceipt;
  readonly isAtRest: boolean;
}

/** Revokes at the daemon, or on the files of one that is down. Capture has ended when this resolves. */
export async function revoke(io: CliIo): Promise<ConsentReply> {
  try {
    return await askDaemon(io, (socketPath) => post(socketPath, 'revoke', {}));
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
  }
  const { revokeAtRest } = await import('./revoke-at-rest.ts');
  return revokeAtRest(io);
}

/** Purges as the options say, or on a terminal as the person answers; `null` when nothing is to be purged. */
export async function purgeAfterRevoke(
  io: CliIo,
  options: RevokeOptions,
  canAsk: boolean,
): Promise<RevokePurge | null> {
  const isUnsent =
    options.purgeUnsent ||
    (canAsk &&
      (await isAgreed(io, 'Delete what is here and was not sent? It would not leave any more. [y/N] ')));
  const isSent =
    options.eraseSent || (canAsk && (await isAgreed(io, 'Have the collector erase what was sent? [y/N] ')));
  if (!isUnsent && !isSent) return null;
  const scope: PurgeScope = { kind: isUnsent ? (isSent ? 'all' : 'unsent') : 'sent' };
  const planned = await planPurge(io, scope);
  try {
    return { receipt: await planned.carryOut(), isAtRest: planned.isAtRest };
  } finally {
    planned.close();
  }
}
