import type { Reason } from '../../core/collection.ts';
import type { Focus } from '../../core/focus.ts';

/** What a source of focus is given to live with. */
export interface FocusHost {
  /** What is in use has changed, at `atMs` on the monotonic clock or shortly before. */
  changed(focus: Focus, atMs: number): void;
  /** The source cannot go on; the child tells the daemon why and exits. */
  fail(reason: Reason): void;
}

/** Something that tells which window is in use. Made for one run: started once, stopped once. */
export interface FocusSource {
  /** Begins, and tells what is in use now before it resolves; rejects with `BackendFailure` when it cannot. */
  start(host: FocusHost, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when every change before this call has been told, with false when what is in use is not certain at this
   * moment or cannot be had. Never rejects.
   */
  confirm(): Promise<boolean>;
  /** Idempotent. */
  stop(): void;
}

/** Where nothing can tell what is in use: always unknown. */
export const NO_FOCUS: FocusSource = {
  start: (host) => {
    host.changed({ kind: 'unknown' }, Number.NEGATIVE_INFINITY);
    return Promise.resolve();
  },
  confirm: () => Promise.resolve(true),
  stop: () => undefined,
};
