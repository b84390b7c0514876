/** Somebody who may read what is kept here. */
export interface Reader {
  readonly name: string;
  readonly addedAtMs: number;
  /** `null` while the token counts. */
  readonly revokedAtMs: number | null;
}

/** Who read what, when. */
export interface Access {
  readonly atMs: number;
  readonly reader: string;
  /** `index` and `erased` name no segment. */
  readonly what: 'index' | 'erased' | 'segment';
  readonly device: string | null;
  readonly segment: string | null;
}

/** The readers and what they read. A name is given once and for ever, so that the log means one reader by it. */
export interface ReaderBook {
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** Keeps a token's hash; the token itself is nowhere. `false`: the name was given before. */
  add(name: string, tokenHash: string, atMs: number): Promise<boolean>;
  /** The name of the reader with this token; `null`: nobody's, or revoked. */
  nameOf(tokenHash: string): Promise<string | null>;
  /** By name. */
  list(): Promise<readonly Reader[]>;
  /** Whether a token counted until now. */
  revoke(name: string, atMs: number): Promise<boolean>;
  /** Durable when it resolves. Nothing changes or removes it later. */
  note(access: Access): Promise<void>;
  /** From `sinceMs` on, the oldest first. */
  accesses(sinceMs: number): AsyncIterable<Access>;
}
