import type { UiohookKeyboardEvent, UiohookMouseEvent, UiohookWheelEvent, uIOhook } from 'uiohook-napi';
import type { BackendInfo } from '../../core/capture.ts';
import { MOD } from '../../core/events.ts';
import type { ModifierKnowledge } from '../../core/masking.ts';
import type { MacosInput } from '../../posix/macos-input.ts';
import type { Delay } from '../delay-node.ts';
import {
  BackendFailure,
  type BackendHost,
  type CaptureBackend,
  type InputSink,
  probeFailed,
} from './backend.ts';
import { HookClock } from './hook-clock.ts';
import { notPermitted, tapProblem } from './macos-tap.ts';
import { withinTime } from './time-limit.ts';
import { uiohookKeyId } from './uiohook-keys.ts';
import { openDisplay } from './x11/open-display.ts';
import type { XConnection } from './x11/x-connection.ts';
import { queryPointer } from './x11/x-core.ts';

/** `event_type` of `uiohook.h`; a click (6) only repeats a press and its release. */
const TYPE = {
  keyPressed: 4,
  keyReleased: 5,
  mousePressed: 7,
  mouseReleased: 8,
  mouseMoved: 9,
  wheel: 11,
} as const;
const WHEEL_HORIZONTAL = 4;
/** Buttons the hook has no number for come as 0; `BUTTON` leaves 6 and above to the device. */
const UNNUMBERED_BUTTON = 6;

/**
 * From the server's flush to our listener events cross two threads, and the hook's `stop()` throws away what is still on
 * that way. A margin, not a measurement: at most 31 events (RECORD's buffer) at 45 µs each are about 1.5 ms. Eight stops
 * right after a click under Xvfb lost nothing and took 51 to 83 ms, once 219.
 */
const CROSSING_MS = 30;

/** A server that answers nothing for this long is hung; a busy one answers in milliseconds. */
const ANSWER_TIMEOUT_MS = 5000;

export interface UiohookOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly hostname: string;
  readonly uid: number;
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
  /** `null` where there is no such thing, or it cannot be had. */
  readonly macosInput: MacosInput | null;
  /** Why this back end, for the person. */
  readonly why: string;
}

type HookEvent = UiohookKeyboardEvent | UiohookMouseEvent | UiohookWheelEvent;

/**
 * Input through libuiohook (XRecord on X11, an event tap on macOS).
 *
 * On X11 a connection of our own stands beside the hook's. It asks before the hook is loaded whether there is a display
 * (the hook crashes without one), notices at once when the server goes (the hook calls `exit(1)` then, without a word),
 * and can make the server hand over what RECORD holds back.
 *
 * Limits of the hook: modifiers are its own count of Ctrl, Alt, Shift and Meta by their usual places, so a layout that
 * types text with Ctrl or Meta held (`lv3:win_switch`) is not seen through; with several monitors of which the first
 * is not at the origin, positions count from that monitor.
 */
export class UiohookBackend implements CaptureBackend {
  /** The hook has one flag for both Alt keys, and AltGr and Option type text. */
  readonly knows: ModifierKnowledge = { isAltCertain: false };
  readonly #options: UiohookOptions;
  readonly #clock: HookClock;
  #display: XConnection | null = null;
  #hook: typeof uIOhook | null = null;
  #heardMs = 0;

  constructor(options: UiohookOptions) {
    this.#options = options;
    this.#clock = new HookClock(options.platform);
  }

