import type { UiohookKeyboardEvent, UiohookMouseEvent, UiohookWheelEvent, uIOhook } from 'uiohook-napi';
import type { BackendInfo } from '../../core/capture.ts';
import type { Reason } from '../../core/collection.ts';
import { MOD } from '../../core/events.ts';
import type { ModifierKnowledge } from '../../core/masking.ts';
import type { Delay } from '../delay-node.ts';
import { BackendFailure, type BackendHost, type CaptureBackend, type InputSink } from './backend.ts';
import { HookClock } from './hook-clock.ts';
import { uiohookKeyId } from './uiohook-keys.ts';
import { connectDisplay, type XDisplay } from './x-display.ts';

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

export interface UiohookOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly hostname: string;
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
}

const DISPLAY_GONE: Reason = {
  code: 'display-gone',
  text: 'The X server went away.',
  hint: 'nothing to do: capture resumes by itself when it is back',
};

type HookEvent = UiohookKeyboardEvent | UiohookMouseEvent | UiohookWheelEvent;

/**
 * Input through libuiohook (XRecord on X11, an event tap on macOS).
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
  #display: XDisplay | null = null;
  #hook: typeof uIOhook | null = null;

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
    } catch (error) {
      this.#display?.close();
      throw error;
    }
    return { backend: 'uiohook', coordinates: 'absolute', screens: this.#display?.screens ?? [] };
  }

  poke(): void {
    void this.#display?.queryPointer();
  }

  setBurstMs(): void {
    // The hook hands over event by event.
  }

  async probe(): Promise<void> {
    if (this.#display === null || (await this.#display.queryPointer()) !== null) return;
    throw new BackendFailure(DISPLAY_GONE.code, DISPLAY_GONE.text, DISPLAY_GONE.hint);
  }

  async stop(): Promise<void> {
    const hook = this.#hook;
    this.#hook = null;
    if (hook === null) return;
    const isAlive = this.#display === null || (await this.#display.queryPointer()) !== null;
    await new Promise<void>((resolve) => this.#options.delay(CROSSING_MS, resolve));
    // Without a server the hook's stop() would call exit(1) before the last batch is out.
    if (isAlive) hook.stop();
    this.#display?.close();
  }

  async #watchDisplay(host: BackendHost, signal: AbortSignal): Promise<void> {
    const display = await connectDisplay(this.#options, signal);
    this.#display = display;
    display.watch(() => host.fail(DISPLAY_GONE));
    const pointer = await display.queryPointer();
    if (pointer !== null) host.sink.place(pointer.x, pointer.y);
  }

  /** An exception that left this listener would abort the process. */
  #onInput(host: BackendHost, event: HookEvent): void {
    try {
      this.#forward(host.sink, event, this.#clock.toMonoMs(event.time, this.#options.nowMonoMs()));
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
    if (code === 'UIOHOOK_ERROR_AXAPI_DISABLED') {
      throw new BackendFailure(
        'no-permission',
        'macOS does not let telemetryd see input yet.',
        'allow it in System Settings, Privacy & Security, Accessibility and Input Monitoring',
        cause,
      );
    }
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
