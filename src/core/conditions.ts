/** What the machine says of power, network and session, as ports. Adapters: `src/conditions`. */

/** `unknown` is never taken for `ac`. */
export type PowerState = 'ac' | 'battery' | 'unknown';

export interface Power {
  readonly state: PowerState;
  /** The system's battery saver is on; `false` where there is no such thing or it cannot be told. */
  readonly isSaver: boolean;
}

export type NetworkKind = 'wifi' | 'ethernet' | 'cellular' | 'local' | 'none' | 'unknown';

export interface Network {
  readonly kind: NetworkKind;
  readonly metered: 'yes' | 'no' | 'unknown';
  /** Whether the network's name is in `upload.ssids`; `null` when no names are asked for. `unknown` closes the gate. */
  readonly ssid: string | null;
  readonly isCaptivePortal: boolean;
}

/** Whether the person's session is locked, switched away from, or at the greeter; `unknown` counts as locked. */
export interface Session {
  readonly lock: 'unlocked' | 'locked' | 'unknown';
  /** Who says so: `logind`, and screen savers by their D-Bus names. Empty where nothing can tell (and `unlocked`). */
  readonly sources: readonly string[];
}

/** A source of facts that tells of changes. `current()` never throws: what cannot be told is `unknown`. */
export interface Source<Fact> {
  current(): Fact;
  /** Starts watching; `changed` is called after each change. Resolves once the first reading is in. */
  start(changed: () => void): Promise<void>;
  /** Reads again, at once; `changed` is called when the answer differs. For sources that no event can wake. */
  refresh(): void;
  stop(): Promise<void>;
}

export type PowerSource = Source<Power>;
export type NetworkSource = Source<Network>;
export type SessionSource = Source<Session> & {
  /** Tells when the machine is about to sleep (`true`) and when it has woken; before `start`. */
  onSleep(told: (isFallingAsleep: boolean) => void): void;
};
