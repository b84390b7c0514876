/** Bytes charged in one period: `2026-03-31` or `2026-03`, local time. */
interface Period {
  readonly name: string;
  readonly bytes: number;
}

/** What uploads have cost; plain JSON, so that a restart resets none of it. */
export interface Spending {
  /** The latest days and months in which something was charged, the last charged first. */
  readonly days: readonly Period[];
  readonly months: readonly Period[];
  readonly totalBytes: number;
  /** What the transfer under way costs at most; charged if whoever runs it dies without giving account. */
  readonly reservedBytes: number;
}

/** Nothing was ever charged. */
export const NO_SPENDING: Spending = { days: [], months: [], totalBytes: 0, reservedBytes: 0 };

/**
 * A clock that jumps (an empty battery at boot, a flight across midnight) comes back to a period that is still known,
 * so that no jump hands out a budget twice. More jumps than this are no accident, and only root can make them.
 */
const KEPT_PERIODS = 4;

/** Adds `bytes` to the local day and month of `wallMs`. */
export function charge(spending: Spending, bytes: number, wallMs: number): Spending {
  const { day, month } = periodsAt(wallMs);
  return {
    ...spending,
    days: add(spending.days, day, bytes),
    months: add(spending.months, month, bytes),
    totalBytes: spending.totalBytes + bytes,
  };
}

/** Sets what the transfer that begins now costs at most; 0: none is under way. */
export function reserve(spending: Spending, bytes: number): Spending {
  return { ...spending, reservedBytes: bytes };
}

/** Charges what was reserved: nobody will say any more what the transfer cost. */
export function chargeReserved(spending: Spending, wallMs: number): Spending {
  return reserve(charge(spending, spending.reservedBytes, wallMs), 0);
}

/** What counts against the budgets at `wallMs`: nothing yet on a new day or in a new month. */
export function spentAt(spending: Spending, wallMs: number): { todayBytes: number; monthBytes: number } {
  const { day, month } = periodsAt(wallMs);
  return { todayBytes: bytesIn(spending.days, day), monthBytes: bytesIn(spending.months, month) };
}

/** The spending as it was written; `undefined` for anything else, which must not pass for nothing spent. */
export function readSpending(saved: unknown): Spending | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const { days, months, totalBytes, reservedBytes = 0 }: Partial<Record<keyof Spending, unknown>> = saved;
  return isPeriods(days) && isPeriods(months) && isBytes(totalBytes) && isBytes(reservedBytes)
    ? { days, months, totalBytes, reservedBytes }
    : undefined;
}

function periodsAt(wallMs: number): { day: string; month: string } {
  const date = new Date(wallMs);
  const month = `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}`;
  return { day: `${month}-${String(date.getDate()).padStart(2, '0')}`, month };
}

function add(periods: readonly Period[], name: string, bytes: number): Period[] {
  const others = periods.filter((period) => period.name !== name);
  return [{ name, bytes: bytesIn(periods, name) + bytes }, ...others].slice(0, KEPT_PERIODS);
}

function bytesIn(periods: readonly Period[], name: string): number {
  return periods.find((period) => period.name === name)?.bytes ?? 0;
}

function isPeriods(value: unknown): value is Period[] {
  return Array.isArray(value) && value.every(isPeriod);
}

function isPeriod(value: unknown): value is Period {
  if (typeof value !== 'object' || value === null) return false;
  const { name, bytes }: Partial<Record<keyof Period, unknown>> = value;
  return typeof name === 'string' && isBytes(bytes);
}

function isBytes(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
