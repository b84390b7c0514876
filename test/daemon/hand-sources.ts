import type { Network, Power, Source } from '../../src/core/conditions.ts';

/** A source of facts that says what it was told to. */
export class HandSource<Fact> implements Source<Fact> {
  #fact: Fact;
  #next: Fact;
  #changed: () => void = () => undefined;
  /** How often it was read anew. */
  refreshes = 0;
  isRunning = false;

  constructor(fact: Fact) {
    this.#fact = fact;
    this.#next = fact;
  }

  current(): Fact {
    return this.#fact;
  }

  start(changed: () => void): Promise<void> {
    this.#changed = changed;
    this.isRunning = true;
    return Promise.resolve();
  }

  refresh(): void {
    this.refreshes++;
    if (this.#fact !== this.#next) this.become(this.#next);
  }

  stop(): Promise<void> {
    this.isRunning = false;
    return Promise.resolve();
  }

  /** The fact changes and the source notices by itself. */
  become(fact: Fact): void {
    this.#fact = fact;
    this.#next = fact;
    this.#changed();
  }

  /** The fact changes, and shows only when the source is read anew. */
  becomeQuietly(fact: Fact): void {
    this.#next = fact;
  }
}

export const AC: Power = { state: 'ac', isSaver: false };
export const BATTERY: Power = { state: 'battery', isSaver: false };
export const WIFI: Network = { kind: 'wifi', metered: 'no', ssid: null, isCaptivePortal: false };
