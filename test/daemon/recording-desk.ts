import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { BackendInfo } from '../../src/core/capture.ts';
import { type EventColumns, KIND, type LossCounts, NO_LOSS } from '../../src/core/events.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { KeyOffer } from '../../src/daemon/journal-keys.ts';
import { type Circumstances, Recorder } from '../../src/daemon/recorder.ts';
import { FRAME, MAGIC, nextFrame } from '../../src/segment/frames.ts';
import { readSegment } from '../../src/segment/read.ts';
import { eventRecords } from '../../src/segment/records.ts';
import type { Segment } from '../../src/segment/types.ts';
import { listSegments } from '../../src/spool/list-segments.ts';
import { Spool } from '../../src/spool/spool.ts';
import { keepingLog } from '../control/reports.ts';
import { columnsOf } from '../segment/samples.ts';
import { segmentId } from '../spool/samples.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { HandClock, HandTimers } from './hand-clock.ts';

export const SCREENS: BackendInfo = {
  backend: 'uiohook',
  coordinates: 'absolute',
  why: 'a test wants it',
  screens: [{ x: 0, y: 0, width: 1920, height: 1080, scale: 1 }],
};

/** A spool whose disk can be told to fail in ways that a test cannot bring about on a real one. */
class FailingSpool extends Spool {
  isSyncFailing = false;
  isAppendFailing = false;

  override append(...frames: readonly Uint8Array[]): void {
    if (this.isAppendFailing) throw new Error('no space for a block');
    super.append(...frames);
  }

  override sync(): void {
    if (this.isSyncFailing) throw new Error('the disk failed');
    super.sync();
  }
}

/** A recorder over a real spool; `x` of the events it is given counts up, so that each can be told from the others. */
export class RecordingDesk {
  readonly clock = new HandClock();
  readonly timers = new HandTimers(this.clock);
  readonly stateDir: string;
  readonly spool: FailingSpool;
  readonly recorder: Recorder;
  readonly log = keepingLog();
  limits: Policy['segment'] = { flushMs: 5000, rollMs: 900_000 };
  circumstances: Circumstances = {
    platform: 'linux-x64',
    redaction: 'shortcuts',
    policyId: '0123456789abcdef',
    receiptId: '018f0000-0000-7000-8000-000000000001',
    simulated: false,
  };
  /** What the recorder said of the disk, in order. */
  readonly storage: (string | null)[] = [];
  onStorage: (problem: string | null) => void = () => undefined;
  numbersTaken = 0;
  ledgerHead = 'ab'.repeat(32);
  key: KeyOffer = { kind: 'plain' };
  closed = 0;
  isSealing = false;
  loss = NO_LOSS;
  #x = 0;
  #ids = 0;

  constructor(stateDir = tempFolder()) {
    this.stateDir = stateDir;
    this.spool = new FailingSpool(stateDir);
    this.spool.recover();
    onTestFinished(() => this.spool.stop());
    this.recorder = new Recorder({
      clock: this.clock,
      timers: this.timers,
      log: this.log.log,
      spool: this.spool,
      limits: () => this.limits,
      circumstances: () => this.circumstances,
      nextIdentity: (spareSequence) => ({
        segmentId: segmentId(++this.#ids),
        device: '5a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69',
        sequence: spareSequence ?? ++this.numbersTaken,
      }),
      ledgerHead: () => this.ledgerHead,
      key: () => this.key,
      closed: () => {
        this.closed++;
        // An empty one is thrown away, as the sealer does it.
        for (const id of this.spool.waiting()) if (this.isSealing) this.spool.seal(id);
      },
      storage: (problem) => {
        this.storage.push(problem);
        this.onStorage(problem);
      },
    });
  }

  /** A capture process starts and is ready. */
  begin(info = SCREENS): void {
    this.loss = NO_LOSS;
    this.recorder.captureBegins();
    this.recorder.childReady(info);
  }

  /** A batch arrives: `count` moves, the last one just now and each 10 ms after the one before. */
  batch(count = 1, loss: Partial<LossCounts> = {}): void {
    this.loss = { ...this.loss, ...loss };
    this.recorder.take(this.moves(count), count, this.loss);
  }

  moves(count: number): EventColumns {
    const { monoMs } = this.clock.now();
    return columnsOf(
      Array.from({ length: count }, (_, i) => [
        monoMs - (count - 1 - i) * 10,
        KIND.move,
        ++this.#x,
        100,
        0,
        0,
      ]),
    );
  }

  /** The segments on disk by their sequence numbers. */
  segments(): Segment[] {
    return listSegments(this.stateDir)
      .map(({ path }) => readSegment(readFileSync(path)))
      .sort((a, b) => a.header.sequence - b.header.sequence);
  }

  /** `x` of every event on disk. */
  recorded(): number[] {
    return this.segments().flatMap(({ columns }) => [...columns.x.subarray(0, columns.count)]);
  }

  /** Wall time of every event on disk, by its `x`. */
  wallTimes(): Record<number, number> {
    const events = this.segments().flatMap((segment) => [...eventRecords(segment)]);
    return Object.fromEntries(events.map(({ x, t }) => [x, t]));
  }

  /** Names of the frames of each segment, in their order in the file. */
  frames(): string[] {
    return listSegments(this.stateDir).map(({ path }) => frameNames(readFileSync(path)).join(' '));
  }
}

function frameNames(bytes: Uint8Array): string[] {
  const names: string[] = [];
  for (let offset = MAGIC.length; ; ) {
    const frame = nextFrame(bytes, offset);
    if (frame === undefined) return names;
    const found = Object.entries(FRAME).find(([, type]) => type === frame.type);
    names.push(found?.[0] ?? String(frame.type));
    offset = frame.end;
  }
}
