import type { XConnection } from './x-connection.ts';
import { eventType, X_EVENT } from './x-core.ts';

/** Modes of focus events (X.h): those of a grab say that the keyboard is taken, the others that it is not. */
const GRAB_MODES: readonly boolean[] = [false, true, false, true];
const DETAIL_INFERIOR = 2;
const UNMAP_NOTIFY = 18;
/** Set in an event that another client made. */
const SENT = 0x80;

/** Properties that tell what is in use, and those that hold a title. */
const PLACE = [
  '_NET_ACTIVE_WINDOW',
  '_NET_SUPPORTING_WM_CHECK',
  '_NET_SUPPORTED',
  'WM_CLASS',
  '_NET_WM_PID',
  'WM_CLIENT_MACHINE',
];
const TITLE = ['_NET_WM_NAME', 'WM_NAME'];

/** Tells events that may change what is in use from those that do not, and keeps what they say by themselves. */
export class FocusSignals {
  /** The keyboard is grabbed: it goes elsewhere than the focus. */
  isGrabbed = false;
  /** How many signs of a change came; to see whether one came during a look. */
  count = 0;
  /** The window that was found to be in use. */
  active = 0;
  readonly #place: ReadonlySet<number>;
  readonly #titles: ReadonlySet<number>;
  #isTitleOnly = true;
  #hasLeft = false;
  #firstStampMs: number | null = null;
  #lastStampMs = 0;

  /** Use {@link FocusSignals.of}. */
  constructor(place: readonly number[], titles: readonly number[]) {
    this.#place = new Set(place);
    this.#titles = new Set(titles);
  }

  static async of(x: XConnection): Promise<FocusSignals> {
    const atoms = (names: readonly string[]): Promise<number[]> =>
      Promise.all(names.map((name) => x.atom(name)));
    return new FocusSignals(await atoms(PLACE), await atoms(TITLE));
  }

  /** Nothing but titles has changed since {@link clear}. */
  get isTitleOnly(): boolean {
    return this.#isTitleOnly;
  }

  /** The keyboard has left the active window since {@link clear}, whether or not it came back. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** The server's time between the first and the last change of a property since {@link clear}. */
  get spanMs(): number {
    // Stamps are 32 bits and wrap.
    return this.#firstStampMs === null ? 0 : (this.#lastStampMs - this.#firstStampMs) >>> 0;
  }

  /** Something else says that all may have changed. */
  doubt(): void {
    this.count += 1;
    this.#isTitleOnly = false;
  }

  /** What came so far has been looked into. */
  clear(): void {
    this.#isTitleOnly = true;
    this.#hasLeft = false;
    this.#firstStampMs = null;
  }

  /** Takes an event; true when it may change what is in use. */
  take(bytes: Buffer, offset: number): boolean {
    // Other clients may send what they like.
    if (((bytes[offset] ?? 0) & SENT) !== 0 || !this.#isSign(bytes, offset)) return false;
    this.count += 1;
    return true;
  }

  #isSign(bytes: Buffer, offset: number): boolean {
    switch (eventType(bytes, offset)) {
      case X_EVENT.focusIn:
      case X_EVENT.focusOut:
        this.isGrabbed = GRAB_MODES[bytes[offset + 8] ?? 1] ?? true;
        this.#hasLeft ||= this.#isLeaving(bytes, offset);
        this.#isTitleOnly = false;
        return true;
      case X_EVENT.propertyNotify:
        return this.#isProperty(bytes.readUInt32LE(offset + 8), bytes.readUInt32LE(offset + 12));
      case X_EVENT.destroyNotify:
      case UNMAP_NOTIFY:
        this.#isTitleOnly = false;
        return true;
      default:
        return false;
    }
  }

  /** To a window within it is not away from it. */
  #isLeaving(bytes: Buffer, offset: number): boolean {
    return (
      eventType(bytes, offset) === X_EVENT.focusOut &&
      bytes.readUInt32LE(offset + 4) === this.active &&
      bytes[offset + 1] !== DETAIL_INFERIOR
    );
  }

  #isProperty(atom: number, stampMs: number): boolean {
    const isTitle = this.#titles.has(atom);
    if (!isTitle && !this.#place.has(atom)) return false;
    this.#isTitleOnly &&= isTitle;
    this.#firstStampMs ??= stampMs;
    this.#lastStampMs = stampMs;
    return true;
  }
}
