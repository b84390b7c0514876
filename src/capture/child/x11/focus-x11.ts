import type { Focus } from '../../../core/focus.ts';
import { BackendFailure } from '../backend.ts';
import type { FocusHost, FocusSource } from '../focus-source.ts';
import { findCover } from './cover.ts';
import { type FocusLook, lookAtFocus } from './focus-look.ts';
import { FocusSignals } from './focus-signals.ts';
import { openDisplay, type XDisplayOptions } from './open-display.ts';
import { readTitles } from './window-facts.ts';
import type { XConnection } from './x-connection.ts';
import { EVENT_MASK, getInputFocus, selectEvents } from './x-core.ts';

/** After so long a disagreement, or a "none", is no switch any more: it is how things are. */
const SETTLE_MS = 300;
/**
 * Toolkits write properties that do not matter here at every key; they are read together, so that none of them wakes
 * us alone. A read for {@link FocusX11.confirm} does not wait.
 */
const IDLE_READ_MS = 100;
/**
 * A switch that takes longer than this left time to type into what was in use meanwhile, which cannot be told any more.
 * Window managers take a few milliseconds.
 */
const SWITCH_MS = 50;

export interface FocusX11Options extends XDisplayOptions {
  readonly nowMonoMs: () => number;
}

/**
 * What is in use on X11, from the window manager's properties and the server's focus events, on a connection of its
 * own. Nothing is polled; titles and names stay in this process.
 *
 * Any sign of a change begins a look, and until that is over nothing is certain. A keyboard that is grabbed (screen
 * lockers, password prompts, and menus too) is a secret at once. A keyboard that is with another window than the active
 * one, such as a prompt that no manager knows, becomes one when it lasts, and was one when the keyboard comes back.
 */
export class FocusX11 implements FocusSource {
  readonly #options: FocusX11Options;
  #x: XConnection | null = null;
  #host: FocusHost | null = null;
  #signals: FocusSignals | null = null;
  /** Windows whose events are asked for. */
  #watched = new Set<number>();
  #looking: Promise<void> | null = null;
  /** What the last look found. */
  #last: FocusLook | null = null;
  #isCertain = false;
  #cover = 0;
  /** When the last sign of a change was read; the first one since anything was told; the first look without an answer. */
  #signMs = 0;
  #doubtSinceMs: number | null = null;
  #unclearSinceMs: number | null = null;
  #hasNoise = false;
  #cancelSettle: () => void = () => undefined;
  #cancelRead: () => void = () => undefined;

  constructor(options: FocusX11Options) {
    this.#options = options;
  }

