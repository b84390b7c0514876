/** What one server allows its clients. */
export interface ServerLimits {
  /** Connections beyond this are closed as they come; the client retries. */
  readonly maxConnections: number;
  /** All headers must have come. */
  readonly headersTimeoutMs: number;
  /** The whole request must have come. */
  readonly requestTimeoutMs: number;
  /** A connection on which no byte moves is closed. */
  readonly idleTimeoutMs: number;
  /** A connection between two requests is closed. */
  readonly keepAliveTimeoutMs: number;
  /** How often the first two are looked at, and so how late they may be. */
  readonly checkEveryMs: number;
}

/**
 * Four times the bodies that are taken at once by default: others are refused just then, or between two requests. 1024
 * connections of at most some 100 KB each fit small machines. A whole request may take 10 minutes: the largest segment
 * allowed (16 MiB) then needs 28 KB/s, a ninth of what clients send at. 30 s without a byte is a dead peer.
 */
export const SERVER_LIMITS: ServerLimits = {
  maxConnections: 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 600_000,
  idleTimeoutMs: 30_000,
  keepAliveTimeoutMs: 15_000,
  checkEveryMs: 5000,
};
