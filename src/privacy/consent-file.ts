import { dirname, join } from 'node:path';
import { isPolicy } from '../core/policy-lattice.ts';
import { isRecipient } from '../core/recipient.ts';
import { ensureFolder, readPlainFile, removeFile } from '../spool/durable-file.ts';
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
 * captured, and `problem` says so until consent is given again. At `revocationPath`, in the person's own configuration
 * folder, a revocation outlasts the state folder: whatever record of consent turns up, it is revoked.
 */
export function openConsent(
  stateDir: string,
  randomBytes: RandomBytes,
  revocationPath: string | null = null,
): ConsentFile {
  const path = join(stateDir, FILE);
  const read = readStateFile(path, decodeReceipts);
  const problem =
    read.kind === 'corrupt'
      ? `The record of consent was damaged (${read.reason}) and is kept as ${read.keptAs}.`
      : null;
  return new ConsentFile(path, read.kind === 'ok' ? read.value : [], problem, randomBytes, revocationPath);
}

/** One person's receipts on disk. Receipts are added and revoked, never removed or otherwise changed. */
export class ConsentFile {
  readonly #path: string;
  readonly #randomBytes: RandomBytes;
  readonly #revocationPath: string | null;
  /** The revocation in the person's own folder, which stands until they lift it by a grant. */
  #revokedAtWallMs: number | null;
  #receipts: readonly ConsentReceipt[];
  #problem: string | null;
  /** Whether the file says what `#receipts` says; false after a write that failed. */
  #isSaved = true;

  constructor(
    path: string,
    receipts: readonly ConsentReceipt[],
    problem: string | null,
    randomBytes: RandomBytes,
    revocationPath: string | null,
  ) {
    this.#path = path;
    this.#problem = problem;
    this.#randomBytes = randomBytes;
    this.#revocationPath = revocationPath;
    this.#revokedAtWallMs = revocationPath === null ? null : readRevocation(revocationPath);
    this.#receipts =
      this.#revokedAtWallMs === null ? receipts : revokeConsent(receipts, this.#revokedAtWallMs);
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
    return consentView(this.#receipts, inForce, this.#revokedAtWallMs !== null);
  }

  /** The receipt is on disk when this returns. */
  grant(grant: Omit<Grant, 'id'>, inForce: InForce): GrantOutcome {
    const id = timeOrderedUuid(grant.wallMs, this.#randomBytes);
    const outcome = grantConsent(this.#receipts, { ...grant, id }, inForce);
    if (outcome.kind === 'granted') {
      this.#write(outcome.receipts);
      this.#problem = null;
      // Last: killed before, the revocation stands and the grant must be given again.
      if (this.#revocationPath !== null) removeFile(this.#revocationPath);
      this.#revokedAtWallMs = null;
    }
    return outcome;
  }

  /** Revokes whatever stands. It holds in this process at once, even when the disk refuses it and this throws. */
  revoke(wallMs: number): void {
    const receipts = revokeConsent(this.#receipts, wallMs);
    const isNew = receipts !== this.#receipts || !this.#isSaved;
    this.#receipts = receipts;
    const isKept = this.#revocationPath === null || this.#revokedAtWallMs !== null;
    this.#revokedAtWallMs ??= wallMs;
    try {
      if (isNew) this.#write(receipts);
    } finally {
      if (!isKept) writeRevocation(this.#revocationPath, this.#revokedAtWallMs);
    }
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

/** Where a revocation outlasts the state folder: beside the person's own key. */
export function revocationPathOf(identityPath: string): string {
  return join(dirname(identityPath), 'consent-revoked.json');
}

/** When the person revoked; a file that cannot be read stands for a revocation all the same. */
export function readRevocation(path: string): number | null {
  try {
    const bytes = readPlainFile(path);
    if (bytes === undefined) return null;
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isRecord(json) && isWallMs(json['revokedAtWallMs']) ? json['revokedAtWallMs'] : 0;
  } catch {
    return 0;
  }
}

function writeRevocation(path: string | null, wallMs: number): void {
  if (path === null) return;
  ensureFolder(dirname(path), true);
  writeStateFile(path, { schema: SCHEMA, revokedAtWallMs: Math.floor(wallMs) });
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
