import { createHash } from 'node:crypto';
import { createTask, type ScheduledTask, type TaskContext } from 'node-cron';
import type { Clock, Timers } from '../core/clock.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';

/** What a schedule needs. */
interface ScheduleOptions {
  /** node-cron's five or six fields, local time. */
  readonly expression: string;
  /** Pseudonym of the device: devices with one schedule come one after the other, each always at the same offset. */
  readonly device: string;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Half an hour spreads a fleet thin enough (50,000 devices: 28 a second) and is no delay anybody notices. */
const MAX_SPREAD_MS = 30 * 60_000;
/** After sleep the round comes soon, yet not from everyone in the second in which an office opens its lids. */
const MAX_MISSED_SPREAD_MS = 60_000;
/** A timer this late was not late but asleep; node-cron's own limit is 1 s. */
const ASLEEP_AFTER_MS = 5000;
const TIMER = 'upload-schedule';

/** Fires at the schedule's times plus the device's offset, and once, soon, after times that were slept through. */
export class UploadSchedule {
  readonly #options: ScheduleOptions;
  readonly #share: number;
  #task: ScheduledTask | null = null;
  #fire: () => void = () => undefined;
  /** The next time of the schedule itself, without the offset. */
  #slotWallMs = 0;
  #pendingWallMs: number | null = null;
  #firedWallMs = -Infinity;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#share = shareOf(options.device);
  }

  /** Throws a configuration error when the expression is none. */
  start(fire: () => void): void {
    this.stop();
    const { expression } = this.#options;
    try {
      // The timer does not keep the process alive; what does is the daemon's own business.
      const task = createTask(expression, (context) => this.#onSlot(context.date), {
        unref: true,
        suppressMissedWarning: true,
      });
      task.on('execution:missed', (context: TaskContext) => this.#onMissed(context.date.getTime()));
      this.#task = task;
    } catch (cause) {
      throw new TelemetryError(
        'bad-configuration',
        `upload.schedule is not a schedule: ${messageOf(cause)}`,
        {
          op: 'read the schedule',
          hint: 'write five fields as in crontab(5), such as "*/15 * * * *"',
          cause,
        },
      );
    }
    this.#fire = fire;
    this.#run();
  }

  stop(): void {
    void this.#task?.destroy(); // synchronous for tasks within this process
    this.#task = null;
    this.#options.timers.clear(TIMER);
    this.#pendingWallMs = null;
  }

  /** When it fires next; `null` when stopped. */
  nextAt(): Date | null {
    if (this.#task === null) return null;
    if (this.#pendingWallMs !== null) return new Date(this.#pendingWallMs);
    const [slot, after] = this.#task.getNextRuns(2);
    if (slot === undefined || after === undefined) return null;
    return new Date(slot.getTime() + this.#offsetMs(slot, after));
  }

  /**
   * Looks whether times were slept through, or the clock was set; called on every heartbeat and on resume. node-cron's
   * timer does not count sleep, so that by itself it would find out late, at worst by the whole period.
   */
  recheck(): void {
    const task = this.#task;
    if (task === null) return;
    const { wallMs } = this.#options.clock.now();
    const isAsleep = wallMs > this.#slotWallMs + ASLEEP_AFTER_MS;
    const isSetBack = (task.getNextRun()?.getTime() ?? Infinity) < this.#slotWallMs;
    if (!isAsleep && !isSetBack) return;
    const slotWallMs = this.#slotWallMs;
    void task.stop();
    this.#run();
    if (isAsleep) this.#onMissed(slotWallMs);
  }

  #run(): void {
    void this.#task?.start();
    this.#slotWallMs = this.#task?.getNextRun()?.getTime() ?? Infinity;
  }

  #onSlot(slot: Date): void {
    const after = this.#task?.getNextRun() ?? null;
    if (after === null) return;
    this.#slotWallMs = after.getTime();
    this.#arm(slot.getTime() + this.#offsetMs(slot, after));
  }

  #onMissed(slotWallMs: number): void {
    const after = this.#task?.getNextRun() ?? null;
    // node-cron reports every slot that was slept through; one round is enough for all.
    if (after === null || slotWallMs <= this.#firedWallMs) return;
    this.#slotWallMs = after.getTime();
    const { wallMs } = this.#options.clock.now();
    this.#arm(wallMs + Math.floor(this.#share * Math.min(MAX_MISSED_SPREAD_MS, after.getTime() - wallMs)));
  }

  /** The device's place between a slot and the next. */
  #offsetMs(slot: Date, after: Date): number {
    return offsetInPeriodMs(this.#options.device, after.getTime() - slot.getTime());
  }

  #arm(atWallMs: number): void {
    if (this.#pendingWallMs !== null && this.#pendingWallMs <= atWallMs) return;
    const { timers, clock } = this.#options;
    const now = clock.now();
    this.#pendingWallMs = atWallMs;
    timers.set(TIMER, now.bootMs + Math.max(0, atWallMs - now.wallMs), () => {
      this.#pendingWallMs = null;
      this.#firedWallMs = clock.now().wallMs;
      this.#fire();
    });
  }
}

/** How long after each of a schedule's times the device's round comes. */
export function offsetInPeriodMs(device: string, periodMs: number): number {
  return Math.floor(shareOf(device) * Math.min(MAX_SPREAD_MS, periodMs));
}

/** A number in [0, 1) that is the device's own. */
function shareOf(device: string): number {
  return createHash('sha256').update(device).digest().readUInt32BE(0) / 2 ** 32;
}
