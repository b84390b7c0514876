import { join } from 'node:path';
import { isPolicy } from '../core/policy-lattice.ts';
import { isRecipient } from '../core/recipient.ts';
import { isUuid, type RandomBytes, timeOrderedUuid } from '../spool/identifiers.ts';
import { readStateFile, writeStateFile } from '../spool/state-file.ts';
import {
  type ConsentReceipt,
  type ConsentView,
  consentView,
  type Grant,
  type GrantOutcome,
  grantConsent,
  type InForce,
  mayLeave,
  revokeConsent,
} from './consent.ts';

const FILE = 'consent.json';
const SCHEMA = 1;
/** Beyond this a number of milliseconds is no date any more (ECMA-262, time values). */
const MAX_WALL_MS = 8.64e15;

/**
 * Opens the record of consent in the state folder. A damaged file is as good as none: it is kept aside, nothing is
 * captured, and `problem` says so until consent is given again.
 */
export function openConsent(stateDir: string, randomBytes: RandomBytes): ConsentFile {
  const path = join(stateDir, FILE);
  const read = readStateFile(path, decodeReceipts);
  switch (read.kind) {
    case 'missing':
      return new ConsentFile(path, [], null, randomBytes);
    case 'ok':
      return new ConsentFile(path, read.value, null, randomBytes);
    case 'corrupt': {
      const problem = `The record of consent was damaged (${read.reason}) and is kept as ${read.keptAs}.`;
      return new ConsentFile(path, [], problem, randomBytes);
    }
  }
}

/** One person's receipts on disk. Receipts are added and revoked, never removed or otherwise changed. */
export class ConsentFile {
  readonly #path: string;
  readonly #randomBytes: RandomBytes;
  #receipts: readonly ConsentReceipt[];
  #problem: string | null;
  /** Whether the file says what `#receipts` says; false after a write that failed. */
  #isSaved = true;

  constructor(
    path: string,
    receipts: readonly ConsentReceipt[],
    problem: string | null,
    randomBytes: RandomBytes,
  ) {
    this.#path = path;
    this.#receipts = receipts;
    this.#problem = problem;
    this.#randomBytes = randomBytes;
  }

  /** Why there is no consent though there was a file; `null` when all is well. */
  get problem(): string | null {
    return this.#problem;
  }

  /** All receipts, the oldest first. */
  get receipts(): readonly ConsentReceipt[] {
    return this.#receipts;
  }

  view(inForce: Omit<InForce, 'policyId'>): ConsentView {
    return consentView(this.#receipts, inForce);
  }

  /** The receipt is on disk when this returns. */
  grant(grant: Omit<Grant, 'id'>, inForce: InForce): GrantOutcome {
    const id = timeOrderedUuid(grant.wallMs, this.#randomBytes);
    const outcome = grantConsent(this.#receipts, { ...grant, id }, inForce);
    if (outcome.kind === 'granted') {
      this.#write(outcome.receipts);
      this.#problem = null;
    }
    return outcome;
  }

  /** Revokes whatever stands. It holds in this process at once, even when the disk refuses it and this throws. */
  revoke(wallMs: number): void {
    const receipts = revokeConsent(this.#receipts, wallMs);
    if (receipts === this.#receipts && this.#isSaved) return;
    this.#receipts = receipts;
    this.#write(receipts);
  }

  /** Whether a segment recorded under this receipt may go to `url`. */
  mayLeave(receiptId: string, url: string): boolean {
    return mayLeave(this.#receipts, receiptId, url);
  }

  #write(receipts: readonly ConsentReceipt[]): void {
    this.#isSaved = false;
    writeStateFile(this.#path, { schema: SCHEMA, receipts });
    this.#isSaved = true;
    this.#receipts = receipts;
  }
}

/** Checks what `consent.json` held, strictly; throws when anything in it is not what it should be. */
export function decodeReceipts(json: unknown): readonly ConsentReceipt[] {
  if (!isRecord(json) || json['schema'] !== SCHEMA)
    throw new Error('not a record of consent of this version');
  const { receipts } = json;
  if (!Array.isArray(receipts) || !receipts.every(isReceipt)) throw new Error('a receipt is damaged');
  if (new Set(receipts.map(({ id }) => id)).size !== receipts.length)
    throw new Error('a receipt is there twice');
  return receipts;
}

function isReceipt(value: unknown): value is ConsentReceipt {
  if (!isRecord(value)) return false;
  const {
    id,
    noticeId,
    policy,
    policyId,
    destination,
    grantedAtWallMs,
    uid,
    via,
    ownerRecipient,
    revokedAtWallMs,
    ledgerHead,
  } = value;
  return (
    Object.keys(value).length === (ledgerHead === undefined ? 10 : 11) &&
    (ledgerHead === undefined || isHash(ledgerHead)) &&
    typeof id === 'string' &&
    isUuid(id) &&
    isHex16(noticeId) &&
    isHex16(policyId) &&
    isPolicy(policy) &&
    destination === policy.upload.url &&
    isWallMs(grantedAtWallMs) &&
    (revokedAtWallMs === null || isWallMs(revokedAtWallMs)) &&
    typeof uid === 'number' &&
    Number.isSafeInteger(uid) &&
    uid >= 0 &&
    (via === 'terminal' || via === 'script') &&
    typeof ownerRecipient === 'string' &&
    isRecipient(ownerRecipient)
  );
}

function isHex16(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isWallMs(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_WALL_MS;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
