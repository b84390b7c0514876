import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Round, RoundMessage, SegmentResult } from '../../src/control/protocol.ts';
import type { ConsentStanding } from '../../src/core/collection.ts';
import type { RecordedSpan } from '../../src/core/exemption.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { Pinned } from '../../src/daemon/enrolment-keeper.ts';
import { HealthKeeper } from '../../src/daemon/health-keeper.ts';
import { UploadDriver, type UploaderProcess } from '../../src/daemon/upload-driver.ts';
import type { UploadState } from '../../src/daemon/upload-state.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import { fileSystemNode } from '../../src/spool/file-system-node.ts';
import { NO_SPENDING } from '../../src/upload/spending.ts';
import { NO_BACKOFF } from '../../src/upload/upload-policy.ts';
import { keepingLog } from '../control/reports.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { addSealed, openSpool } from './filled-spool.ts';
import { HandClock, HandTimers } from './hand-clock.ts';
import { AC, HandSource, WIFI } from './hand-sources.ts';

export const URL_HERE = 'http://127.0.0.1:7717';

/** An uploader process that does only what a test tells it. */
export class HandUploader implements UploaderProcess {
  readonly #exit = Promise.withResolvers<boolean>();
  readonly exited: Promise<boolean> = this.#exit.promise;
  readonly messages: RoundMessage[] = [];
  readonly #connection = new AbortController();
  wasKilled = false;
  hasExited = false;
  /** Resolves when the daemon has ended the stream. */
  ended: Promise<void> = Promise.resolve();

  kill(): void {
    this.wasKilled = true;
    void this.exit(false);
  }

  attended(): void {
    // What its connection does is told by its exit.
  }

  accounted(): Promise<void> {
    return Promise.resolve();
  }

  /** Its process ends; resolves when the daemon has taken note. */
  async exit(isAccounted = true): Promise<void> {
    this.hasExited = true;
    this.#connection.abort();
    this.#exit.resolve(isAccounted);
    await settled();
  }

  /** It comes for its round. */
  connect(driver: UploadDriver): void {
    this.ended = driver.serveRound((message) => this.messages.push(message), this.#connection.signal);
  }

  /** Its connection breaks, the process goes on. */
  async disconnect(): Promise<void> {
    this.#connection.abort();
    await settled();
  }

  get round(): Round {
    const [first] = this.messages;
    if (first?.type !== 'round') throw new Error('it was given no round');
    return first.round;
  }
}

/** Lets promises run that wait for nothing but each other. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** An upload driver over a real spool, on mains power and Wi-Fi, to a collector on this machine, nothing held back. */
export class UploadDesk {
  readonly clock = new HandClock();
  readonly timers = new HandTimers(this.clock);
  readonly stateDir = tempFolder();
  /** Whether the disk lets files be moved. */
  isMovingRefused = false;
  readonly spool = openSpool(this.stateDir, {
    ...fileSystemNode,
    renameSync: (from, to) => {
      if (this.isMovingRefused) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      fileSystemNode.renameSync(from, to);
    },
  });
  readonly power = new HandSource(AC);
  readonly network = new HandSource(WIFI);
  readonly facts: LedgerFact[] = [];
  readonly saved: UploadState[] = [];
  readonly uploaders: HandUploader[] = [];
  readonly log = keepingLog();
  policy: Policy['upload'] | null = { ...DEFAULT_POLICY.upload, url: URL_HERE, holdBackMs: 0 };
  pinned: Pinned | null = null;
  backend: string | null = 'x11';
  faults: string[] = [];
  readonly forgotten: string[] = [];
  consent: ConsentStanding = 'granted';
  mayLeave: (receiptId: string, url: string) => boolean = () => true;
  isWithheld: (segment: RecordedSpan) => boolean = () => false;
  promisedMs: number | null = null;
  conditionChanges: string[] = [];
  /** What the driver said of the disk, in order. */
  readonly storage: (string | null)[] = [];
  readonly health = new HealthKeeper({
    clock: this.clock,
    log: this.log.log,
    stateDir: this.stateDir,
    version: '1.2.3',
    backend: () => this.backend,
    faults: () => this.faults,
    record: (facts) => this.facts.push(...facts),
  });
  readonly driver: UploadDriver;

  constructor(state: Partial<UploadState> = {}) {
    // The samples' events lie within the first minutes after the clock's start.
    this.clock.advance(3_600_000);
    this.driver = new UploadDriver(
      {
        clock: this.clock,
        timers: this.timers,
        log: this.log.log,
        random: () => 0.5,
        spool: this.spool,
        power: this.power,
        network: this.network,
        device: '5a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69',
        outboxDir: join(this.stateDir, 'outbox'),
        policy: () => this.policy,
        missing: () => [],
        enrolledAt: () => this.pinned,
        health: this.health,
        forget: (id) => this.forgotten.push(id),
        consent: () => this.consent,
        mayLeave: (receiptId, url) => this.mayLeave(receiptId, url),
        promisedMs: () => this.promisedMs,
        ledgerHead: () => 'cd'.repeat(32),
        isWithheld: (segment) => this.isWithheld(segment),
        record: (facts) => this.facts.push(...facts),
        saveState: (saved) => this.saved.push(saved),
        startUploader: () => {
          const uploader = new HandUploader();
          this.uploaders.push(uploader);
          return uploader;
        },
        storage: (problem) => this.storage.push(problem),
        conditionsChanged: () => this.conditionChanges.push(this.blockers().join()),
        changed: () => undefined,
      },
      { backoff: NO_BACKOFF, spending: NO_SPENDING, lastSuccessWallMs: null, ...state },
    );
  }

  async start(...segments: readonly number[]): Promise<void> {
    for (const n of segments) addSealed(this.spool, n);
    await this.driver.start();
  }

  /** Starts with so many segments and a round of them that the uploader has come for. */
  async startSending(...segments: readonly number[]): Promise<HandUploader> {
    await this.start(...segments);
    this.driver.due();
    this.uploader.connect(this.driver);
    return this.uploader;
  }

  /** The uploader started last. */
  get uploader(): HandUploader {
    const last = this.uploaders.at(-1);
    if (last === undefined) throw new Error('no uploader was started');
    return last;
  }

  blockers(): string[] {
    return this.driver.blockers.map(({ code }) => code);
  }

  /** Segments in a stage, by their last digit. */
  stage(name: 'sealed' | 'outbox' | 'sent' | 'quarantine'): number[] {
    const folder = join(this.stateDir, name);
    return existsSync(folder)
      ? readdirSync(folder).map((file) => Number.parseInt(file.slice(24, 36), 16))
      : [];
  }
}

/** A collector's answer. */
export function resultOf(
  id: string,
  outcome: SegmentResult['outcome'],
  more: Partial<SegmentResult> = {},
): SegmentResult {
  const status = { stored: 201, refused: 422, retry: 503, unauthorised: 401, 'too-large': 413, aborted: 0 };
  return {
    id,
    outcome,
    sha256: 'a'.repeat(64),
    status: status[outcome],
    detail: outcome,
    chargedBytes: 1000,
    retryAfterMs: null,
    ...more,
  };
}
