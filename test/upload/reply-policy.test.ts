import { describe, expect, it } from 'vitest';
import { keptForMs } from '../../src/upload/reply-policy.ts';

const NOW = Date.parse('2026-11-26T10:00:00Z');
const DATE = 'Thu, 26 Nov 2026 10:00:00 GMT';
const DAY_MS = 86_400_000;

describe('how long a collector keeps a file', () => {
  it('is read against its own clock, or ours when it tells none', () => {
    const body = '{"device":"d","expires":"2026-12-06T10:00:00.000Z"}';
    expect(keptForMs(body, 'Wed, 25 Nov 2026 10:00:00 GMT', NOW)).toBe(11 * DAY_MS);
    expect(keptForMs(body, undefined, NOW)).toBe(10 * DAY_MS);
    expect(keptForMs('{"expires":"2026-11-01T10:00:00Z"}', DATE, NOW)).toBe(0);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['no time in it', '{"device":"d"}'],
    ['null', '{"expires":null}'],
    ['a time that is none', '{"expires":"2026-99-99T10:00:00Z"}'],
    ['another form of time', '{"expires":"tomorrow"}'],
    ['a body beyond all measure', `{"expires":"2026-12-06T10:00:00Z","x":"${'x'.repeat(5000)}"}`],
  ])('is not known from %s', (_what, body) => {
    expect(keptForMs(body, DATE, NOW)).toBeUndefined();
  });
});
