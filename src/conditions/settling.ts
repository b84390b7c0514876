import type { Delay } from './dbus/bus-connection.ts';

/** A change for the better counts when it has lasted this long: services say odd things while something changes. */
const SETTLED_MS = 1000;

/**
 * What is said of a fact that flickers: the worse at once, the better after a second without another change. In between
 * `closed` of the new fact is said.
 */
export class Settling<Fact extends object> {
  readonly #delay: Delay;
  readonly #changed: () => void;
  readonly #isClosed: (fact: Fact) => boolean;
  readonly #closed: Fact;
  #found: Fact;
  #shown: Fact;
  #cancel: () => void = () => undefined;

  /** `closed` is what is said at first and while a better fact has not settled. */
  constructor(closed: Fact, isClosed: (fact: Fact) => boolean, delay: Delay, changed: () => void) {
    this.#closed = closed;
    this.#isClosed = isClosed;
    this.#delay = delay;
    this.#changed = changed;
    this.#found = closed;
    this.#shown = closed;
  }

  get shown(): Fact {
    return this.#shown;
  }

  /** The fact is this now, as far as can be told. */
  found(fact: Fact): void {
    if (isSame(this.#found, fact)) return;
    this.#found = fact;
    this.#cancel();
    if (this.#isClosed(fact)) {
      this.#show(fact);
      return;
    }
    if (!this.#isClosed(this.#shown)) this.#show(this.#closed);
    this.#cancel = this.#delay(SETTLED_MS, () => this.#show(fact));
  }

  stop(): void {
    this.#cancel();
  }

  #show(fact: Fact): void {
    if (isSame(this.#shown, fact)) return;
    this.#shown = fact;
    this.#changed();
  }
}

/** Facts are flat objects of plain values. */
function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
