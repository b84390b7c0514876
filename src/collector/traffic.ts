/** What arrived on one UTC day and is still kept. */
export interface DayTraffic {
  /** `2026-03-31`. */
  readonly day: string;
  readonly segments: number;
  readonly bytes: number;
  /** How many devices it came from. */
  readonly devices: number;
}

/** How much is kept, of all devices together. */
export interface Traffic {
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** Days since that time on which anything arrived, the oldest first. */
  days(sinceMs: number): Promise<readonly DayTraffic[]>;
}
