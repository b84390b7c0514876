import type { ConsentReply, GrantRequest } from '../control/protocol.ts';
import type { Clock } from '../core/clock.ts';
import type { ConsentStanding } from '../core/collection.ts';
import { TelemetryError } from '../core/errors.ts';
import type { LoadedPolicy } from '../core/policy.ts';
import { type ConsentReceipt, type InForce, recipientsOf } from '../privacy/consent.ts';
import type { ConsentFile } from '../privacy/consent-file.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import { makeNotice, type Notice } from '../privacy/notice.ts';

export interface ConsentPorts {
  readonly clock: Clock;
  readonly file: ConsentFile;
  readonly uid: number;
  /** Hash of the ledger's last entry. */
  readonly ledgerHead: () => string;
  readonly record: (facts: readonly LedgerFact[]) => void;
}

/** Consent under the policy in force. Without a policy there is nothing to agree to. */
export class ConsentKeeper {
  readonly #ports: ConsentPorts;
  #inForce: InForce | null = null;
  #notice: Notice | null = null;
  #view: ConsentReply = { state: 'missing', noticeId: '', receipt: null, changes: [] };

  constructor(ports: ConsentPorts) {
    this.#ports = ports;
  }

  get standing(): ConsentStanding {
    return this.#view.state;
  }

  get view(): ConsentReply {
    return this.#view;
  }

  /** The notice of the policy in force; throws without one. */
  notice(): Notice {
    if (this.#notice !== null) return this.#notice;
    throw new TelemetryError(
      'bad-configuration',
      'there is no valid policy, so there is nothing to agree to',
      {
        op: 'make the notice',
        hint: 'telemetryctl policy show says what is wrong with it',
      },
    );
  }

  policyChanged(loaded: LoadedPolicy | null): void {
    const before = this.standing;
    this.#notice = loaded === null ? null : makeNotice(loaded.policy);
    this.#inForce =
      loaded === null || this.#notice === null
        ? null
        : { policy: loaded.policy, policyId: loaded.id, noticeId: this.#notice.id };
    this.#refresh();
    if (before !== 'stale' && this.standing === 'stale') this.#record('stale');
  }

  /** The person agrees to the notice they were shown; refused when another is in force by now. */
  grant({ noticeId, via, ownerRecipient }: GrantRequest): void {
    const { id } = this.notice();
    const { file, clock, uid, ledgerHead } = this.#ports;
    const inForce = this.#inForce;
    if (inForce === null || noticeId !== id) throw noticeChanged();
    const wallMs = clock.now().wallMs;
    const outcome = file.grant(
      { noticeId, via, ownerRecipient, uid, wallMs, ledgerHead: ledgerHead() },
      inForce,
    );
    if (outcome.kind === 'notice-changed') throw noticeChanged();
    this.#refresh();
    this.#record('granted');
  }

  /** Holds at once, even when the disk refuses to keep it, which then throws. */
  revoke(): void {
    try {
      this.#ports.file.revoke(this.#ports.clock.now().wallMs);
    } finally {
      this.#refresh();
    }
    this.#record('revoked');
  }

  /** The receipt that stands now, or stood last. */
  get receipt(): ConsentReceipt | null {
    return this.#ports.file.receipts.at(-1) ?? null;
  }

  /** All receipts, the oldest first. */
  get receipts(): readonly ConsentReceipt[] {
    return this.#ports.file.receipts;
  }

  /** Who may open what was recorded under a receipt; see the function of that name. */
  recipientsOf(receiptId: string): readonly string[] {
    return recipientsOf(this.#ports.file.receipts, receiptId, this.#inForce?.policy.encrypt.recipients ?? []);
  }

  mayLeave(receiptId: string, url: string): boolean {
    return this.#ports.file.mayLeave(receiptId, url);
  }

  /** How long the person was told that a collector keeps what a receipt covers: by it or by now, whichever is less. */
  promisedMs(receiptId: string): number | null {
    const receipt = this.#ports.file.receipts.find(({ id }) => id === receiptId);
    if (receipt === undefined) return null;
    const told = [receipt.policy, this.#inForce?.policy].flatMap(
      (policy) => policy?.notice.serverRetentionMs ?? [],
    );
    return told.length === 0 ? null : Math.min(...told);
  }

  /** Whether a receipt, standing or not, names this address: what was sent there, and what concerns it, is known there. */
  names(url: string): boolean {
    return url !== '' && this.#ports.file.receipts.some(({ destination }) => destination === url);
  }

  #refresh(): void {
    this.#view =
      this.#inForce === null
        ? { state: 'missing', noticeId: '', receipt: null, changes: [] }
        : this.#ports.file.view(this.#inForce);
  }

  #record(change: 'granted' | 'revoked' | 'stale'): void {
    const receipt = this.#view.receipt;
    this.#ports.record([
      {
        type: 'consent',
        change,
        receipt: receipt?.id ?? '',
        notice: receipt?.noticeId ?? this.#view.noticeId,
      },
    ]);
  }
}

function noticeChanged(): TelemetryError {
  return new TelemetryError('failed', 'the policy changed since the notice was shown', {
    op: 'grant consent',
    hint: 'telemetryctl consent grant, which shows the present one',
  });
}
