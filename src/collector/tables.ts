import type { Generated } from 'kysely';

/** The tables of all books, with the types that both databases give: times are milliseconds since the epoch. */
export interface Tables {
  segments: {
    device: string;
    segment: string;
    sha256: string;
    size: number;
    received_at: number;
    ledger_head: string | null;
    /** `null` in rows of earlier versions, until a collector that knows how long it keeps things starts. */
    expires_at: number | null;
    sequence: number | null;
    /** Consent receipt; `null`: nobody said under which it was recorded. */
    receipt: string | null;
  };
  /** `why` is `expired`, or `null`: its person asked for it. */
  tombstones: { device: string; segment: string; was_kept: number; erased_at: number; why: string | null };
  withdrawals: { device: string; receipt: string; request: string; withdrawn_at: number };
  readers: { name: string; token_hash: string; added_at: number; revoked_at: number | null };
  access_log: {
    seq: Generated<number>;
    at: number;
    reader: string;
    what: 'index' | 'erased' | 'segment';
    device: string | null;
    segment: string | null;
  };
  erasures: { device: string; request: string; segments: number; erased: number; asked_at: number };
  /** Objects that are being published or removed, in a store that several share. */
  unsettled: { device: string; segment: string; since: number };
  nonces: { key_id: string; nonce: string; until: number };
  /** What all collectors of a database must agree on. */
  agreements: { name: string; value: string };
  device_keys: {
    key_id: string;
    device: string;
    public_key: string;
    enrolled_at: number;
    revoked_at: number | null;
  };
  enrolment_tokens: { hash: string; made_at: number; expires_at: number; used_by: string | null };
  exemptions: {
    id: string;
    device: string;
    scope: string;
    asked_at: number;
    until: number;
    reason: Uint8Array | null;
    state: 'pending' | 'approved' | 'denied' | 'withdrawn';
    received_at: number;
    decided_at: number | null;
    decided_by: Generated<string>;
    decision_reason: Generated<string>;
  };
  admins: { name: string; token_hash: string; made_at: number };
  device_health: { device: string; day: string; version: string; backend: string; codes: string };
  exemption_audit: {
    seq: Generated<number>;
    at: number;
    id: string;
    device: string;
    action: 'asked' | 'approved' | 'denied' | 'withdrawn' | 'reason-erased';
    by: string;
  };
}
