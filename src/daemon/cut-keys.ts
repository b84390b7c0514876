import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timers } from '../core/clock.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { KeyFolder } from '../spool/key-folder.ts';

export interface CutKeyPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** The folder of the journals' keys; these have one of their own in it. `null` where nothing may lie about. */
  readonly keyFolder: string | null;
  /** For how long after sealing a segment can still be cut here. */
  readonly holdBackMs: () => number;
}

/**
 * The throw-away keys of sealed segments: for `hold_back` after sealing, the daemon can take something out of a segment
 * by itself. Then the key is destroyed, and only the person and the data team can open the file.
 */
export class CutKeys {
  readonly #ports: CutKeyPorts;
  readonly #folder: KeyFolder;
  readonly #path: string | null;
  readonly #endsAtBootMs = new Map<string, number>();

  constructor(ports: CutKeyPorts) {
    this.#ports = ports;
    this.#path = ports.keyFolder === null ? null : join(ports.keyFolder, 'cut');
    if (this.#path !== null) ensureFolder(this.#path);
    this.#folder = new KeyFolder(this.#path);
  }

  /** Whether a key is to be made for what is sealed now. */
  get isWanted(): boolean {
    return this.#ports.holdBackMs() > 0;
  }

  /** After a start: what a daemon before this one left goes on, within its time. */
  start(segmentIds: readonly string[]): void {
    this.#folder.keepOnly(new Set(segmentIds));
    const { clock, holdBackMs } = this.#ports;
    const now = clock.now();
    for (const id of segmentIds) {
      const stats =
        this.#path === null ? undefined : statSync(join(this.#path, `${id}.key`), { throwIfNoEntry: false });
      if (stats === undefined) continue;
      // A clock that was set back must not make it last longer.
      const ageMs = Math.max(0, now.wallMs - stats.mtimeMs);
      this.#endsAtBootMs.set(id, now.bootMs + Math.max(0, holdBackMs() - ageMs));
    }
    this.#expire();
  }

  put(segmentId: string, identity: string): void {
    const { clock, holdBackMs } = this.#ports;
    this.#folder.put(segmentId, Buffer.from(identity));
    this.#endsAtBootMs.set(segmentId, clock.now().bootMs + holdBackMs());
    this.#expire();
  }

  /** The identity that opens a segment; `undefined` when its time is over, or there never was one. */
  get(segmentId: string): string | undefined {
    this.#expire();
    if (!this.#endsAtBootMs.has(segmentId)) return undefined;
    const key = this.#folder.get(segmentId);
    return key === undefined ? undefined : Buffer.from(key).toString();
  }

  destroy(segmentId: string): void {
    this.#endsAtBootMs.delete(segmentId);
    this.#folder.destroy(segmentId);
  }

  #expire(): void {
    const { clock, timers } = this.#ports;
    const { bootMs } = clock.now();
    for (const [id, endsAt] of this.#endsAtBootMs) if (endsAt <= bootMs) this.destroy(id);
    const next = Math.min(...this.#endsAtBootMs.values());
    if (next === Infinity) timers.clear('cut-keys');
    else timers.set('cut-keys', next, () => this.#expire());
  }
}
