/** Node's flags for every program of ours: SIGUSR1 would open an unauthenticated inspector. */
export const SAFE_FLAGS = ['--disable-sigusr1'] as const;

/**
 * Flags for the daemon and all that it starts. The memory reducer's timers cost 7 context switches a minute after activity;
 * small young generations keep resident memory low, and a batch a second does not need more. One helper thread of V8
 * instead of four saves 0.2 MB, and giving it nothing to do saves 5 context switches a minute of an idle daemon, and
 * 0.7 MB. The files in `bin/` hold them once more, since a shell reads those.
 */
export const NODE_FLAGS = [
  ...SAFE_FLAGS,
  '--no-memory-reducer',
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--single-threaded',
] as const;
