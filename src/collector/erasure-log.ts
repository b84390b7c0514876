import { open } from 'node:fs/promises';
import type { Erasure } from './catalog.ts';
import { parseUuid } from './segment-key.ts';

/** Keeps what people had erased apart from everything else, so that a restored backup can be told. */
export interface ErasureLog {
  /** Returns once it is durable. */
  append(erasure: Erasure): Promise<void>;
}

/** One erasure a line, as `{"at","device","request","segments"}`, in a file that is only ever appended to. */
export class ErasureLogFile implements ErasureLog {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  append({ device, request, segments, atMs }: Erasure): Promise<void> {
    const line = `${JSON.stringify({ at: new Date(atMs).toISOString(), device, request, segments })}\n`;
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

/** What a log says, and how many of its lines say nothing: a crash cuts the last line before it. */
export function parseErasureLog(text: string): {
  readonly erasures: readonly Erasure[];
  readonly broken: number;
} {
  const lines = text.split('\n').filter((line) => line !== '');
  const erasures = lines.map(erasureOf).filter((erasure) => erasure !== null);
  return { erasures, broken: lines.length - erasures.length };
}

function erasureOf(line: string): Erasure | null {
  try {
    const { at, device, request, segments } = JSON.parse(line) as Partial<Record<string, unknown>>;
    const ids = [device, request, ...(Array.isArray(segments) ? segments : [null])].map((id) =>
      typeof id === 'string' ? parseUuid(id) : undefined,
    );
    const [deviceId, requestId, ...segmentIds] = ids.filter((id) => id !== undefined);
    const atMs = Date.parse(String(at));
    if (segmentIds.length !== ids.length - 2 || deviceId === undefined || requestId === undefined)
      return null;
    return Number.isNaN(atMs) ? null : { device: deviceId, request: requestId, segments: segmentIds, atMs };
  } catch {
    return null;
  }
}
