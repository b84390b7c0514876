import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { InputSink } from '../../src/capture/child/backend.ts';
import { DEFAULT_SEAT, DeviceFolder } from '../../src/capture/child/evdev/device-folder.ts';
import type { Codes, DeviceQuestions } from '../../src/capture/child/evdev/device-kind.ts';
import { EvdevBackend } from '../../src/capture/child/evdev/evdev-backend.ts';
import { ABS, BTN, EV, PROP_DIRECT, REL, SYN } from '../../src/capture/child/evdev/input-event.ts';
import { delayNode } from '../../src/capture/delay-node.ts';
import type { Reason } from '../../src/core/collection.ts';
import { keyCode } from '../../src/core/keys.ts';
import { until } from '../e2e/desk.ts';

/** One event: type, code, value. */
export type Raw = readonly [type: number, code: number, value: number];

export const REPORT: Raw = [EV.syn, SYN.report, 0];
export const DROPPED: Raw = [EV.syn, SYN.dropped, 0];
/** Linux key codes. */
export const KEY = { ctrl: 29, rightCtrl: 97, shift: 42, alt: 56, a: 30, c: 46, enter: 28, f1: 59 } as const;

/** Events of one instant as the kernel gives them: 24 bytes each, `struct input_event` on 64-bit machines. */
export function packed(tMs: number, ...events: readonly Raw[]): Buffer {
  const bytes = Buffer.alloc(24 * events.length);
  events.forEach(([type, code, value], i) => {
    bytes.writeBigInt64LE(BigInt(Math.floor(tMs / 1000)), 24 * i);
    bytes.writeBigInt64LE(BigInt(Math.floor((tMs % 1000) * 1000)), 24 * i + 8);
    bytes.writeUInt16LE(type, 24 * i + 16);
    bytes.writeUInt16LE(code, 24 * i + 18);
    bytes.writeInt32LE(value, 24 * i + 20);
  });
  return bytes;
}

/** What a device says of itself; `held` is what `EVIOCGKEY` answers and may be changed. */
export interface Described {
  readonly keys?: readonly number[];
  readonly steps?: readonly number[];
  readonly positions?: readonly number[];
  readonly isDirect?: boolean;
  readonly resolution?: number;
  readonly hasClock?: boolean;
  held?: readonly number[] | null;
}

export const MOUSE: Described = { keys: [BTN.mouse, BTN.mouse + 1], steps: [REL.x, REL.y, REL.wheel] };
export const FINE_MOUSE: Described = {
  keys: [BTN.mouse],
  steps: [REL.x, REL.y, REL.wheel, REL.wheelHiRes, REL.hwheel, REL.hwheelHiRes],
};
export const PAD: Described = {
  keys: [BTN.mouse, BTN.touch, BTN.toolFinger, BTN.toolDoubleTap],
  positions: [ABS.x, ABS.y],
  resolution: 20,
};
export const SCREEN: Described = { ...PAD, keys: [BTN.touch], isDirect: true };
export const keyboard = (held: readonly number[] = []): Described => ({
  keys: Array.from({ length: 120 }, (_, i) => i + 1),
  held,
});

