import type { Clock, Instant, Log } from '../core/clock.ts';
import type { CollectionName } from '../core/collection.ts';
import { messageOf } from '../core/errors.ts';
import { type HistoryFile, type HistoryLine, openHistoryFile } from '../spool/history-file.ts';
import type { CostTotals } from './cost-meter-node.ts';

export interface HistoryPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly stateDir: string;
  /** What the daemon and its capture process have cost since they started. */
  readonly cost: () => CostTotals;
}

/** Costs are written down this often: fine enough for a picture of a day, and some 10 KB a day. */
const COST_EVERY_MS = 15 * 60_000;
/** Time that the machine's own clock did not count, from which on it was asleep rather than slow. */
const ASLEEP_MS = 60_000;

/** Keeps for the person when was recorded and what it cost. A disk that refuses costs a line of it and nothing else. */
export class History {
  readonly #ports: HistoryPorts;
  #file: HistoryFile | null = null;
  #state: CollectionName = 'blocked';
  #lastBeat: Instant;
  #lastCost: { readonly at: Instant; readonly totals: CostTotals };

  constructor(ports: HistoryPorts) {
    this.#ports = ports;
    const now = ports.clock.now();
    this.#lastBeat = now;
    this.#lastCost = { at: now, totals: { cpuSeconds: 0, switches: 0, rssBytes: 0 } };
  }

  start(state: CollectionName): void {
    const { clock, stateDir, cost } = this.#ports;
    const now = clock.now();
    this.#attempt(() => {
      this.#file = openHistoryFile(stateDir, now.wallMs);
    });
    this.#lastBeat = now;
    this.#lastCost = { at: now, totals: cost() };
    this.#state = state;
    this.#write({ at: Math.round(now.wallMs), state, isStart: true });
  }

  stateChanged(state: CollectionName): void {
    this.#state = state;
    this.#write({ at: Math.round(this.#ports.clock.now().wallMs), state });
  }

  /** Called on every heartbeat. */
  beat(): void {
    const now = this.#ports.clock.now();
    const asleepMs = now.bootMs - this.#lastBeat.bootMs - (now.monoMs - this.#lastBeat.monoMs);
    this.#lastBeat = now;
    if (asleepMs >= ASLEEP_MS) {
      this.#write({ at: Math.round(now.wallMs - asleepMs), state: 'asleep' });
      this.stateChanged(this.#state);
    }
    if (now.monoMs - this.#lastCost.at.monoMs >= COST_EVERY_MS) this.#writeCost(now);
  }

  stop(): void {
    this.#writeCost(this.#ports.clock.now());
    if (this.#state !== 'stopped') this.stateChanged('stopped');
    this.#file?.close();
    this.#file = null;
  }

  #writeCost(at: Instant): void {
    const totals = this.#ports.cost();
    const before = this.#lastCost;
    this.#lastCost = { at, totals };
    this.#write({
      at: Math.round(at.wallMs),
      overMs: Math.round(at.monoMs - before.at.monoMs),
      cpuSeconds: Number(Math.max(0, totals.cpuSeconds - before.totals.cpuSeconds).toFixed(3)),
      wakeups: Math.max(0, totals.switches - before.totals.switches),
      rssBytes: totals.rssBytes,
    });
  }

  #write(line: HistoryLine): void {
    this.#attempt(() => this.#file?.append(line));
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#ports.log.warn(
        { event: 'history-not-written', err: messageOf(error) },
        'the history could not be written',
      );
    }
  }
}
