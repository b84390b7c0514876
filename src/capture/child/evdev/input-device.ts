import type { InputSink } from '../backend.ts';
import { CharacterStream } from './character-stream.ts';
import type { DeviceKind, DeviceQuestions } from './device-kind.ts';
import { EV, EventReader, SYN } from './input-event.ts';
import type { Seat } from './seat.ts';
import { Translator } from './translator.ts';

/** A device that was silent so long may have been grabbed by another program meanwhile: what is held is asked anew. */
const SILENT_MS = 1000;
/** Stamps further in the past are no stamps of ours. The kernel's ring never holds so much. */
const OLDEST_MS = 10_000;
/** `time, type, code, value` */
const FIELDS = 4;

export interface InputDeviceOptions {
  /** Tells it from all others of this run. */
  readonly number: number;
  readonly fd: number;
  readonly kind: DeviceKind;
  readonly questions: DeviceQuestions;
  readonly seat: Seat;
  readonly sink: InputSink;
  readonly nowMonoMs: () => number;
  /** Something was read, or the device is gone. */
  readonly changed: () => void;
}

/** One open device: what was read of it waits here until all devices' events are put in order of time. */
export class InputDevice {
  isGone = false;
  readonly #options: InputDeviceOptions;
  readonly #translator: Translator;
  readonly #stream: CharacterStream;
  #waiting: number[] = [];
  #at = 0;
  #isLost = false;
  #lastMs = 0;

  constructor(options: InputDeviceOptions) {
    const { number, fd, kind, questions, seat, sink, changed } = options;
    this.#options = options;
    this.#translator = new Translator(number, kind, seat, sink);
    const reader = new EventReader((tMs, type, code, value) => {
      this.#waiting.push(tMs, type, code, value);
    });
    // Before the first event is read: what is held was pressed before capture began.
    seat.replace(number, questions.keysDown());
    this.#stream = new CharacterStream(fd, {
      onBytes: (bytes) => {
        reader.push(bytes);
        changed();
      },
      onGone: () => {
        this.isGone = true;
        changed();
      },
    });
  }

  /** Events that wait. */
  get waiting(): number {
    return this.#waiting.length / FIELDS;
  }

  /** Time of the next packet that waits; infinite when none does. */
  get nextMs(): number {
    return this.#at < this.#waiting.length ? this.#time(this.#field(0)) : Number.POSITIVE_INFINITY;
  }

  /** Asks what is held where that may have changed unseen; before the first packet of a burst. */
  verify(): void {
    const { seat, number, questions, nowMonoMs } = this.#options;
    const nowMs = nowMonoMs();
    const isStale = nowMs - this.#lastMs > SILENT_MS && seat.holds(number);
    this.#lastMs = nowMs;
    if (isStale) seat.retain(number, questions.keysDown());
  }

  /** Hands on the next packet. */
  takePacket(): void {
    while (this.#at < this.#waiting.length) {
      const [type, code] = [this.#field(1), this.#field(2)];
      const isWhole = this.#translator.take(this.#time(this.#field(0)), type, code, this.#field(3));
      this.#at += FIELDS;
      if (!isWhole) {
        // What follows is of an unknown state.
        this.#isLost = true;
        this.#at = this.#waiting.length;
      } else if (type === EV.syn && code === SYN.report) return;
    }
  }

  /** All that waited was handed on. */
  endBurst(): void {
    this.#waiting = [];
    this.#at = 0;
    if (!this.#isLost) return;
    this.#isLost = false;
    const { sink, questions, nowMonoMs } = this.#options;
    sink.lost();
    // The kernel drops what it still holds of keys when it is asked: what is read next is after the answer.
    this.#translator.resync(nowMonoMs(), questions.keysDown());
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Lets go of what is held on a device that is gone. */
  unplugged(): void {
    this.#translator.unplugged(this.#options.nowMonoMs());
  }

  close(): void {
    this.#stream.close();
  }

  #field(index: number): number {
    return this.#waiting[this.#at + index] ?? 0;
  }

  /** A stamp from the future, or of another clock, counts as now. */
  #time(tMs: number): number {
    const nowMs = this.#options.nowMonoMs();
    return tMs > nowMs || tMs < nowMs - OLDEST_MS ? nowMs : tMs;
  }
}
