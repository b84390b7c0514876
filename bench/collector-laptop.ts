import type { RoundMessage, SegmentResult } from '../src/control/protocol.ts';
import type { Log, Random } from '../src/core/clock.ts';
import type { Network, Power, Source } from '../src/core/conditions.ts';
import { UploadDriver, type UploaderProcess } from '../src/daemon/upload-driver.ts';
import { DEFAULT_POLICY } from '../src/policy/defaults.ts';
import type { SealedFacts } from '../src/spool/sealed-file.ts';
import type { Spool } from '../src/spool/spool.ts';
import { contentDigest, judgeReply } from '../src/upload/reply-policy.ts';
import { runRound } from '../src/upload/run-round.ts';
import { offsetInPeriodMs } from '../src/upload/schedule.ts';
import { NO_SPENDING } from '../src/upload/spending.ts';
import { NO_BACKOFF } from '../src/upload/upload-policy.ts';
import type { ModelCollector } from './collector-model.ts';
import { COLLECTOR_KEY, receiptProof } from './collector-receipts.ts';
import type { VirtualTime } from './collector-virtual-time.ts';

/** What one laptop is. */
export interface LaptopOptions {
  readonly device: string;
  readonly segments: number;
  readonly segmentBytes: number;
  readonly random: Random;
}

const POLICY = { ...DEFAULT_POLICY.upload, url: 'https://collector.example.com' };
/** Of the default schedule, every quarter of an hour. */
const PERIOD_MS = 15 * 60_000;
/** Between two files: the daemon writes down what became of the one, the uploader reads the next. */
const BETWEEN_MS = 50;
/** The uploader starts, connects to the daemon and is given its round. */
const STARTING_MS = 300;
/** All send the same file under the same names: only the collector tells them apart. */
const SHA256 = Buffer.alloc(32);
const SHA256_BASE64 = SHA256.toString('base64');
const PSEUDONYM = '5a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69';
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/**
 * One laptop: the daemon's own upload driver with its gate, start smear, schedule and backoff, and the uploader's own
 * round and judgement of replies. Its files, its process and its network are virtual.
 */
