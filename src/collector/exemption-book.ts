/** A person's request not to be captured, as their device sends it. */
export interface ExemptionAsk {
  /** A UUID; no two devices have the same. */
  readonly id: string;
  readonly device: string;
  /** `all`, `app:NAME` or `hours:SPEC`. */
  readonly scope: string;
  readonly askedAtMs: number;
  readonly untilMs: number;
  /** An age file for the deciders; `null` when no reason was given. The collector cannot open it. */
  readonly reason: Uint8Array | null;
}

export type ExemptionState = 'pending' | 'approved' | 'denied' | 'withdrawn';

/** A request and what became of it. */
export interface ExemptionRecord extends ExemptionAsk {
  readonly state: ExemptionState;
  readonly receivedAtMs: number;
  /** When it was decided or withdrawn; `null` while it is pending. */
  readonly decidedAtMs: number | null;
  /** Who decided; `""` while nobody has. */
  readonly decidedBy: string;
  /** In the decider's words. */
  readonly decisionReason: string;
}

export interface Decision {
  readonly verdict: 'approved' | 'denied';
  readonly by: string;
  readonly reason: string;
}

/** Who did what, when. Holds no reasons: it is kept for ever. */
export interface AuditEntry {
  readonly atMs: number;
  readonly id: string;
  readonly device: string;
  readonly action: 'asked' | 'approved' | 'denied' | 'withdrawn' | 'reason-erased';
  /** The decider as they named themselves, `person` or `collector`. */
  readonly by: string;
}

/** What a submission came to. `conflict`: another request has this id. */
export type SubmitOutcome =
  | { readonly kind: 'kept' | 'known'; readonly record: ExemptionRecord }
  | { readonly kind: 'conflict' };

/** What a decision came to: a request is decided once. */
export type DecideOutcome =
  | { readonly kind: 'decided'; readonly record: ExemptionRecord }
  | { readonly kind: 'not-pending'; readonly record: ExemptionRecord }
  | { readonly kind: 'unknown' };

/** Reasons are erased this long after the decision. */
export const REASON_RETENTION_MS = 30 * 86_400_000;

/** The requests of all devices, and who decided them. Whatever resolves is durable. */
export interface ExemptionBook {
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** The same request again changes nothing. */
  submit(ask: ExemptionAsk): Promise<SubmitOutcome>;
  /**
   * Its author takes it back, with its reason; one that is denied stays so. One that never arrived is kept as withdrawn, so that it
   * cannot come later.
   */
  withdraw(ask: ExemptionAsk): Promise<SubmitOutcome>;
  decide(id: string, decision: Decision): Promise<DecideOutcome>;
  find(id: string): Promise<ExemptionRecord | null>;
  /** The oldest first. */
  list(filter?: { readonly state?: ExemptionState }): Promise<readonly ExemptionRecord[]>;
  /** What was done to one request, the oldest first. */
  audit(id: string): Promise<readonly AuditEntry[]>;
  /** Erases every reason that was decided on {@link REASON_RETENTION_MS} ago; how many. */
  eraseOldReasons(): Promise<number>;
}
