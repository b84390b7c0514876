import { evdevKeyId } from '../evdev-keys.ts';
import { ABS, BTN, EV, PROP_DIRECT, REL } from './input-event.ts';

/** A set of codes, as the kernel's bitmaps are. */
export interface Codes {
  has(code: number): boolean;
  codes(): number[];
}

/** What can be asked of an open device; `null` is no answer. The kernel's answers or a test's. */
export interface DeviceQuestions {
  /** Has events stamped with the monotonic clock. */
  useMonotonicClock(): boolean;
  properties(): Codes | null;
  capabilities(type: number): Codes | null;
  keysDown(): Codes | null;
  axis(
    code: number,
  ): { readonly minimum: number; readonly maximum: number; readonly resolution: number } | null;
}

/** Steps of a pointer for one unit of an axis. */
export interface Scale {
  readonly x: number;
  readonly y: number;
}

/** What a device is to us. */
export interface DeviceKind {
  readonly hasKeys: boolean;
  /** Positions that are turned into motion: `touchpad` while one finger lies on it, `absolute` always. */
  readonly pointer: 'mouse' | 'touchpad' | 'absolute' | 'none';
  readonly scale: Scale;
  /** Wheels that count in 120ths of a notch. */
  readonly hasFineWheel: boolean;
  readonly hasFineHorizontalWheel: boolean;
}

/** A mouse of 1000 steps an inch: what a millimetre on a touchpad is made comparable to. */
const STEPS_PER_MM = 40;
/** Where a touchpad does not say its size: as libinput assumes (touchpads are 69 by 50 mm). */
const PAD_MM = { x: 69, y: 50 } as const;
/** The pointer of a virtual machine goes over a whole screen of unknown size; this is a common one. */
const SCREEN_STEPS = { x: 1920, y: 1080 } as const;

/** What is captured of a device; `null` when nothing is: pens and touch screens (their motion means places), joysticks, sensors. */
export function kindOf(device: DeviceQuestions): DeviceKind | null {
  const keys = device.capabilities(EV.key);
  const steps = device.capabilities(EV.rel);
  const positions = device.capabilities(EV.abs);
  const hasKeys = keys?.codes().some((code) => evdevKeyId(code) !== 0) ?? false;
  const hasButtons = keys?.has(BTN.mouse) ?? false;
  const isMouse = steps !== null && (steps.has(REL.x) || steps.has(REL.wheel) || steps.has(REL.hwheel));
  const isDirect = (device.properties()?.has(PROP_DIRECT) ?? false) || (keys?.has(BTN.toolPen) ?? false);
  const hasPositions = positions !== null && positions.has(ABS.x) && positions.has(ABS.y) && !isDirect;
  const isPad = hasPositions && (keys?.has(BTN.toolFinger) ?? false);
  const pointer = isPad ? 'touchpad' : isMouse ? 'mouse' : hasPositions && hasButtons ? 'absolute' : 'none';
  if (!hasKeys && pointer === 'none') return null;
  return {
    hasKeys,
    pointer,
    scale:
      pointer === 'touchpad' ? padScale(device) : pointer === 'absolute' ? screenScale(device) : NO_SCALE,
    hasFineWheel: steps?.has(REL.wheelHiRes) ?? false,
    hasFineHorizontalWheel: steps?.has(REL.hwheelHiRes) ?? false,
  };
}

const NO_SCALE = { x: 1, y: 1 };

function padScale(device: DeviceQuestions): Scale {
  const of = (code: number, mm: number): number => {
    const axis = device.axis(code);
    if (axis === null) return 1;
    return axis.resolution > 0 ? STEPS_PER_MM / axis.resolution : (STEPS_PER_MM * mm) / span(axis);
  };
  return { x: of(ABS.x, PAD_MM.x), y: of(ABS.y, PAD_MM.y) };
}

function screenScale(device: DeviceQuestions): Scale {
  const of = (code: number, pixels: number): number => {
    const axis = device.axis(code);
    return axis === null ? 1 : pixels / span(axis);
  };
  return { x: of(ABS.x, SCREEN_STEPS.x), y: of(ABS.y, SCREEN_STEPS.y) };
}

function span({ minimum, maximum }: { readonly minimum: number; readonly maximum: number }): number {
  return Math.max(1, maximum - minimum);
}
