import { open } from 'node:fs/promises';
import type { Erasure } from './catalog.ts';
import { parseUuid } from './segment-key.ts';
import type { Withdrawal } from './use-book.ts';

/** What a person took back: segments, or the consent that segments came under. */
export type TakenBack = Erasure | Withdrawal;

/** Keeps what people took back apart from everything else, so that a restored backup can be told. */
export interface ErasureLog {
  /** Returns once it is durable. */
  append(taken: TakenBack): Promise<void>;
}

/** One a line, as `{"at","device","request","segments"|"receipts"}`, in a file that is only ever appended to. */
export class ErasureLogFile implements ErasureLog {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  append({ atMs, ...taken }: TakenBack): Promise<void> {
    const line = `${JSON.stringify({ at: new Date(atMs).toISOString(), ...taken })}\n`;
    // One at a time, so that lines stay whole.
    const mine = this.#last.then(
      () => this.#write(line),
      () => this.#write(line),
    );
    this.#last = mine;
    return mine;
  }

  async #write(line: string): Promise<void> {
    const file = await open(this.#path, 'a', 0o600);
    try {
      // A crash may have left half a line; what follows starts a new one.
      await file.writeFile(`\n${line}`);
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

/** What a log says, and how many of its lines say nothing: a crash cuts a line, of which nobody was told that it is done. */
export function parseErasureLog(text: string): {
  readonly taken: readonly TakenBack[];
  readonly broken: number;
} {
  const lines = text.split('\n').filter((line) => line !== '');
  const taken = lines.map(takenBackOf).filter((entry) => entry !== null);
  return { taken, broken: lines.length - taken.length };
}

function takenBackOf(line: string): TakenBack | null {
  try {
    const read = JSON.parse(line) as Partial<Record<string, unknown>>;
    const [device, request] = uuids([read['device'], read['request']]) ?? [];
    const atMs = Date.parse(String(read['at']));
    if (device === undefined || request === undefined || Number.isNaN(atMs)) return null;
    const [segments, receipts] = [uuids(read['segments']), uuids(read['receipts'])];
    if (segments !== null) return { device, request, segments, atMs };
    return receipts === null ? null : { device, request, receipts, atMs };
  } catch {
    return null;
  }
}

function uuids(values: unknown): string[] | null {
  if (!Array.isArray(values)) return null;
  const ids = values.map((id: unknown) => (typeof id === 'string' ? parseUuid(id) : undefined));
  return ids.every((id) => id !== undefined) ? ids : null;
}
