/** Who writes to the disk. */
export type StorageUser = 'journal' | 'sealing' | 'deleting' | 'ledger' | 'outbox';

/** What the disk refuses, and to whom. While it refuses anybody anything, nothing more is recorded. */
export class StorageHealth {
  readonly #changed: (problem: string | null) => void;
  readonly #problems = new Map<StorageUser, string>();

  /** `changed` is told the oldest problem that stands; `null`: all of it works again. */
  constructor(changed: (problem: string | null) => void) {
    this.#changed = changed;
  }

  /** The oldest problem that stands. */
  get problem(): string | null {
    const [first] = this.#problems.values();
    return first ?? null;
  }

  hasProblem(user: StorageUser): boolean {
    return this.#problems.has(user);
  }

  /** What the disk says to one who writes; `null`: it let him. Told last by who calls it: capture may end over it. */
  report(user: StorageUser, problem: string | null): void {
    const before = this.problem;
    if (problem === null) this.#problems.delete(user);
    else this.#problems.set(user, problem);
    if (this.problem !== before) this.#changed(this.problem);
  }
}
