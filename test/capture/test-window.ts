import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDisplay } from '../../src/capture/child/x11/open-display.ts';
import type { XConnection } from '../../src/capture/child/x11/x-connection.ts';
import { getInputFocus } from '../../src/capture/child/x11/x-core.ts';
import { pair, xRequest } from '../../src/capture/child/x11/x-request.ts';
import { delayNode } from '../../src/capture/delay-node.ts';

/** Opcodes of the X protocol, appendix B. */
const OPCODE = {
  createWindow: 1,
  destroyWindow: 4,
  mapWindow: 8,
  changeProperty: 18,
  grabKeyboard: 31,
  ungrabKeyboard: 32,
  setInputFocus: 42,
};
const INPUT_OUTPUT = 1;
const OVERRIDE_REDIRECT = 1 << 9;
const STRING = 31;

export interface TestWindowOptions {
  readonly title?: string;
  /** `null`: a window without `WM_CLASS`. */
  readonly wmClass?: string | null;
  /** No window manager has a say about it. */
  readonly isUnmanaged?: boolean;
  readonly size?: { readonly width: number; readonly height: number };
}

/** A client of a real X server whose windows do what a test says. */
export class TestClient {
  readonly x: XConnection;

  /** Use {@link TestClient.connect}. */
  constructor(x: XConnection) {
    this.x = x;
  }

  static async connect(display: string): Promise<TestClient> {
    const options = {
      env: { DISPLAY: display },
      hostname: hostname(),
      uid: process.getuid?.() ?? 0,
      delay: delayNode,
    };
    return new TestClient(await openDisplay(options, new AbortController().signal));
  }

  /** Makes and maps a window. Resolves when the server has done it, which a window manager may take up later. */
  async window(options: TestWindowOptions = {}): Promise<TestWindow> {
    const { title = 'A window', wmClass = 'editor', isUnmanaged = false } = options;
    const { width, height } = options.size ?? { width: 300, height: 200 };
    const id = this.x.newId();
    const { rootWindow } = this.x.setup;
    this.x.send(
      xRequest(OPCODE.createWindow, 0, [
        ...[id, rootWindow, pair(50, 50), pair(width, height), pair(0, INPUT_OUTPUT), 0],
        ...(isUnmanaged ? [OVERRIDE_REDIRECT, 1] : [0]),
      ]),
    );
    const window = new TestWindow(this.x, id);
    if (wmClass !== null) await window.setProperty('WM_CLASS', `${wmClass}\0${wmClass}\0`);
    await window.setTitle(title);
    this.x.send(xRequest(OPCODE.mapWindow, 0, [id]));
    await this.flushed();
    return window;
  }

  /** The keyboard to this client, whatever window has the focus. */
  async grabKeyboard(window = this.x.setup.rootWindow): Promise<void> {
    const reply = await this.x.ask(xRequest(OPCODE.grabKeyboard, 1, [window, 0, pair(0x0101, 0)]));
    if (reply?.[1] !== 0) throw new Error(`the keyboard could not be grabbed: ${reply?.[1] ?? 'no reply'}`);
  }

  async ungrabKeyboard(): Promise<void> {
    this.x.send(xRequest(OPCODE.ungrabKeyboard, 0, [0]));
    await this.flushed();
  }

  /** The window that has the keyboard. */
  async inputFocus(): Promise<number | null> {
    return await getInputFocus(this.x);
  }

  /** Resolves when the server has done all that was asked. */
  async flushed(): Promise<void> {
    await getInputFocus(this.x);
  }

  close(): void {
    this.x.close();
  }
}

/** A window of a {@link TestClient}. */
export class TestWindow {
  readonly id: number;
  readonly #x: XConnection;

  constructor(x: XConnection, id: number) {
    this.#x = x;
    this.id = id;
  }

  async setTitle(title: string): Promise<void> {
    await this.setProperty('WM_NAME', title);
    await this.setProperty('_NET_WM_NAME', title, 'UTF8_STRING');
  }

  async setProperty(name: string, value: string, type = 'STRING'): Promise<void> {
    const bytes = Buffer.from(value, type === 'STRING' ? 'latin1' : 'utf8');
    const typeAtom = type === 'STRING' ? STRING : await this.#x.atom(type);
    const property = await this.#x.atom(name);
    this.#x.send(xRequest(OPCODE.changeProperty, 0, [this.id, property, typeAtom, 8, bytes.length], bytes));
    await getInputFocus(this.#x);
  }

  /** The keyboard to this window, as programs take it that ask no window manager. */
  async takeFocus(): Promise<void> {
    this.#x.send(xRequest(OPCODE.setInputFocus, 1, [this.id, 0]));
    await getInputFocus(this.#x);
  }

  async destroy(): Promise<void> {
    this.#x.send(xRequest(OPCODE.destroyWindow, 0, [this.id]));
    await getInputFocus(this.#x);
  }
}

/**
 * Resolves when a window manager gives a new window the keyboard. One that just starts leaves those alone that it finds.
 */
export async function whenManaged(display: string): Promise<void> {
  const client = await TestClient.connect(display);
  try {
    for (let tries = 0; tries < 100; tries++) {
      const window = await client.window({ title: 'Is there a manager?' });
      for (let waits = 0; waits < 20; waits++) {
        if ((await client.inputFocus()) === window.id) return;
        await sleep(20);
      }
      await window.destroy();
    }
    throw new Error('no window manager came');
  } finally {
    client.close();
  }
}
