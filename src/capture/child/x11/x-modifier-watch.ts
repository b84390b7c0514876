import type { XConnection } from './x-connection.ts';
import { X_EVENT } from './x-core.ts';
import { readModifiers, type XModifiers } from './x-modifiers.ts';
import { Refresh } from './x-refresh.ts';

/**
 * For so long after a change of the mapping both the old and the new must call a key a chord: events of before it may
 * still be on their way (a burst lasts 250 ms at most), and those behind it may have come first.
 */
const UNCERTAIN_MS = 2000;
/** `MappingNotify` for the pointer's buttons, which says nothing of keys. */
const POINTER_MAPPING = 2;

/** The meaning of modifiers, kept true while layouts change. */
export class ModifierWatch {
  readonly #x: XConnection;
  readonly #nowMonoMs: () => number;
  readonly #refresh = new Refresh(() => this.#read());
  #current: XModifiers | null = null;
  /** What held before the last change and what holds now agree on this. */
  #careful: XModifiers | null = null;
  #carefulUntilMs = 0;

  constructor(x: XConnection, nowMonoMs: () => number) {
    this.#x = x;
    this.#nowMonoMs = nowMonoMs;
  }

  /** Reads the mapping for the first time; false when the server went. */
  async start(): Promise<boolean> {
    this.#current = await readModifiers(this.#x);
    return this.#current !== null;
  }

  /** Takes any event of the connection and looks whether it is a change of the mapping. */
  take(type: number, bytes: Buffer, offset: number): void {
    if (type === X_EVENT.mappingNotify && bytes[offset + 4] !== POINTER_MAPPING) this.#refresh.request();
  }

  /** {@link MOD} bits of a key event that is read now. */
  modsOf(nowMs: number, keycode: number, state: number, isDown: boolean): number {
    const modifiers = nowMs < this.#carefulUntilMs ? this.#careful : this.#current;
    return modifiers?.modsOf(keycode, state, isDown) ?? 0;
  }

  async #read(): Promise<void> {
    const read = await readModifiers(this.#x);
    if (read === null) return;
    const nowMs = this.#nowMonoMs();
    const before = nowMs < this.#carefulUntilMs ? this.#careful : this.#current;
    this.#careful = before === null ? read : before.meet(read);
    this.#carefulUntilMs = nowMs + UNCERTAIN_MS;
    this.#current = read;
  }
}
