/** How many bodies are being received, and no more than that at once. */
export class Admission {
  readonly #limit: number;
  #active = 0;
  #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get active(): number {
    return this.#active;
  }

  /** `false`: all places are taken. After `true`, call `leave` once. */
  enter(): boolean {
    if (this.#active >= this.#limit) return false;
    this.#active += 1;
    return true;
  }

  leave(): void {
    this.#active -= 1;
    if (this.#active > 0) return;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves once nobody is inside. */
  async empty(): Promise<void> {
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