export class Laptop {
  readonly driver: UploadDriver;
  readonly #time: VirtualTime;
  readonly #collector: ModelCollector;
  readonly #options: LaptopOptions;
  readonly #files: VirtualFiles;
  readonly #power = new VirtualSource<Power>({ state: 'battery', isSaver: false });
  readonly #network = new VirtualSource<Network>({
    kind: 'none',
    metered: 'unknown',
    ssid: null,
    isCaptivePortal: false,
  });

  constructor(time: VirtualTime, collector: ModelCollector, options: LaptopOptions) {
    this.#time = time;
    this.#collector = collector;
    this.#options = options;
    this.#files = new VirtualFiles(options);
    const state = { backoff: NO_BACKOFF, spending: NO_SPENDING, lastSuccessWallMs: null };
    this.driver = new UploadDriver(
      {
        clock: time,
        timers: time.timers(),
        log: SILENT,
        random: options.random,
        // What the driver asks of a spool, without a disk below it.
        spool: this.#files as unknown as Spool,
        power: this.#power,
        network: this.#network,
        device: PSEUDONYM,
        outboxDir: '',
        policy: () => POLICY,
        missing: () => [],
        enrolledAt: () => ({ collectorKey: COLLECTOR_KEY, deviceKeyFile: '' }),
        health: null,
        promisedMs: () => null,
        consent: () => 'granted',
        mayLeave: () => true,
        ledgerHead: () => '',
        isWithheld: () => false,
        forget: nothing,
        record: nothing,
        saveState: nothing,
        startUploader: () => this.#startUploader(),
        conditionsChanged: nothing,
        storage: nothing,
        changed: nothing,
      },
      state,
    );
  }

  get isDone(): boolean {
    return this.#files.isEmpty;
  }

  /** On battery and without a network, with a round overdue; then its schedule goes on. */
  async start(): Promise<void> {
    await this.driver.start();
    this.driver.due();
    this.#schedule(offsetInPeriodMs(this.#options.device, PERIOD_MS));
  }

  plugIn(): void {
    this.#power.become({ state: 'ac', isSaver: false });
    this.#network.become({ kind: 'wifi', metered: 'no', ssid: null, isCaptivePortal: false });
  }

  #schedule(atMs: number): void {
    this.#time.at(atMs, () => {
      if (this.isDone) return;
      this.driver.due();
      this.#schedule(atMs + PERIOD_MS);
    });
  }

  #startUploader(): UploaderProcess {
    const accounted = (): Promise<void> => Promise.resolve();
    return { exited: this.#runUploader(), kill: nothing, attended: nothing, accounted };
  }

  async #runUploader(): Promise<boolean> {
    await this.#time.sleep(STARTING_MS);
    const over = new AbortController();
    let message: RoundMessage | null = null;
    const served = this.driver.serveRound((said) => (message ??= said), over.signal);
    const { round } = message as unknown as Extract<RoundMessage, { type: 'round' }>;
    const isConnected = await this.#collector.connect();
    const send = async ({ id, sizeBytes }: (typeof round.segments)[number]): Promise<SegmentResult> => {
      const result = {
        id,
        sha256: SHA256.toString('hex'),
        chargedBytes: sizeBytes,
        retryAfterMs: null,
        status: 0,
      };
      if (!isConnected) return { ...result, outcome: 'retry', detail: 'the connection was closed' };
      const bodyMs = (sizeBytes / round.rateBytesPerSecond) * 1000;
      const reply = await this.#collector.put(this.#options.device, bodyMs, SHA256_BASE64);
      const proof =
        reply.status === 201 ? { proof: receiptProof(round, id, contentDigest(SHA256_BASE64)) } : {};
      return { ...result, ...judgeReply(reply, SHA256_BASE64, this.#time.now().wallMs), ...proof };
    };
    const report = async (result: SegmentResult): Promise<void> => {
      this.driver.takeResult(result);
      await this.#time.sleep(BETWEEN_MS);
    };
    await runRound(round, { send, report }, over.signal);
    if (isConnected) this.#collector.disconnect();
    over.abort();
    await served;
    return true;
  }
}

class VirtualSource<Fact> implements Source<Fact> {
  #fact: Fact;
  #changed: () => void = nothing;

  constructor(fact: Fact) {
    this.#fact = fact;
  }

  current(): Fact {
    return this.#fact;
  }

  start(changed: () => void): Promise<void> {
    this.#changed = changed;
    return Promise.resolve();
  }

  refresh(): void {
    nothing();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  become(fact: Fact): void {
    this.#fact = fact;
    this.#changed();
  }
}

/** What a spool knows of sealed segments, and which of them are in the outbox. */
class VirtualFiles {
  #sealed: SealedFacts[];
  #outbox: SealedFacts[] = [];

  constructor({ segments, segmentBytes }: LaptopOptions) {
    this.#sealed = Array.from({ length: segments }, (_, sequence) => ({
      id: String(sequence),
      sizeBytes: segmentBytes,
      sequence,
      events: 1,
      receiptId: '',
      backend: 'x11',
      startWallMs: 0,
      lastEventWallMs: 0,
    }));
  }

  get isEmpty(): boolean {
    return this.#sealed.length === 0 && this.#outbox.length === 0;
  }

  sealedSegments(): readonly SealedFacts[] {
    return this.#sealed;
  }

  takeForRound(ids: readonly string[]): { id: string; path: string; sizeBytes: number }[] {
    this.#outbox = this.#sealed.filter(({ id }) => ids.includes(id));
    this.#sealed = this.#sealed.filter(({ id }) => !ids.includes(id));
    return this.#outbox.map(({ id, sizeBytes }) => ({ id, path: id, sizeBytes }));
  }

  markSent(sent: string): boolean {
    this.#outbox = this.#outbox.filter(({ id }) => id !== sent);
    return true;
  }

  returnFromOutbox(): string[] {
    const returned = this.#outbox;
    this.#outbox = [];
    this.#sealed = [...returned, ...this.#sealed];
    return returned.map(({ id }) => id);
  }
}

function nothing(): void {
  // What a laptop writes down is not measured here.
}
