import { messageOf } from '../core/errors.ts';
import type { Catalog } from './catalog.ts';
import type { ObjectStore } from './object-store.ts';

/** Why no segment can be taken. */
export interface Unready {
  readonly code: 'draining' | 'store' | 'catalogue' | 'disk-full';
  /** In words for whoever runs it, perhaps with paths: for the log, not for whoever asks. */
  readonly detail: string;
}

/** What it is judged by. */
export interface ReadinessParts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  /** Room on the store's disk; `null` where it is no disk of this machine. */
  readonly freeBytes: (() => Promise<number>) | null;
  readonly maxSegmentBytes: number;
  readonly monoMs: () => number;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly draining: AbortSignal;
}

/** However many balancers ask, store and catalogue are tried once in this time. */
const FRESH_MS = 2000;
/** Who does not answer by then takes no segment either: balancers wait some seconds themselves. */
const ANSWER_MS = 2000;
/** No device has it, so nothing is ever published under it. */
const NOBODY = {
  device: '00000000-0000-0000-0000-000000000000',
  segment: '00000000-0000-0000-0000-000000000000',
};

/** Whether a segment could be taken now, by taking one byte of one and letting go of it. */
export class Readiness {
  readonly #parts: ReadinessParts;
  #tried: { readonly atMs: number; readonly outcome: Promise<readonly Unready[]> } | null = null;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /** Empty when it is ready. */
  async problems(): Promise<readonly Unready[]> {
    const { draining, monoMs } = this.#parts;
    if (draining.aborted) return [{ code: 'draining', detail: 'it was told to stop' }];
    const nowMs = monoMs();
    if (this.#tried === null || nowMs - this.#tried.atMs > FRESH_MS)
      this.#tried = { atMs: nowMs, outcome: this.#try() };
    return this.#tried.outcome;
  }

  async #try(): Promise<readonly Unready[]> {
    const { store, catalog, freeBytes, maxSegmentBytes } = this.#parts;
    const found = await Promise.all([
      this.#answers('catalogue', async () => {
        await catalog.find(NOBODY);
      }),
      this.#answers('store', async () => {
        const staged = await store.stage(NOBODY, oneByte());
        await staged.discard();
        // Where staging is no more than waiting here, this asks the store itself.
        await store.describe(NOBODY);
      }),
      this.#answers('disk-full', async () => {
        const free = (await freeBytes?.()) ?? Infinity;
        if (free < maxSegmentBytes)
          throw new Error(`${free} bytes are free, a segment may have ${maxSegmentBytes}`);
      }),
    ]);
    return found.filter((problem) => problem !== null);
  }

  async #answers(code: Unready['code'], ask: () => Promise<void>): Promise<Unready | null> {
    const answered = new AbortController();
    const late = this.#parts
      .delay(ANSWER_MS, answered.signal)
      .then(() => Promise.reject(new Error(`no answer for ${ANSWER_MS / 1000} s`)));
    try {
      await Promise.race([ask(), late]);
      return null;
    } catch (error) {
      return { code, detail: messageOf(error) };
    } finally {
      answered.abort();
      late.catch(() => undefined);
    }
  }
}

async function* oneByte(): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(Buffer.from('?'));
}
