import type { Reason } from './collection.ts';
import type { EventColumns, LossCounts } from './events.ts';
import type { FocusName } from './focus.ts';
import type { KeyMode } from './masking.ts';
import type { Exclusion } from './window-match.ts';

/** Where pointer positions are counted from: the desktop, or the last position (evdev mice). */
export type Coordinates = 'absolute' | 'relative';

/** One screen of the desktop, pixels, and how many physical pixels a unit has. */
export interface Screen {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly scale: number;
}

/** What a back end says of itself once it works. */
export interface BackendInfo {
  readonly backend: 'x11' | 'uiohook' | 'evdev' | 'replay';
  readonly coordinates: Coordinates;
  readonly screens: readonly Screen[];
  /** Why this one was chosen, for the person. */
  readonly why: string;
}

/** What the daemon tells the child at its start; sent once, first thing, over the pipe. */
export interface CaptureConfig {
  /** `auto` or a back end's name. */
  readonly backend: string;
  readonly keys: KeyMode;
  readonly mouseHz: number;
  readonly focusUnknown: 'no-keys' | 'block' | 'record';
  /** With `keys: 'full'`: the applications in which every key is recorded. */
  readonly fullApps: readonly string[];
  /** While one of these is in use nothing is recorded. */
  readonly exclude: Exclusion;
  /** Only for `replay`. */
  readonly replay: { readonly file: string; readonly speed: number | 'max' } | null;
}

/** What the daemon tells the child while it captures. */
export type ChildCommand =
  /** Read in bursts of this length, and keep so many positions a second: less work, for both processes. */
  | { readonly type: 'tune'; readonly burstMs: number; readonly mouseHz: number }
  /** Does the source of input still work? The answer is `alive`, or `failed`. */
  | { readonly type: 'probe' };

/** What the child tells the daemon. */
export type ChildMessage =
  /** It sees input now. `notes` is what the person should know although it works. */
  | { readonly type: 'ready'; readonly info: BackendInfo; readonly notes: readonly Reason[] }
  | { readonly type: 'batch'; readonly columns: EventColumns; readonly loss: LossCounts }
  /** The answer to a probe. */
  | { readonly type: 'alive' }
  /**
   * What is known of the window in use has changed. `withheldFromMonoMs`: what happened from then on until the next
   * event was left out; `null` when nothing was.
   */
  | { readonly type: 'focus'; readonly focus: FocusName; readonly withheldFromMonoMs: number | null }
  /** The screens are these from here on: no event before this message came later than the change, and none behind it sooner. */
  | { readonly type: 'screens'; readonly screens: readonly Screen[] }
  /** `replay` only: the recording is at its end. */
  | { readonly type: 'end' }
  /** The child cannot go on and is about to exit; says why. */
  | { readonly type: 'failed'; readonly reason: Reason };
