import type { Random } from '../src/core/clock.ts';
import { BUTTON, type EventColumns, KIND } from '../src/core/events.ts';
import { MASKED_TIME_QUANTUM_MS } from '../src/core/masking.ts';
import { columnsFrom, type EventRow } from './format-encoding.ts';

/** What a mouse tells of the hand on it. */
export interface Device {
  /** From one report of the mouse to the next, and how far a report may be off. */
  readonly periodMs: number;
  readonly jitterMs: number;
  /** How old a position may be when it is reported: sensor, bus and clock tick are not in step. */
  readonly lagMs: number;
  /** The device also reports while the pixel stays the same (finer sensors on macOS). */
  readonly isReportingStillness: boolean;
}

const SCREEN = { width: 1920, height: 1080 };

/** A hand on a mouse: where it is between pixels, and what the mouse said of it. */
export class Hand {
  nowMs = 0;
  readonly #device: Device;
  readonly #random: Random;
  readonly #events: EventRow[] = [];
  #x = SCREEN.width / 2;
  #y = SCREEN.height / 2;
  #shownX = SCREEN.width / 2;
  #shownY = SCREEN.height / 2;
  #report = 0;
  /** Noise of the muscles, as strong as the movement is fast: it wanders rather than jumps. */
  #drift = { x: 0, y: 0 };

  constructor(device: Device, random: Random) {
    this.#device = device;
    this.#random = random;
  }

  /**
   * A reach as people make it: speed rises and falls smoothly (least jerk: Flash and Hogan, 1985), the path bends a
   * little, and a tremor of 8 to 12 Hz lies over it.
   */
  stroke(dx: number, dy: number, durationMs: number): void {
    const random = this.#random;
    const from = { x: this.#x, y: this.#y, ms: this.nowMs };
    const to = { x: bounce(from.x + dx, SCREEN.width), y: bounce(from.y + dy, SCREEN.height) };
    this.#drift = { x: 0, y: 0 };
    const bow = 0.12 * normal(random);
    const tremor = { hz: 8 + 4 * random(), px: 0.15 + 0.35 * random(), phase: 2 * Math.PI * random() };
    const endMs = from.ms + durationMs;
    while (this.#nextReportMs() <= endMs) {
      const ms = Math.max(this.#nextReportMs(), from.ms);
      this.#report++;
      const part = Math.max(0, ms - this.#device.lagMs * random() - from.ms) / durationMs;
      const way = part ** 3 * (10 + part * (6 * part - 15));
      const lift = 16 * part ** 2 * (1 - part) ** 2;
      const swing = tremor.px * Math.sqrt(lift);
      const angle = tremor.phase + (2 * Math.PI * tremor.hz * ms) / 1000;
      this.#wander(lift * 0.01 * Math.hypot(dx, dy));
      this.#x =
        from.x +
        (to.x - from.x) * way -
        (to.y - from.y) * bow * lift +
        swing * Math.cos(angle) +
        this.#drift.x;
      this.#y =
        from.y +
        (to.y - from.y) * way +
        (to.x - from.x) * bow * lift +
        swing * Math.sin(angle) +
        this.#drift.y;
      this.#show(ms);
    }
    this.nowMs = endMs;
  }

  wait(ms: number): void {
    this.nowMs += ms;
  }

  button(isDown: boolean): void {
    this.#put(this.nowMs, isDown ? KIND.down : KIND.up, BUTTON.left, 0);
  }

  wheel(notches: number): void {
    this.#put(this.nowMs, KIND.wheel, 0, notches);
  }

  /** A key of which only the class is kept: 100 ms time, and up when it is down. */
  maskedKey(): void {
    const ms = Math.floor(this.nowMs / MASKED_TIME_QUANTUM_MS) * MASKED_TIME_QUANTUM_MS;
    this.#put(ms, KIND.keydown, 0, 0);
    this.#put(ms, KIND.keyup, 0, 0);
  }

  /** What happened before `untilMs`, in the order of time. */
  columns(untilMs: number): EventColumns {
    const events = this.#events.filter(([t]) => t < untilMs).sort(([left], [right]) => left - right);
    return columnsFrom(events.length, (i) => events[i] ?? NOTHING);
  }

  #nextReportMs(): number {
    const { periodMs } = this.#device;
    this.#report = Math.max(this.#report, Math.ceil(this.nowMs / periodMs));
    return this.#report * periodMs;
  }

  #wander(deviationPx: number): void {
    const share = Math.exp(-this.#device.periodMs / 60);
    const fresh = Math.sqrt(1 - share ** 2) * deviationPx;
    this.#drift = {
      x: share * this.#drift.x + fresh * normal(this.#random),
      y: share * this.#drift.y + fresh * normal(this.#random),
    };
  }

  #show(ms: number): void {
    const x = Math.round(Math.min(Math.max(this.#x, 0), SCREEN.width - 1));
    const y = Math.round(Math.min(Math.max(this.#y, 0), SCREEN.height - 1));
    const isStill = x === this.#shownX && y === this.#shownY;
    if (isStill && !this.#device.isReportingStillness) return;
    this.#shownX = x;
    this.#shownY = y;
    this.#put(ms + this.#device.jitterMs * this.#random(), KIND.move, 0, 0);
  }

  #put(ms: number, kind: number, a: number, b: number): void {
    this.#events.push([Math.floor(ms), kind, this.#shownX, this.#shownY, a, b]);
  }
}

/** Keeps a target on the screen by turning the way back at its edge. */
function bounce(at: number, size: number): number {
  return Math.abs(at) > size ? 2 * size - Math.abs(at) : Math.abs(at);
}

/** Box and Muller's: mean 0, deviation 1. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const NOTHING: EventRow = [0, 0, 0, 0, 0, 0];
