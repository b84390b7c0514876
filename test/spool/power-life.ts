import { expect } from 'vitest';
import { decryptWith, newIdentity } from '../../src/segment/age-file.ts';
import { readSegment } from '../../src/segment/read.ts';
import { openJournal } from '../../src/segment/sealed-frames.ts';
import type { Segment } from '../../src/segment/types.ts';
import { type Device, openDevice } from '../../src/spool/device-file.ts';
import { DiskError } from '../../src/spool/disk-error.ts';
import { type FoundFile, listStage, STAGES } from '../../src/spool/folders.ts';
import { sealEncrypted } from '../../src/spool/sealer/main.ts';
import { readSent } from '../../src/spool/sent-log.ts';
import { Spool } from '../../src/spool/spool.ts';
import { type Leftovers, MemoryDisk } from './memory-disk.ts';
import { movesBlock, sampleHeader, segmentId } from './samples.ts';

export type Deed =
  | 'open'
  | 'open-encrypted'
  | 'append'
  | 'sync'
  | 'close'
  | 'seal'
  | 'take'
  | 'sent'
  | 'return'
  | 'refuse'
  | 'limits'
  | 'stop';

/** What ends a process, and what that leaves. */
export interface Ending {
  readonly how: Leftovers | 'kill';
  readonly seed: number;
}

/** What was said of a segment, and so must be true whatever happens next. */
interface Promised {
  readonly isEncrypted: boolean;
  isOpened: boolean;
  /** Appended at all, and appended before a sync that came back. */
  written: number;
  durable: number;
  /** Refused, and of no journal yet: some of it may stand where it was refused. */
  refused: number;
  isSealed: boolean;
  isSent: boolean;
  isRefused: boolean;
  /** Its deletion was begun, or came back as done. */
  isGoing: boolean;
  isGone: boolean;
}

const STATE = '/state';
const owner = await newIdentity();
const SENT = { sha256: 'ab', bytes: 1, chargedBytes: 1, destination: 'http://localhost', atWallMs: 1 };
const NOTHING_KEPT = { limitBytes: 0, retentionMs: Infinity, keepSentMs: Infinity };

/** A spool on a disk that loses power, driven as the daemon drives it, and what it promised on the way. */
export class PowerLife {
  readonly disk = new MemoryDisk();
  /** By number, which is the segment's id and its sequence number alike. */
  readonly promised = new Map<number, Promised>();
  #spool!: Spool;
  #device!: Device;
  #keys = new Map<number, Uint8Array>();
  #open = 0;
  #round: number[] = [];

  /** Ends the process as told, starts another, and holds what it finds against what was promised. */
  async restart({ how, seed }: Ending): Promise<void> {
    if (how === 'kill') this.disk.kill();
    else {
      this.disk.reboot(how, seed);
      // They were in memory.
      this.#keys.clear();
    }
    await this.begin();
    await this.check();
  }