  async start(host: BackendHost, signal: AbortSignal): Promise<BackendInfo> {
    if (this.#options.platform !== 'darwin') await this.#watchDisplay(host, signal);
    try {
      // Not before the display is known to be there: the library opens it while it loads and crashes without.
      const hook = await loadHook();
      if (signal.aborted) throw new BackendFailure('stopped', 'Capture was stopped while it started.', '');
      hook.on('input', (event) => this.#onInput(host, event));
      startHook(hook);
      this.#hook = hook;
      this.#heardMs = this.#options.nowMonoMs();
    } catch (error) {
      this.#display?.close();
      throw error;
    }
    return {
      backend: 'uiohook',
      coordinates: 'absolute',
      screens: this.#display === null ? [] : [this.#display.setup.screen],
      why: this.#options.why,
    };
  }

  /**
   * With its answer the server flushes all clients, and RECORD's buffer (31 events) with them. Without that, events wait
   * there until any client is sent anything: on a bare Xvfb for as long as it takes (seen: 360 ms of auto-repeats
   * arriving in one burst, stamps intact).
   */
  poke(): void {
    if (this.#display !== null) void queryPointer(this.#display);
  }

  setBurstMs(): void {
    // The hook calls for each event.
  }

  async probe(): Promise<void> {
    if (this.#hook === null) throw probeFailed('Capture has not started.');
    if (this.#display === null) {
      const { macosInput, nowMonoMs } = this.#options;
      const problem = macosInput === null ? null : tapProblem(macosInput, nowMonoMs() - this.#heardMs);
      if (problem !== null) throw problem;
      return;
    }
    const answer = await withinTime(queryPointer(this.#display), ANSWER_TIMEOUT_MS, this.#options.delay);
    if (answer === 'late' || answer === null) throw probeFailed('The X server does not answer.');
  }

  async stop(): Promise<void> {
    const hook = this.#hook;
    this.#hook = null;
    if (hook === null) return;
    const isAlive = this.#display === null || (await queryPointer(this.#display)) !== null;
    await new Promise<void>((resolve) => this.#options.delay(CROSSING_MS, resolve));
    // Without a server the hook's stop() would call exit(1) before the last batch is out.
    if (isAlive) hook.stop();
    this.#display?.close();
  }

  async #watchDisplay(host: BackendHost, signal: AbortSignal): Promise<void> {
    const display = await openDisplay(this.#options, signal);
    this.#display = display;
    display.onGone = () =>
      host.fail({
        code: 'display-gone',
        text: 'The X server went away.',
        hint: 'nothing to do: capture resumes by itself when it is back',
      });
    const pointer = await queryPointer(display);
    if (pointer !== null) host.sink.place(pointer.x, pointer.y);
  }

  /** An exception that left this listener would abort the process. */
  #onInput(host: BackendHost, event: HookEvent): void {
    try {
      this.#heardMs = this.#options.nowMonoMs();
      this.#forward(host.sink, event, this.#clock.toMonoMs(event.time, this.#heardMs));
    } catch {
      host.fail({ code: 'hook-failed', text: 'An event of the input hook could not be handled.', hint: '' });
    }
  }

  #forward(sink: InputSink, event: HookEvent, tMs: number): void {
    const type: number = event.type;
    if ('keycode' in event) {
      const id = uiohookKeyId(event.keycode, this.#options.platform);
      sink.key(tMs, type === TYPE.keyPressed, event.keycode, id, modsOf(event), false);
    } else if ('rotation' in event) {
      const direction: number = event.direction;
      const isHorizontal = direction === WHEEL_HORIZONTAL;
      const { x, y, rotation } = event;
      sink.wheel(tMs, x, y, isHorizontal ? rotation : 0, isHorizontal ? 0 : rotation);
    } else if (type === TYPE.mouseMoved) {
      sink.move(tMs, event.x, event.y);
    } else if (type === TYPE.mousePressed || type === TYPE.mouseReleased) {
      const button = Number(event.button) || UNNUMBERED_BUTTON;
      sink.button(tMs, type === TYPE.mousePressed, button, event.x, event.y);
    }
  }
}

function modsOf(event: UiohookKeyboardEvent): number {
  return (
    (event.shiftKey ? MOD.shift : 0) |
    (event.ctrlKey ? MOD.ctrl : 0) |
    (event.altKey ? MOD.alt : 0) |
    (event.metaKey ? MOD.meta : 0)
  );
}

/** Debian and Ubuntu packages of what the Linux binary links (`ldd`), which bring the rest with them. */
const LIBRARIES = 'libx11-6 libxrandr2 libxtst6 libxt6';

async function loadHook(): Promise<typeof uIOhook> {
  try {
    return (await import('uiohook-napi')).uIOhook;
  } catch (cause) {
    const library = /(lib[\w.+-]+\.so[\w.]*): cannot open shared object/.exec(String(cause))?.[1];
    if (library !== undefined) {
      throw new BackendFailure(
        'native-library-missing',
        `The input hook needs ${library}, which is not installed.`,
        `sudo apt-get install ${LIBRARIES}`,
        cause,
      );
    }
    throw new BackendFailure(
      'hook-not-loadable',
      'The input hook could not be loaded on this machine.',
      'run npm install again on this machine; on Linux it needs glibc and the packages ' + LIBRARIES,
      cause,
    );
  }
}

function startHook(hook: typeof uIOhook): void {
  try {
    hook.start();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'UIOHOOK_ERROR_AXAPI_DISABLED') throw notPermitted(cause);
    if (code === 'UIOHOOK_ERROR_X_RECORD_NOT_FOUND') {
      throw new BackendFailure(
        'no-record-extension',
        'The X server lacks the RECORD extension.',
        'enable it',
        cause,
      );
    }
    throw new BackendFailure(
      'hook-not-startable',
      `The input hook did not start (${code || 'no code'}).`,
      '',
      cause,
    );
  }
}
