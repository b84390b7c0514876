const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Parses `90s`, `30m`, `1h30m`, `7d` to milliseconds; `undefined` when it is not a duration.
 * Units go from large to small, each once, no spaces, no sign.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/.exec(text);
  if (text === '' || match === null) return undefined;
  const [, d = '0', h = '0', m = '0', s = '0', ms = '0'] = match;
  return (
    Number(d) * UNIT_MS.d + Number(h) * UNIT_MS.h + Number(m) * UNIT_MS.m + Number(s) * UNIT_MS.s + Number(ms)
  );
}

/** Prints milliseconds the way {@link parseDuration} reads them, in at most two units: `1h30m`, `45s`, `0s`. */
export function formatDuration(ms: number): string {
  const parts: string[] = [];
  let rest = Math.max(0, ms < 1000 ? Math.round(ms) : Math.round(ms / 1000) * 1000);
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / UNIT_MS[unit]);
    if (count === 0) continue;
    rest -= count * UNIT_MS[unit];
    parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? '0s' : parts.join('');
}
