import type { ConsentStanding } from '../core/collection.ts';
import type { Policy } from '../core/policy.ts';
import { widenings } from '../core/policy-lattice.ts';

/** That one person agreed to one notice. Never changed but for its revocation. */
export interface ConsentReceipt {
  /** A UUID of version 7; segments carry it. */
  readonly id: string;
  readonly noticeId: string;
  /** The merged policy that was agreed to, and its id. */
  readonly policy: Policy;
  readonly policyId: string;
  /** Where segments recorded under it may go: `upload.url` of that policy, `""` for nowhere. */
  readonly destination: string;
  readonly grantedAtWallMs: number;
  /** The account that agreed. */
  readonly uid: number;
  readonly via: 'terminal' | 'script';
  /** Can open what is recorded under this receipt, whoever else can. */
  readonly ownerRecipient: string;
  readonly revokedAtWallMs: number | null;
  /** Hash of the ledger's last entry before it was granted; receipts of earlier versions have none. */
  readonly ledgerHead?: string;
}

/** What consent is worth under the policy in force; the fields of the control protocol's `ConsentReply`. */
export interface ConsentView {
  readonly state: ConsentStanding;
  readonly noticeId: string;
  readonly receipt: {
    readonly id: string;
    readonly noticeId: string;
    readonly grantedAt: string;
    readonly revokedAt: string | null;
    readonly via: 'terminal' | 'script';
    readonly uid: number;
    readonly destination: string;
  } | null;
  readonly changes: readonly string[];
}

/** What a grant is given for: the policy in force and the notice made from it. */
export interface InForce {
  readonly policy: Policy;
  readonly policyId: string;
  readonly noticeId: string;
}

/** Who agrees, to which notice, and how; `id` and time come from the caller's random source and clock. */
export interface Grant {
  readonly id: string;
  readonly noticeId: string;
  readonly via: 'terminal' | 'script';
  readonly ownerRecipient: string;
  readonly uid: number;
  readonly wallMs: number;
  readonly ledgerHead: string;
}

export type GrantOutcome =
  | {
      readonly kind: 'granted';
      readonly receipts: readonly ConsentReceipt[];
      readonly receipt: ConsentReceipt;
    }
  /** What was shown is not what is in force any more. */
  | { readonly kind: 'notice-changed'; readonly noticeId: string };

/**
 * What one person's receipts are worth under the policy in force; without any, whether they revoked some that are gone.
 * The last one decides: revoked beats all until a later grant, and it is stale as soon as the policy is less private than the one agreed to in anything.
 */
export function consentView(
  receipts: readonly ConsentReceipt[],
  inForce: Omit<InForce, 'policyId'>,
  isRevoked = false,
): ConsentView {
  const last = receipts.at(-1);
  const { noticeId } = inForce;
  if (last === undefined)
    return { state: isRevoked ? 'revoked' : 'missing', noticeId, receipt: null, changes: [] };
  const receipt = shown(last);
  if (last.revokedAtWallMs !== null) return { state: 'revoked', noticeId, receipt, changes: [] };
  const changes = widenings(last.policy, inForce.policy);
  return { state: changes.length === 0 ? 'granted' : 'stale', noticeId, receipt, changes };
}

/** Adds a receipt, unless the notice that was shown is no longer the one in force. */
export function grantConsent(
  receipts: readonly ConsentReceipt[],
  grant: Grant,
  inForce: InForce,
): GrantOutcome {
  if (grant.noticeId !== inForce.noticeId) return { kind: 'notice-changed', noticeId: inForce.noticeId };
  const receipt: ConsentReceipt = {
    id: grant.id,
    noticeId: inForce.noticeId,
    policy: inForce.policy,
    policyId: inForce.policyId,
    destination: inForce.policy.upload.url,
    grantedAtWallMs: Math.floor(grant.wallMs),
    uid: grant.uid,
    via: grant.via,
    ownerRecipient: grant.ownerRecipient,
    revokedAtWallMs: null,
    ledgerHead: grant.ledgerHead,
  };
  return { kind: 'granted', receipts: [...receipts, receipt], receipt };
}

/** Revokes every receipt that stands; the same list when none does. What was recorded under them never leaves. */
export function revokeConsent(
  receipts: readonly ConsentReceipt[],
  wallMs: number,
): readonly ConsentReceipt[] {
  if (receipts.every(({ revokedAtWallMs }) => revokedAtWallMs !== null)) return receipts;
  return receipts.map((receipt) =>
    receipt.revokedAtWallMs === null ? { ...receipt, revokedAtWallMs: Math.floor(wallMs) } : receipt,
  );
}

/** Whether a segment recorded under a receipt may go to `url`: the receipt stands, and was given for that very place. */
export function mayLeave(receipts: readonly ConsentReceipt[], receiptId: string, url: string): boolean {
  const receipt = receipts.find(({ id }) => id === receiptId);
  return (
    receipt !== undefined && receipt.revokedAtWallMs === null && url !== '' && receipt.destination === url
  );
}

/**
 * Who may open what was recorded under a receipt: its owner, and those that both its policy and the one in force, which
 * is `named`, name. Empty for a receipt that is not known.
 */
export function recipientsOf(
  receipts: readonly ConsentReceipt[],
  receiptId: string,
  named: readonly string[],
): readonly string[] {
  const receipt = receipts.find(({ id }) => id === receiptId);
  if (receipt === undefined) return [];
  return [receipt.ownerRecipient, ...receipt.policy.encrypt.recipients.filter((one) => named.includes(one))];
}

function shown(receipt: ConsentReceipt): ConsentView['receipt'] {
  const { id, noticeId, grantedAtWallMs, revokedAtWallMs, via, uid, destination } = receipt;
  return {
    id,
    noticeId,
    grantedAt: new Date(grantedAtWallMs).toISOString(),
    revokedAt: revokedAtWallMs === null ? null : new Date(revokedAtWallMs).toISOString(),
    via,
    uid,
    destination,
  };
}
