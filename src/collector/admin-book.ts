/** Somebody who may sign in to the page. */
export interface Admin {
  /** As it stands in audit trails; no two that count have the same. */
  readonly name: string;
  readonly madeAtMs: number;
}

/** Who may sign in to the page, by the hashes of their tokens. Whatever resolves is durable. */
export interface AdminBook {
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** Keeps a token's hash; the token itself is nowhere. `taken`: somebody has that name. */
  add(name: string, tokenHash: string): Promise<'added' | 'taken'>;
  find(tokenHash: string): Promise<Admin | null>;
  /** By name. */
  list(): Promise<readonly Admin[]>;
  /** Whether there was such a one. */
  remove(name: string): Promise<boolean>;
}