  async start(host: FocusHost, signal: AbortSignal): Promise<void> {
    const x = await openDisplay({ ...this.#options, onRead: () => this.#onRead() }, signal);
    this.#x = x;
    this.#host = host;
    x.onGone = () => host.fail(GONE.reason);
    const signals = await FocusSignals.of(x);
    this.#signals = signals;
    x.listen((bytes, offset) => {
      if (signals.take(bytes, offset)) this.#onSign();
      else this.#hasNoise = true;
    });
    this.#signMs = this.#options.nowMonoMs();
    // Whatever does not agree now has not just changed.
    this.#unclearSinceMs = Number.NEGATIVE_INFINITY;
    this.#beginLook(true);
    await this.#looking;
    if (x.isClosed || signal.aborted) throw GONE;
  }

  async confirm(): Promise<boolean> {
    const x = this.#x;
    if (x === null) return false;
    this.#cancelRead();
    x.resume();
    const inputFocus = await getInputFocus(x);
    if (inputFocus !== this.#last?.inputFocus) {
      this.#signals?.doubt();
      this.#onSign();
    }
    while (this.#looking !== null) await this.#looking;
    return this.#isCertain && !x.isClosed;
  }

  stop(): void {
    this.#cancelSettle();
    this.#cancelRead();
    this.#x?.close();
  }

  #onSign(): void {
    this.#signMs = this.#options.nowMonoMs();
    this.#doubtSinceMs ??= this.#signMs;
    this.#isCertain = false;
    if (this.#signals?.isGrabbed === true) this.#host?.changed({ kind: 'secret' }, this.#signMs);
    this.#beginLook(false);
  }

  /** After a read: what is of no use shall not wake us at once again. */
  #onRead(): void {
    if (!this.#hasNoise || this.#looking !== null) return;
    this.#hasNoise = false;
    this.#cancelRead();
    this.#x?.pause();
    this.#cancelRead = this.#options.delay(IDLE_READ_MS, () => this.#x?.resume());
  }

  #beginLook(isFirst: boolean): void {
    this.#cancelSettle();
    this.#looking ??= this.#look(isFirst).finally(() => (this.#looking = null));
  }

  /** Looks until nothing changes during a look. */
  async #look(isFirst: boolean): Promise<void> {
    const [x, signals] = [this.#x, this.#signals];
    if (x === null || signals === null) return;
    for (;;) {
      const { count } = signals;
      const look = await this.#lookOnce(x, signals);
      if (isFirst || this.#cover !== 0) this.#cover = await findCover(x, look.manager);
      if (x.isClosed) return;
      if (signals.count === count) {
        this.#conclude(look, signals);
        return;
      }
    }
  }

  async #lookOnce(x: XConnection, signals: FocusSignals): Promise<FocusLook> {
    const last = this.#last;
    if (last?.found.kind === 'window' && signals.isTitleOnly) {
      const { facts, pid } = last.found.window;
      const titles = await readTitles(x, last.active);
      return titles === null
        ? { ...last, found: { kind: 'unclear' } }
        : { ...last, found: { kind: 'window', window: { facts: { ...facts, titles }, pid } } };
    }
    const watched = new Map<number, number>();
    // Anew each time: when a program ends, the next one gets its numbers for its own windows.
    const watch = (window: number, mask: number): void => {
      const all = (watched.get(window) ?? 0) | mask;
      watched.set(window, all);
      selectEvents(x, window, all);
    };
    if (this.#cover !== 0) watch(this.#cover, EVENT_MASK.structureNotify);
    const look = await lookAtFocus(x, this.#options.hostname, watch);
    for (const window of this.#watched) if (!watched.has(window)) selectEvents(x, window, 0);
    this.#watched = new Set(watched.keys());
    return look;
  }

  #conclude(look: FocusLook, signals: FocusSignals): void {
    const { nowMonoMs, delay } = this.#options;
    this.#last = look;
    const { found } = look;
    if (signals.isGrabbed || this.#cover !== 0) this.#tell({ kind: 'secret' }, this.#signMs, signals);
    else if (found.kind === 'window' || found.kind === 'no-manager') {
      if (!this.#isSwitch(look, signals)) this.#host?.changed({ kind: 'secret' }, nowMonoMs());
      const focus: Focus =
        found.kind === 'window' ? { kind: 'window', ...found.window } : { kind: 'unknown' };
      this.#tell(focus, this.#signMs, signals);
    } else {
      const nowMs = nowMonoMs();
      this.#unclearSinceMs ??= nowMs;
      const leftMs = this.#unclearSinceMs + SETTLE_MS - nowMs;
      if (leftMs > 0) this.#cancelSettle = delay(leftMs, () => this.#beginLook(false));
      else this.#tell({ kind: found.kind === 'none' ? 'desktop' : 'secret' }, nowMs, signals);
    }
  }

  /** Whether what was in use until now and what is in use now are all there was. */
  #isSwitch(look: FocusLook, signals: FocusSignals): boolean {
    // Away and back is a visit to a window that was not looked at, however short.
    if (signals.hasLeft && look.active === signals.active) return false;
    const doubtMs = this.#signMs - (this.#doubtSinceMs ?? this.#signMs);
    return signals.spanMs <= SWITCH_MS && doubtMs <= SWITCH_MS;
  }

  #tell(focus: Focus, atMs: number, signals: FocusSignals): void {
    signals.clear();
    signals.active = this.#last?.active ?? 0;
    this.#unclearSinceMs = null;
    this.#doubtSinceMs = null;
    this.#isCertain = true;
    this.#host?.changed(focus, atMs);
  }
}

const GONE = new BackendFailure(
  'display-gone',
  'The X server went away.',
  'nothing to do: capture resumes by itself when it is back',
);
