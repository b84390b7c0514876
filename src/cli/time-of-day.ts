const TIME = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
const HOUR_MS = 3_600_000;

/**
 * When the local clock next shows `15:30` (or `15:30:20`), today or tomorrow, in milliseconds since the epoch;
 * `undefined` for what is no time of day. A time that a change of the clock repeats counts twice; one that it skips is
 * the same stretch later, as `Date` has it.
 */
export function nextTimeOfDay(text: string, nowMs: number): number | undefined {
  const [, hours, minutes, seconds = '0'] = TIME.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const now = new Date(nowMs);
  const on = (days: number): number =>
    new Date(
      now.getFullYear(),
      now.getMonth(),
      now.getDate() + days,
      Number(hours),
      Number(minutes),
      Number(seconds),
    ).getTime();
  const [today, tomorrow] = [on(0), on(1)];
  const again = new Date(today + HOUR_MS).getHours() === Number(hours) ? [today + HOUR_MS] : [];
  return [today, ...again, tomorrow].find((at) => at > nowMs);
}
