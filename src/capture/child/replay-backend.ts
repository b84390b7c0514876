import type { BackendInfo } from '../../core/capture.ts';
import { MOD } from '../../core/events.ts';
import { keyId } from '../../core/keys.ts';
import type { ModifierKnowledge } from '../../core/masking.ts';
import type { Delay } from '../delay-node.ts';
import { BackendFailure, type BackendHost, type CaptureBackend } from './backend.ts';
import { evdevKeyId } from './evdev-keys.ts';
import { RECORDED, type RecordedEvent, readRecording } from './recording.ts';

/** Waits shorter than this are not worth a timer. */
const MIN_WAIT_MS = 4;

export interface ReplayOptions {
  readonly file: string;
  /** Times the recorded speed, or as fast as the daemon takes it. */
  readonly speed: number | 'max';
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
}

/**
 * Plays a recording through the pipeline. Event times are the recording's own in milliseconds, at any speed.
 * `x,y` are positions, also of devices that report steps: those are added up where a recording is made.
 */
export class ReplayBackend implements CaptureBackend {
  /** Which keyboard was recorded is unknown, and with it whether Alt typed text. */
  readonly knows: ModifierKnowledge = { isAltCertain: false };
  readonly #options: ReplayOptions;
  readonly #stopping = new AbortController();
  #playing: Promise<void> = Promise.resolve();
  #startedMs = 0;
  #firstUs: number | null = null;
  #x = 0;
  #y = 0;
  #mods = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  async start(host: BackendHost, signal: AbortSignal): Promise<BackendInfo> {
    const events = readRecording(this.#options.file, AbortSignal.any([signal, this.#stopping.signal]));
    // Else a file that is none would be found out only after the start.
    const first = await events.next();
    this.#startedMs = this.#options.nowMonoMs();
    this.#playing = this.#play(host, first, events);
    return { backend: 'replay', coordinates: 'absolute', screens: [], why: 'a recording is replayed' };
  }

  poke(): void {
    // The recording is played in time; there is nothing it holds back.
  }

  setBurstMs(): void {
    // What is read is a file.
  }

  async probe(): Promise<void> {
    // A recording ends or fails, and says so.
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#playing;
  }

  async #play(
    host: BackendHost,
    first: IteratorResult<RecordedEvent>,
    rest: AsyncGenerator<RecordedEvent>,
  ): Promise<void> {
    try {
      if (first.done !== true) await this.#playOne(host, first.value);
      for await (const event of rest) {
        await this.#playOne(host, event);
        if (this.#isStopping()) return;
      }
      host.end();
    } catch (error) {
      if (this.#isStopping()) return;
      if (!(error instanceof BackendFailure)) throw error;
      host.fail(error.reason);
    }
  }

  async #playOne(host: BackendHost, event: RecordedEvent): Promise<void> {
    await this.#waitFor(event.tUs);
    await host.room();
    if (!this.#isStopping()) this.#put(host, event);
  }

  async #waitFor(tUs: number): Promise<void> {
    const { speed, nowMonoMs, delay } = this.#options;
    if (speed === 'max') return;
    this.#firstUs ??= tUs;
    const waitMs = this.#startedMs + (tUs - this.#firstUs) / 1000 / speed - nowMonoMs();
    if (waitMs < MIN_WAIT_MS || this.#isStopping()) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = (): void => resolve(undefined);
    const cancel = delay(waitMs, done);
    this.#stopping.signal.addEventListener('abort', done, { once: true });
    await promise;
    cancel();
    this.#stopping.signal.removeEventListener('abort', done);
  }

  #put({ sink }: BackendHost, event: RecordedEvent): void {
    const tMs = Math.floor(event.tUs / 1000);
    const { kind, a, b } = event;
    if (kind <= RECORDED.wheel) {
      this.#x = event.x;
      this.#y = event.y;
    }
    if (kind === RECORDED.move) sink.move(tMs, this.#x, this.#y);
    else if (kind === RECORDED.wheel) sink.wheel(tMs, this.#x, this.#y, a, b);
    else if (kind <= RECORDED.up) sink.button(tMs, kind === RECORDED.down, a, this.#x, this.#y);
    else {
      const isDown = kind !== RECORDED.keyup;
      const id = evdevKeyId(a);
      this.#mods = isDown ? this.#mods | modOf(id) : this.#mods & ~modOf(id);
      sink.key(tMs, isDown, a, id, this.#mods, kind === RECORDED.repeat);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }
}

/** One key of each pair held is enough, and letting either go ends it: a doubt that makes text, not a shortcut. */
const MOD_OF = new Map<number, number>([
  [keyId('ShiftLeft'), MOD.shift],
  [keyId('ShiftRight'), MOD.shift],
  [keyId('ControlLeft'), MOD.ctrl],
  [keyId('ControlRight'), MOD.ctrl],
  [keyId('AltLeft'), MOD.alt],
  [keyId('MetaLeft'), MOD.meta],
  [keyId('MetaRight'), MOD.meta],
]);

function modOf(id: number): number {
  return MOD_OF.get(id) ?? 0;
}
