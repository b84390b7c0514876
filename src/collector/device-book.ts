/** A device's public key as this collector knows it. */
export interface DeviceKey {
  /** Fingerprint of the key. */
  readonly keyId: string;
  /** The pseudonym whose requests it signs. */
  readonly device: string;
  readonly publicKey: string;
  readonly enrolledAtMs: number;
  /** `null` while it counts. */
  readonly revokedAtMs: number | null;
}

/** A device that asks to be known. */
export interface EnrolmentAsk {
  /** Hash of the token that it brought. */
  readonly tokenHash: string;
  readonly device: string;
  readonly keyId: string;
  readonly publicKey: string;
}

/**
 * `known`: the same device came with the same token and key before, and did not hear the answer. `taken`: the device has
 * a key that counts, which must be revoked first: a token is no licence to speak for somebody else's device.
 */
export type EnrolmentOutcome =
  | 'enrolled'
  | 'known'
  | 'unknown-token'
  | 'used-token'
  | 'expired-token'
  | 'taken';

/** Who may send, and the tokens with which that begins. Whatever resolves is durable. */
export interface DeviceBook {
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** Keeps a token's hash; the token itself is nowhere. */
  addToken(hash: string, expiresAtMs: number): Promise<void>;
  enrol(ask: EnrolmentAsk): Promise<EnrolmentOutcome>;
  find(keyId: string): Promise<DeviceKey | null>;
  /** Whether the device ever had a key, revoked or not: then it must sign. */
  hasEnrolled(device: string): Promise<boolean>;
  /** The oldest first. */
  list(): Promise<readonly DeviceKey[]>;
  /** Ends every key of a device; how many counted until now. */
  revoke(device: string): Promise<number>;
}
