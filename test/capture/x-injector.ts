import { openDisplay } from '../../src/capture/child/x11/open-display.ts';
import type { XConnection } from '../../src/capture/child/x11/x-connection.ts';
import { EVENT_MASK, queryPointer, X_EVENT } from '../../src/capture/child/x11/x-core.ts';
import { pair, xRequest } from '../../src/capture/child/x11/x-request.ts';
import { delayNode } from '../../src/capture/delay-node.ts';

/** `XTestFakeInput` (XTEST extension protocol 2.2). */
const FAKE_INPUT = 2;
const CREATE_WINDOW = 1;
const MAP_WINDOW = 8;
/** `CWOverrideRedirect` and `CWEventMask`: no window manager has a say. */
const WINDOW_ATTRIBUTES = (1 << 9) | (1 << 11);

/** Makes input on an X display as a device would, through the XTEST extension. */
export class XInjector {
  readonly #x: XConnection;
  readonly #opcode: number;

  /** Use {@link openInjector}. */
  constructor(x: XConnection, opcode: number) {
    this.#x = x;
    this.#opcode = opcode;
  }

  move(x: number, y: number): void {
    this.#fake(X_EVENT.motionNotify, 0, x, y);
  }

  button(isDown: boolean, button: number): void {
    this.#fake(isDown ? X_EVENT.buttonPress : X_EVENT.buttonRelease, button);
  }

  key(isDown: boolean, keycode: number): void {
    this.#fake(isDown ? X_EVENT.keyPress : X_EVENT.keyRelease, keycode);
  }

  /** Resolves when the server has done all of it. */
  async done(): Promise<void> {
    await queryPointer(this.#x);
  }

  /** Maps a window over the whole screen that wants motion, as an application's does. */
  async mapWindow(): Promise<void> {
    const { rootWindow, screen } = this.#x.setup;
    const id = this.#x.newId();
    const inputOnly = 2;
    const body = [
      ...[id, rootWindow, pair(0, 0), pair(screen.width, screen.height), pair(0, inputOnly), 0],
      ...[WINDOW_ATTRIBUTES, 1, EVENT_MASK.pointerMotion],
    ];
    this.#x.send(xRequest(CREATE_WINDOW, 0, body));
    this.#x.send(xRequest(MAP_WINDOW, 0, [id]));
    await this.done();
  }

  close(): void {
    this.#x.close();
  }

  #fake(type: number, detail: number, x = 0, y = 0): void {
    const { rootWindow } = this.#x.setup;
    const words = [type | (detail << 8), 0, rootWindow, 0, 0, pair(x, y), 0, 0];
    this.#x.send(xRequest(this.#opcode, FAKE_INPUT, words));
  }
}

/** Opens a display for injection. */
export async function openInjector(display: string): Promise<XInjector> {
  const options = {
    env: { ...process.env, DISPLAY: display },
    hostname: '',
    uid: process.getuid?.() ?? 0,
    delay: delayNode,
  };
  const x = await openDisplay(options, new AbortController().signal);
  const extension = await x.extension('XTEST');
  if (extension === null) throw new Error('this X server has no XTEST extension');
  return new XInjector(x, extension.majorOpcode);
}
