import type { InputSink } from '../backend.ts';
import { evdevKeyId } from '../evdev-keys.ts';
import type { Codes, DeviceKind } from './device-kind.ts';
import { ABS, BTN, EV, KEY_REPEAT, KEY_UP, REL, SYN } from './input-event.ts';
import type { Seat } from './seat.ts';

/** Codes of all devices together: each has a range of its own, larger than `KEY_MAX`. */
const CODES_PER_DEVICE = 1024;
/** No packet is longer: a stream without ends of packets is none of a device. */
const MAX_PRESSES = 2 * 1024;
/** A notch in the unit of fine wheels (`REL_WHEEL_HI_RES`). */
const FINE_NOTCH = 120;

/** From one device's events to what happened: motion and wheel by packet, keys and buttons in their order. */
export class Translator {
  readonly #number: number;
  readonly #kind: DeviceKind;
  readonly #seat: Seat;
  readonly #sink: InputSink;
  /** Keys and buttons whose press was handed on: of others no release and no repeat is. */
  readonly #down = new Set<number>();
  /** Key and button events of the packet, code and value in turns. */
  #presses: number[] = [];
  #dx = 0;
  #dy = 0;
  #wheelX = 0;
  #wheelY = 0;
  #fineX = 0;
  #fineY = 0;
  /** Where on a touchpad or screen it was and is; unknown at the start of each touch. */
  #last: { x: number; y: number } | null = null;
  readonly #at = { x: Number.NaN, y: Number.NaN };
  #restX = 0;
  #restY = 0;
  #isTouching = false;
  /** Codes of more than one finger that are set. */
  readonly #manyFingers = new Set<number>();

  constructor(number: number, kind: DeviceKind, seat: Seat, sink: InputSink) {
    this.#number = number;
    this.#kind = kind;
    this.#seat = seat;
    this.#sink = sink;
  }

  /** `false` when the kernel lost events before this one: ask {@link resync}, and leave out what was read with it. */
  take(tMs: number, type: number, code: number, value: number): boolean {
    if (type === EV.key && isTouchCode(code)) this.#touch(code, value !== KEY_UP);
    else if (type === EV.key) this.#presses.push(code, value);
    else if (type === EV.rel) this.#step(code, value);
    else if (type === EV.abs) this.#place(code, value);
    else if (type === EV.syn && code === SYN.report) this.#report(tMs);
    return !(type === EV.syn && code === SYN.dropped) && this.#presses.length < MAX_PRESSES;
  }

  /**
   * Events were lost: what is held is as the device says now. Releases that were lost are made up; presses that were
   * lost stay lost, since nobody can tell what was held with them.
   */
  resync(tMs: number, held: Codes | null): void {
    this.#presses = [];
    this.#dx = this.#dy = this.#wheelX = this.#wheelY = 0;
    this.#last = null;
    this.#seat.replace(this.#number, held);
    this.#letGo(tMs, (code) => held?.has(code) ?? false);
  }

  /** The device is gone, and with it every key that was held on it. */
  unplugged(tMs: number): void {
    this.#seat.forget(this.#number);
    this.#letGo(tMs, () => false);
  }

