import type { KeyMode } from './masking.ts';

/**
 * The policy in force, in the units the code uses: milliseconds, bytes, fractions. `policy.toml` and
 * `preferences.toml` are read by `src/policy`; every field, its default and the reason for it stand in
 * `src/policy/defaults.ts`, its privacy direction in `core/policy-lattice.ts`.
 */
export interface Policy {
  readonly capture: {
    readonly keys: KeyMode;
    readonly mouseHz: number;
    readonly backend: string;
    /** `""` (always) or a spec for `core/hours.ts`. */
    readonly hours: string;
    readonly focusUnknown: 'no-keys' | 'block' | 'record';
    readonly fullApps: readonly string[];
  };
  readonly notice: {
    readonly controller: string;
    readonly contact: string;
    readonly purpose: string;
    readonly basis: string;
    readonly readers: string;
    /** Milliseconds; `null` when not given. */
    readonly serverRetentionMs: number | null;
  };
  readonly encrypt: { readonly recipients: readonly string[] };
  readonly exclude: { readonly apps: readonly string[]; readonly titles: readonly string[] };
  readonly pause: { readonly maxMs: number };
  readonly segment: { readonly rollMs: number; readonly flushMs: number };
  readonly spool: { readonly limitBytes: number; readonly retentionMs: number; readonly keepSentMs: number };
  readonly upload: {
    /** `""`: nothing is ever sent. */
    readonly url: string;
    readonly power: 'ac' | 'any';
    readonly networks: readonly UploadNetwork[];
    /** Whether a file set `networks`: only then do they bind a loopback destination too. */
    readonly isNetworksExplicit: boolean;
    readonly metered: boolean;
    readonly ssids: readonly string[];
    readonly holdBackMs: number;
    readonly dailyBudgetBytes: number;
    readonly monthlyBudgetBytes: number;
    readonly rateBytesPerSecond: number;
    /** A node-cron expression. */
    readonly schedule: string;
    readonly hours: string;
  };
  readonly exemptions: {
    readonly whilePending: 'withhold' | 'pause';
    /** Who can read why somebody asks: the age recipients of those who decide. Without any no reason is sent. */
    readonly recipients: readonly string[];
  };
  readonly limits: { readonly cpuFraction: number; readonly memoryBytes: number };
}

/** Networks that a policy may allow uploads on. */
export type UploadNetwork = 'wifi' | 'ethernet' | 'cellular';

/** Where a value of the policy in force came from. */
export type PolicyOrigin = 'default' | 'policy' | 'preferences';

/** Something wrong with a policy or preferences file, or a value this version accepts but does not act on. */
export interface PolicyProblem {
  readonly severity: 'error' | 'notice';
  /** `policy.toml:12:5` as far as known. */
  readonly where: string;
  readonly text: string;
  readonly hint: string;
}

/** What loading gave: the merged policy, where each value came from, and what was wrong. */
export interface LoadedPolicy {
  readonly policy: Policy;
  /** Hex SHA-256 of the canonical JSON of `policy`, first 16 characters. */
  readonly id: string;
  /** Path of the policy file, `defaults` without one, or `last-good` when the file was refused. */
  readonly source: string;
  /** Dotted path in file spelling (`upload.daily_budget`) to where its value came from. */
  readonly origins: Readonly<Record<string, PolicyOrigin>>;
  readonly problems: readonly PolicyProblem[];
}
