import type { BackendInfo, Screen } from '../../core/capture.ts';
import type { Reason } from '../../core/collection.ts';
import { TelemetryError } from '../../core/errors.ts';
import type { ModifierKnowledge } from '../../core/masking.ts';

/** Where a back end puts what it sees. Times are milliseconds on the monotonic clock (`replay`: of the recording). */
export interface InputSink {
  /** Where the pointer is, without anything having happened: the position of keys before the first move. */
  place(x: number, y: number): void;
  move(tMs: number, x: number, y: number): void;
  /** `button` as in {@link BUTTON}. */
  button(tMs: number, isDown: boolean, button: number, x: number, y: number): void;
  /** Notches; right and down are positive. */
  wheel(tMs: number, x: number, y: number, dx: number, dy: number): void;
  /**
   * `code` is the back end's own number and tells keys apart, `id` is the key's id in `core/keys.ts` (0 when it has
   * none), `mods` the modifiers as the source itself states them ({@link MOD} bits).
   */
  key(tMs: number, isDown: boolean, code: number, id: number, mods: number, isRepeat: boolean): void;
  /** A button came up unseen, since its device went away; the release is made up and marked so. */
  buttonGone(tMs: number, button: number, x: number, y: number): void;
  /** The same of a key. */
  keyGone(tMs: number, code: number, id: number, mods: number): void;
  /** The source lost events, nobody knows how many. */
  lost(): void;
}

/** What a back end is given to live with. */
export interface BackendHost {
  readonly sink: InputSink;
  /** From `tMs` on, a time as events have it, the desktop consists of these screens. */
  screens(tMs: number, screens: readonly Screen[]): void;
  /** The back end cannot go on; the child tells the daemon why and exits. */
  fail(reason: Reason): void;
  /** `replay`: everything in the recording has been put into the sink. */
  end(): void;
  /** Resolves once the daemon has taken what was sent; only a source that can wait asks. */
  room(): Promise<void>;
}

/** One way to see input. Made for one run: started once, stopped once. */
export interface CaptureBackend {
  readonly knows: ModifierKnowledge;
  /** Begins; rejects with {@link BackendFailure} when it cannot. `signal` gives up a half-done start. */
  start(host: BackendHost, signal: AbortSignal): Promise<BackendInfo>;
  /** Asks the source, without waiting, to hand over what it holds back. */
  poke(): void;
  /** For a source that reads in bursts: how far apart they are. Others read as events come and ignore it. */
  setBurstMs(burstMs: number): void;
  /** Resolves when the source proves to be alive; rejects with {@link BackendFailure} when it is not. */
  probe(): Promise<void>;
  /** Hands over everything that happened before the call, then ends; idempotent. */
  stop(): Promise<void>;
}

/** A back end that cannot start or go on; `reason` is for the person. */
export class BackendFailure extends TelemetryError {
  readonly reason: Reason;

  constructor(code: string, text: string, hint: string, cause?: unknown) {
    super('unavailable', text, { op: 'capture', hint, cause });
    this.reason = { code, text, hint };
  }
}

/** The source is dead although nothing has told so. */
export function probeFailed(text: string): BackendFailure {
  return new BackendFailure('tap-dead', text, 'capture is started again by itself');
}