  #letGo(tMs: number, isStillHeld: (code: number) => boolean): void {
    for (const code of this.#down) {
      if (isStillHeld(code)) continue;
      this.#down.delete(code);
      if (isMouseButton(code)) this.#sink.buttonGone(tMs, buttonOf(code), this.#seat.x, this.#seat.y);
      else this.#sink.keyGone(tMs, this.#codeOf(code), evdevKeyId(code), this.#seat.mods);
    }
  }

  #step(code: number, value: number): void {
    const { hasFineWheel, hasFineHorizontalWheel } = this.#kind;
    if (code === REL.x) this.#dx += value;
    else if (code === REL.y) this.#dy += value;
    // Rolling away from the person is positive to the kernel; ours is down. The kernel sends both units of one motion.
    else if (code === REL.wheel && !hasFineWheel) this.#wheelY -= value;
    else if (code === REL.hwheel && !hasFineHorizontalWheel) this.#wheelX += value;
    else if (code === REL.wheelHiRes) this.#fineY = roll(this.#fineY, -value);
    else if (code === REL.hwheelHiRes) this.#fineX = roll(this.#fineX, value);
  }

  #place(code: number, value: number): void {
    if (code === ABS.x) this.#at.x = value;
    else if (code === ABS.y) this.#at.y = value;
  }

  #report(tMs: number): void {
    this.#moveByPlace();
    const seat = this.#seat;
    const isMoved = this.#dx !== 0 || this.#dy !== 0;
    if (isMoved) {
      seat.move(this.#dx, this.#dy);
      this.#sink.move(tMs, seat.x, seat.y);
      this.#dx = this.#dy = 0;
    }
    this.#takeNotches();
    if (this.#wheelX !== 0 || this.#wheelY !== 0) {
      this.#sink.wheel(tMs, seat.x, seat.y, this.#wheelX, this.#wheelY);
      this.#wheelX = this.#wheelY = 0;
    }
    if (this.#presses.length === 0) return;
    const presses = this.#presses;
    this.#presses = [];
    for (let i = 0; i < presses.length; i += 2) this.#press(tMs, presses[i] ?? 0, presses[i + 1] ?? 0);
  }

  /** Whole notches of a fine wheel; the rest waits. */
  #takeNotches(): void {
    const notchesX = Math.trunc(this.#fineX / FINE_NOTCH);
    const notchesY = Math.trunc(this.#fineY / FINE_NOTCH);
    this.#fineX -= notchesX * FINE_NOTCH;
    this.#fineY -= notchesY * FINE_NOTCH;
    this.#wheelX += notchesX;
    this.#wheelY += notchesY;
  }

  #moveByPlace(): void {
    const { pointer, scale } = this.#kind;
    if (pointer !== 'touchpad' && pointer !== 'absolute') return;
    const isFollowed = pointer === 'absolute' || (this.#isTouching && this.#manyFingers.size === 0);
    const { x, y } = this.#at;
    if (!isFollowed || Number.isNaN(x) || Number.isNaN(y)) {
      this.#last = null;
      return;
    }
    if (this.#last !== null) {
      const stepX = (x - this.#last.x) * scale.x + this.#restX;
      const stepY = (y - this.#last.y) * scale.y + this.#restY;
      this.#dx += Math.trunc(stepX);
      this.#dy += Math.trunc(stepY);
      this.#restX = stepX - Math.trunc(stepX);
      this.#restY = stepY - Math.trunc(stepY);
    }
    this.#last = { x, y };
  }

  #press(tMs: number, code: number, value: number): void {
    const seat = this.#seat;
    const id = evdevKeyId(code);
    const isButton = isMouseButton(code);
    // Of a joystick, a lid or a pen nothing is taken.
    if (!isButton && !(this.#kind.hasKeys && (id !== 0 || code < BTN_MISC || code > BTN_LAST))) return;
    if (value === KEY_UP) {
      seat.key(this.#number, code, false);
      if (!this.#down.delete(code)) return;
    } else if (value === KEY_REPEAT) {
      if (!this.#down.has(code)) return;
    } else {
      seat.key(this.#number, code, true);
      this.#down.add(code);
    }
    if (!isButton) {
      this.#sink.key(tMs, value !== KEY_UP, this.#codeOf(code), id, seat.mods, value === KEY_REPEAT);
    } else if (value !== KEY_REPEAT) {
      this.#sink.button(tMs, value !== KEY_UP, buttonOf(code), seat.x, seat.y);
    }
  }

  #touch(code: number, isOn: boolean): void {
    if (code === BTN.touch) this.#isTouching = isOn;
    else if (code !== BTN.toolFinger && isOn) this.#manyFingers.add(code);
    else this.#manyFingers.delete(code);
    // With another number of fingers the place belongs to another finger.
    this.#last = null;
  }

  #codeOf(code: number): number {
    return this.#number * CODES_PER_DEVICE + code;
  }
}

/** `linux/input-event-codes.h`: buttons of all kinds lie from `BTN_MISC` to before `KEY_OK`; keys before and behind. */
const BTN_MISC = 0x100;
const BTN_LAST = 0x15f;

/** What of a notch was rolled is forgotten when the wheel turns back. */
function roll(rolled: number, by: number): number {
  return Math.sign(rolled) === -Math.sign(by) ? by : rolled + by;
}

function isMouseButton(code: number): boolean {
  return code >= BTN.mouse && code < BTN.mouseEnd;
}

function buttonOf(code: number): number {
  return code - BTN.mouse + 1;
}

function isTouchCode(code: number): boolean {
  return (
    code === BTN.touch ||
    code === BTN.toolFinger ||
    code === BTN.toolQuintTap ||
    (code >= BTN.toolDoubleTap && code <= BTN.toolQuadTap)
  );
}
