import type { BackendInfo, Screen } from '../../core/capture.ts';
import type { ModifierKnowledge } from '../../core/masking.ts';
import type { Delay } from '../delay-node.ts';
import { BackendFailure, type BackendHost, type CaptureBackend, probeFailed } from './backend.ts';
import { evdevKeyId } from './evdev-keys.ts';
import { withinTime } from './time-limit.ts';
import { BurstReader } from './x11/burst-reader.ts';
import { openDisplay } from './x11/open-display.ts';
import { XClock } from './x11/x-clock.ts';
import type { XConnection } from './x11/x-connection.ts';
import { EVENT_MASK, eventType, queryPointer, selectEvents, X_EVENT } from './x11/x-core.ts';
import { ModifierWatch } from './x11/x-modifier-watch.ts';
import { createRecordContext, type RecordContext } from './x11/x-record.ts';
import { Refresh } from './x11/x-refresh.ts';
import { XScreens } from './x11/x-screens.ts';

/** A server that answers nothing for this long is hung; a busy one answers in milliseconds. */
const ANSWER_TIMEOUT_MS = 5000;
/** The end of the data came 0.1 to 3 ms after it was asked for; a stop must be over within a second. */
const STOP_TIMEOUT_MS = 300;
/** Stamps of screen changes older than this are not of this change: some changes leave the stamp as it was. */
const FRESH_CHANGE_MS = 1000;

/** X key codes are the kernel's plus 8, with the `evdev` and `libinput` drivers and under Xvfb alike. */
const KEYCODE_OFFSET = 8;
/** X buttons 1 to 3 and 8 to 9 as `BUTTON` counts them; 10 and above are the device's own, 6 and above there. */
const BUTTONS = [0, 1, 3, 2, 0, 0, 0, 0, 4, 5];
const UNNUMBERED_BUTTON = 6;
/** X buttons 4 to 7 are notches of the wheel: up, down, left, right. */
const WHEEL_FIRST = 4;
const WHEEL = [
  { dx: 0, dy: -1 },
  { dx: 0, dy: 1 },
  { dx: -1, dy: 0 },
  { dx: 1, dy: 0 },
];

export interface X11Options {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  readonly uid: number;
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
  /** Why this back end, for the person. */
  readonly why: string;
}

interface Parts {
  readonly control: XConnection;
  readonly data: XConnection;
  readonly record: RecordContext;
  readonly bursts: BurstReader;
  readonly modifiers: ModifierWatch;
  readonly screens: XScreens;
}

/**
 * Input from an X server through the RECORD extension, spoken by our own client: no native code. It reads in bursts,
 * which costs a tenth of reading each event as it comes; times are the server's and lose nothing by it.
 */
export class X11Backend implements CaptureBackend {
  /** The server's mapping tells Alt from AltGr. */
  readonly knows: ModifierKnowledge = { isAltCertain: true };
  readonly #options: X11Options;
  readonly #clock = new XClock();
  readonly #ended = Promise.withResolvers<undefined>();
  #parts: Parts | null = null;
  #host: BackendHost | null = null;
  #known: readonly Screen[] = [];
  #changedMs = 0;
  /** Our clock at the read that is being handled; asked for once per read. */
  #readMs: number | null = null;

  constructor(options: X11Options) {
    this.#options = options;
  }