  /** What the daemon does at its start; the power may go in the middle of it. */
  async begin(): Promise<void> {
    this.#round = [];
    this.#open = 0;
    this.#spool = new Spool(STATE, this.disk);
    const report = this.#spool.recover();
    this.#device = openDevice(STATE, (size) => new Uint8Array(size).fill(7), this.disk);
    expect(report.problems).toEqual([]);
    for (const { id } of report.quarantined) {
      const { isOpened, isRefused, isGoing } = this.#mustHave(numberOf(id));
      // A beginning that was still being written, or what was on its way there or out in any case.
      expect(!isOpened || isRefused || isGoing).toBe(true);
    }
    for (const id of this.#spool.waiting()) await this.#seal(id);
  }

  async do(deed: Deed): Promise<void> {
    const spool = this.#spool;
    switch (deed) {
      case 'open':
      case 'open-encrypted': {
        if (spool.openSegment !== null) return;
        const n = this.#device.takeSequence();
        const key = deed === 'open' ? null : new Uint8Array(32).fill(n);
        // A number taken twice would hide a loss.
        expect(this.promised.has(n)).toBe(false);
        if (key !== null) this.#keys.set(n, key);
        const segment = newPromise(key !== null);
        this.promised.set(n, segment);
        spool.open(sampleHeader(n), key === null ? null : { secret: key, wrapped: Uint8Array.of(1) });
        segment.isOpened = true;
        for (const other of this.promised.values()) other.refused = 0;
        this.#open = n;
        return;
      }
      case 'append': {
        const segment = this.promised.get(this.#open);
        if (segment === undefined || spool.openSegment === null) return;
        const first = segment.written;
        // Counted before: a write that is cut short may be there all the same.
        segment.written += 2;
        const block = (x: number) => movesBlock(this.#open, 1, x * 10, x);
        try {
          spool.append(block(first), block(first + 1));
        } catch (error) {
          // Refused is not written: the daemon keeps it, and writes it to the next journal.
          if (!this.disk.isOff) {
            segment.written -= 2;
            segment.refused = 2;
          }
          throw error;
        }
        return;
      }
      case 'sync':
      case 'close': {
        const segment = this.promised.get(this.#open);
        if (segment === undefined || spool.openSegment === null) return;
        if (deed === 'sync') spool.sync();
        else spool.close();
        segment.durable = segment.written;
        return;
      }
      case 'seal':
        for (const id of spool.waiting().slice(0, 1)) await this.#seal(id);
        return;
      case 'take':
        this.#round.push(
          ...spool
            .takeForRound(
              spool.sealedSegments().map(({ id }) => id),
              'http://127.0.0.1:7717',
            )
            .map(({ id }) => numberOf(id)),
        );
        return;
      case 'sent': {
        const n = this.#round.shift();
        if (n === undefined) return;
        expect(spool.markSent(segmentId(n), SENT)).toBe(true);
        this.#mustHave(n).isSent = true;
        return;
      }
      case 'return':
        this.#round = [];
        return void spool.returnFromOutbox();
      case 'refuse': {
        const n = this.#round.shift();
        if (n === undefined) return;
        this.#mustHave(n).isRefused = true;
        spool.quarantine(segmentId(n));
        return;
      }
      case 'limits':
        this.#deleteAll();
        return;
      case 'stop':
        spool.stop();
        await this.begin();
    }
  }

  /** What the daemon does when the disk refused it something: from here on it writes to another journal. */
  refused(): void {
    if (this.#spool.openSegment === null) return;
    try {
      this.#spool.close();
    } catch (error) {
      expect(error).toBeInstanceOf(DiskError);
    }
    expect(this.#spool.openSegment).toBeNull();
  }

  /** Every promise against the disk, as it is now. */
  async check(): Promise<void> {
    const files = STAGES.flatMap((stage) => listStage(STATE, stage, this.disk));
    const sent = [...readSent(STATE, this.disk)].map(({ id }) => id);
    expect(new Set(sent).size).toBe(sent.length);
    for (const [n, segment] of this.promised) {
      const own = files.filter((file) => file.id === segmentId(n));
      if (segment.isGone) expect(own).toEqual([]);
      if (segment.durable > 0 && !segment.isGoing) expect(own).toHaveLength(1);
      expect(own.length).toBeLessThanOrEqual(1);
      if (segment.isSent) expect(sent).toContain(segmentId(n));
      if (!segment.isOpened) continue;
      for (const file of own) await this.#checkFile(file, n, segment);
    }
  }

  async #checkFile(file: FoundFile, n: number, segment: Promised): Promise<void> {
    if (segment.isSent) expect(file.stage).toBe('sent');
    if (segment.isSealed) expect(file.stage).not.toBe('journal');
    const read = await this.#read(file, n);
    const xs = [...read.columns.x.subarray(0, read.columns.count)];
    expect(xs).toEqual(Array.from({ length: xs.length }, (_, i) => i));
    expect(xs.length).toBeGreaterThanOrEqual(segment.durable);
    expect(xs.length).toBeLessThanOrEqual(segment.written + segment.refused);
    expect(read.header.sequence).toBe(n);
    if (file.stage === 'journal') return;
    // What counts as sealed is whole; only a journal that nobody had the key of stands there without a footer.
    const isKeptJournal = segment.isEncrypted && file.form === 'plain';
    if (!isKeptJournal) expect(read.footer).not.toBeNull();
    expect(read.tornBytes).toBe(0);
    // A loss shows: no footer, or a mark that says what follows is not known.
    if (xs.length < segment.written && !isKeptJournal) {
      expect(read.gaps.map(({ kind }) => kind)).toContain('crashed');
    }
  }

  async #read(file: FoundFile, n: number): Promise<Segment> {
    const bytes = this.disk.bytes(file.path);
    if (file.form === 'age') return readSegment(await decryptWith([owner.identity], bytes));
    if (!this.#mustHave(n).isEncrypted) return readSegment(bytes);
    const { journal, tornBytes } = openJournal(bytes, new Uint8Array(32).fill(n));
    return { ...readSegment(journal), tornBytes };
  }

  async #seal(id: string): Promise<void> {
    const order = this.#spool.encryptedJournal(id);
    const key = this.#keys.get(numberOf(id));
    if (order === null) this.#spool.seal(id);
    else if (key === undefined) this.#spool.keepEncrypted(id);
    else {
      const { path, isCrashed } = order;
      const whole = {
        type: 'seal',
        stateDir: STATE,
        id,
        path,
        isCrashed,
        key: '',
        recipients: [owner.recipient],
        effort: 'quick',
        hasCutKey: false,
      } as const;
      this.#spool.sealedByOther(id, await sealEncrypted(whole, key, this.disk));
      this.#keys.delete(numberOf(id));
    }
    const segment = this.promised.get(numberOf(id));
    if (segment !== undefined) segment.isSealed = true;
  }

  #deleteAll(): void {
    const isOpen = (n: number) => n === this.#open && this.#spool.openSegment !== null;
    for (const [n, segment] of this.promised)
      if (!isOpen(n) && !this.#round.includes(n)) segment.isGoing = true;
    const dropped = this.#spool.enforceLimits(NOTHING_KEPT, 0);
    // A process that lost its power has said nothing.
    if (this.disk.isOff) return;
    for (const { id } of dropped) {
      const segment = this.promised.get(numberOf(id));
      if (segment !== undefined) segment.isGone = true;
    }
  }

  #mustHave(n: number): Promised {
    const segment = this.promised.get(n);
    if (segment === undefined) throw new Error(`nothing was promised of ${n}`);
    return segment;
  }
}

function newPromise(isEncrypted: boolean): Promised {
  return {
    isEncrypted,
    isOpened: false,
    written: 0,
    durable: 0,
    refused: 0,
    isSealed: false,
    isSent: false,
    isRefused: false,
    isGoing: false,
    isGone: false,
  };
}

function numberOf(id: string): number {
  return Number.parseInt(id.slice(-12), 16);
}