class CodeSet implements Codes {
  readonly #codes: ReadonlySet<number>;
  constructor(codes: readonly number[]) {
    this.#codes = new Set(codes);
  }
  has(code: number): boolean {
    return this.#codes.has(code);
  }
  codes(): number[] {
    return [...this.#codes];
  }
}

/** The kernel's answers, from a description. */
export function answers(device: Described): DeviceQuestions {
  const of = { [EV.key]: device.keys, [EV.rel]: device.steps, [EV.abs]: device.positions };
  return {
    useMonotonicClock: () => device.hasClock ?? true,
    properties: () => new CodeSet(device.isDirect === true ? [PROP_DIRECT] : []),
    capabilities: (type) => new CodeSet(of[type as keyof typeof of] ?? []),
    keysDown: () => (device.held === null ? null : new CodeSet(device.held ?? [])),
    axis: () => ({ minimum: 0, maximum: 1000, resolution: device.resolution ?? 0 }),
  };
}

/** A sink that writes down what it gets, one line each. */
class Notebook implements InputSink {
  readonly lines: string[] = [];
  readonly times: number[] = [];
  place(): void {
    throw new Error('evdev knows no place');
  }
  move(tMs: number, x: number, y: number): void {
    this.#note(tMs, `move ${x},${y}`);
  }
  button(tMs: number, isDown: boolean, button: number, x: number, y: number): void {
    this.#note(tMs, `button ${button} ${isDown ? 'down' : 'up'} ${x},${y}`);
  }
  wheel(tMs: number, _x: number, _y: number, dx: number, dy: number): void {
    this.#note(tMs, `wheel ${dx},${dy}`);
  }
  key(tMs: number, isDown: boolean, _code: number, id: number, mods: number, isRepeat: boolean): void {
    this.#note(
      tMs,
      `${keyCode(id) ?? id} ${isRepeat ? 'repeat' : isDown ? 'down' : 'up'}${mods > 0 ? ` mods=${mods}` : ''}`,
    );
  }
  buttonGone(tMs: number, button: number): void {
    this.#note(tMs, `button ${button} gone`);
  }
  keyGone(tMs: number, _code: number, id: number): void {
    this.#note(tMs, `${keyCode(id) ?? id} gone`);
  }
  lost(): void {
    this.lines.push('lost');
  }
  #note(tMs: number, line: string): void {
    this.times.push(tMs);
    this.lines.push(line);
  }
}

/** A folder of devices, which are FIFOs that carry what the kernel would give, and a back end that reads it. */
export class DeviceDesk {
  readonly root = mkdtempSync(path.join(tmpdir(), 'evdev-'));
  readonly notebook = new Notebook();
  failure: Reason | null = null;
  readonly #described = new Map<string, Described>();
  readonly #writers = new Map<string, number>();
  readonly backend: EvdevBackend;

  constructor() {
    mkdirSync(path.join(this.root, 'input'));
    const folder = new DeviceFolder({
      deviceDir: path.join(this.root, 'input'),
      udevDir: this.root,
      seat: DEFAULT_SEAT,
    });
    this.backend = new EvdevBackend({
      folder,
      ask: (_, name) => answers(this.#described.get(name) ?? {}),
      nowMonoMs,
      delay: delayNode,
      why: 'a test asks for it',
    });
    onTestFinished(async () => {
      await this.backend.stop();
      for (const name of [...this.#writers.keys()]) this.unplug(name);
      rmSync(this.root, { recursive: true, force: true });
    });
  }

  async start(): Promise<this> {
    await this.backend.start({
      sink: this.notebook,
      fail: (reason) => (this.failure = reason),
      screens: () => undefined,
      end: () => undefined,
      room: () => Promise.resolve(),
    });
    return this;
  }

  /** A device appears under a name; with its other end open, as a device always is. */
  plug(name: string, device: Described): this {
    const made = path.join(this.root, name);
    execFileSync('mkfifo', [made]);
    this.#described.set(name, device);
    this.#writers.set(name, openSync(made, constants.O_RDWR | constants.O_NONBLOCK));
    renameSync(made, this.path(name));
    return this;
  }

  unplug(name: string): void {
    const writer = this.#writers.get(name);
    if (writer !== undefined) closeSync(writer);
    this.#writers.delete(name);
    rmSync(this.path(name), { force: true });
  }

  path(name: string): string {
    return path.join(this.root, 'input', name);
  }

  write(name: string, ...chunks: readonly Uint8Array[]): void {
    const writer = this.#writers.get(name);
    if (writer === undefined) throw new Error(`${name} is not there`);
    for (const chunk of chunks) writeSync(writer, chunk);
  }

  /** Writes more than a FIFO holds, as it is read. */
  async flood(name: string, bytes: Uint8Array): Promise<void> {
    const writer = this.#writers.get(name) ?? -1;
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(writer, bytes.subarray(at, at + 4096));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
        await sleep(1);
      }
    }
  }

  /** Writes one packet of now. */
  send(name: string, ...events: readonly Raw[]): void {
    this.write(name, packed(nowMonoMs(), ...events, REPORT));
  }

  async sees(...lines: readonly string[]): Promise<void> {
    await until(lines.join('; '), () => lines.every((line) => this.notebook.lines.includes(line))).catch(
      () => {
        throw new Error(
          `waited in vain for ${lines.join('; ')}; got ${this.notebook.lines.slice(-20).join('; ')}`,
        );
      },
    );
  }
}

export function nowMonoMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