  async start(host: BackendHost, signal: AbortSignal): Promise<BackendInfo> {
    const opened: XConnection[] = [];
    try {
      const parts = await this.#open(opened, signal);
      this.#host = host;
      await this.#prepare(parts, host);
      await this.#enable(parts);
      if (signal.aborted) throw new BackendFailure('stopped', 'Capture was stopped while it started.', '');
      this.#parts = parts;
      for (const x of opened) x.onGone = () => host.fail(DISPLAY_GONE);
    } catch (error) {
      for (const x of opened) x.close();
      throw error;
    }
    return { backend: 'x11', coordinates: 'absolute', screens: this.#known, why: this.#options.why };
  }

  poke(): void {
    this.#parts?.bursts.drain();
  }

  setBurstMs(burstMs: number): void {
    this.#parts?.bursts.setBurstMs(burstMs);
  }

  async probe(): Promise<void> {
    const parts = this.#parts;
    if (parts === null) throw probeFailed('Capture has not started.');
    const answer = await withinTime(parts.record.isEnabled(), ANSWER_TIMEOUT_MS, this.#options.delay);
    if (answer === 'late') throw probeFailed('The X server does not answer.');
    if (!answer) throw probeFailed('The X server no longer records input for us.');
  }

  async stop(): Promise<void> {
    const parts = this.#parts;
    this.#parts = null;
    if (parts === null) return;
    parts.bursts.stop();
    parts.record.disable();
    await withinTime(this.#ended.promise, STOP_TIMEOUT_MS, this.#options.delay);
    parts.data.close();
    parts.control.close();
  }

  async #open(opened: XConnection[], signal: AbortSignal): Promise<Parts> {
    let bursts: BurstReader | null = null;
    const control = await openDisplay(this.#options, signal);
    opened.push(control);
    const onRead = (isDrained: boolean): void => {
      this.#readMs = null;
      bursts?.onRead(isDrained);
    };
    const data = await openDisplay({ ...this.#options, onRead }, signal);
    opened.push(data);
    const record = await createRecordContext(control, data);
    if (record === null) {
      throw new BackendFailure(
        'no-record-extension',
        'The X server lacks the RECORD extension, without which no program can see input.',
        'enable it: remove "RECORD" from the disabled extensions of the X server',
      );
    }
    bursts = new BurstReader(control, data, this.#options.delay);
    const modifiers = new ModifierWatch(control, this.#options.nowMonoMs);
    return { control, data, record, bursts, modifiers, screens: new XScreens(control) };
  }

  /** Everything that must be known before the first event. */
  async #prepare({ control, modifiers, screens }: Parts, host: BackendHost): Promise<void> {
    const reread = new Refresh(() => this.#readScreens(screens, host));
    control.listen((bytes, offset) => {
      const type = eventType(bytes, offset);
      modifiers.take(type, bytes, offset);
      const changed = screens.changeOf(type, bytes, offset);
      if (changed === null) return;
      this.#changedMs = this.#changeMs(changed);
      reread.request();
    });
    // When no client at all wants motion, RECORD holds back the first events after silence: so we want it, as a hint,
    // which the server sends once and not again until we ask where the pointer is.
    const mask = EVENT_MASK.pointerMotion | EVENT_MASK.pointerMotionHint;
    selectEvents(control, control.setup.rootWindow, mask);
    await screens.watch();
    this.#known = await screens.read();
    const pointer = await queryPointer(control);
    if (!(await modifiers.start()) || pointer === null) throw displayGone();
    host.sink.place(pointer.x, pointer.y);
  }

  async #enable({ record, bursts, modifiers }: Parts): Promise<void> {
    const started = Promise.withResolvers<boolean>();
    record.enable({
      started: (serverTime) => {
        this.#clock.calibrate(serverTime, this.#options.nowMonoMs());
        started.resolve(true);
      },
      event: (bytes, offset) => {
        bursts.onEvents();
        this.#onEvent(modifiers, bytes, offset);
      },
      ended: () => {
        started.resolve(false);
        this.#ended.resolve(undefined);
      },
    });
    const answer = await withinTime(started.promise, ANSWER_TIMEOUT_MS, this.#options.delay);
    if (answer === true) return;
    throw new BackendFailure(
      'record-refused',
      'The X server does not record input for us.',
      'it is tried again by itself',
    );
  }

  /** One core event (X protocol, section 11): `u8 type | u8 detail | u16 | u32 time`, at 20 root x and y, at 28 state. */
  #onEvent(modifiers: ModifierWatch, bytes: Buffer, offset: number): void {
    const sink = this.#host?.sink;
    if (sink === undefined) return;
    this.#readMs ??= this.#options.nowMonoMs();
    const tMs = this.#clock.toMonoMs(bytes.readUInt32LE(offset + 4), this.#readMs);
    const type = eventType(bytes, offset);
    const detail = bytes[offset + 1] ?? 0;
    const x = bytes.readInt16LE(offset + 20);
    const y = bytes.readInt16LE(offset + 22);
    if (type === X_EVENT.motionNotify) sink.move(tMs, x, y);
    else if (type === X_EVENT.buttonPress || type === X_EVENT.buttonRelease) {
      const isDown = type === X_EVENT.buttonPress;
      const notch = WHEEL[detail - WHEEL_FIRST];
      if (notch === undefined) sink.button(tMs, isDown, buttonOf(detail), x, y);
      else if (isDown) sink.wheel(tMs, x, y, notch.dx, notch.dy);
    } else if (type === X_EVENT.keyPress || type === X_EVENT.keyRelease) {
      const isDown = type === X_EVENT.keyPress;
      const mods = modifiers.modsOf(this.#readMs, detail, bytes.readUInt16LE(offset + 28), isDown);
      // A held key shows by its presses without a release between them.
      sink.key(tMs, isDown, detail, evdevKeyId(detail - KEYCODE_OFFSET), mods, false);
    }
  }

  async #readScreens(screens: XScreens, host: BackendHost): Promise<void> {
    const found = await screens.read();
    if (this.#parts === null || JSON.stringify(found) === JSON.stringify(this.#known)) return;
    this.#known = found;
    host.screens(this.#changedMs, found);
  }

  #changeMs(stamp: number): number {
    const nowMs = this.#options.nowMonoMs();
    const stampMs = this.#clock.toMonoMs(stamp, nowMs);
    return stampMs <= nowMs && nowMs - stampMs < FRESH_CHANGE_MS ? stampMs : Math.floor(nowMs);
  }
}

const DISPLAY_GONE = {
  code: 'display-gone',
  text: 'The X server went away.',
  hint: 'nothing to do: capture resumes by itself when it is back',
};

function displayGone(): BackendFailure {
  return new BackendFailure(DISPLAY_GONE.code, DISPLAY_GONE.text, DISPLAY_GONE.hint);
}

function buttonOf(detail: number): number {
  return detail < BUTTONS.length ? (BUTTONS[detail] ?? 0) : detail - BUTTONS.length + UNNUMBERED_BUTTON;
}
