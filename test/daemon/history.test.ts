import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { costByHour, stretchesOf } from '../../src/cli/report/states.ts';
import { History } from '../../src/daemon/history.ts';
import { openHistoryFile, readHistory } from '../../src/spool/history-file.ts';
import { keepingLog } from '../control/reports.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { HandClock } from './hand-clock.ts';

const MINUTE_MS = 60_000;

/** A history over a real file; `spend` is what has been used since the start. */
function desk(stateDir = tempFolder()) {
  const clock = new HandClock();
  const spend = { cpuSeconds: 5, switches: 100, rssBytes: 60_000_000 };
  const log = keepingLog();
  const history = new History({ clock, log: log.log, stateDir, cost: () => ({ ...spend }) });
  return { stateDir, clock, spend, history, log };
}

describe('the history', () => {
  it('says when each state began and, every quarter of an hour, what it cost', () => {
    const { stateDir, clock, spend, history } = desk();
    const start = clock.now().wallMs;
    history.start('blocked');
    clock.advance(1000);
    history.stateChanged('capturing');
    for (let minute = 0; minute < 15; minute++) {
      clock.advance(MINUTE_MS);
      history.beat();
    }
    spend.cpuSeconds += 2.5;
    spend.switches += 40;
    clock.advance(MINUTE_MS);
    history.stop();
    expect([...readHistory(stateDir)]).toEqual([
      { at: start, state: 'blocked', isStart: true },
      { at: start + 1000, state: 'capturing' },
      { at: start + 15 * MINUTE_MS + 1000, overMs: 901_000, cpuSeconds: 0, wakeups: 0, rssBytes: 60_000_000 },
      {
        at: start + 16 * MINUTE_MS + 1000,
        overMs: MINUTE_MS,
        cpuSeconds: 2.5,
        wakeups: 40,
        rssBytes: 60_000_000,
      },
      { at: start + 16 * MINUTE_MS + 1000, state: 'stopped' },
    ]);
    expect(statSync(join(stateDir, 'history.jsonl')).mode & 0o777).toBe(0o600);
  });

  it('tells sleep from recording', () => {
    const { stateDir, clock, history } = desk();
    const start = clock.now().wallMs;
    history.start('capturing');
    clock.advance(MINUTE_MS);
    history.beat();
    clock.sleep(8 * 60 * MINUTE_MS);
    clock.advance(MINUTE_MS);
    history.beat();
    const lines = [...readHistory(stateDir)].map((line) => ('state' in line ? line.state : 'cost'));
    expect(lines).toEqual(['capturing', 'asleep', 'capturing']);
    const nowMs = clock.now().wallMs;
    const asleep = stretchesOf(readHistory(stateDir), { sinceMs: start, nowMs, isRunning: true })[1];
    expect((asleep?.toMs ?? 0) - (asleep?.fromMs ?? 0)).toBe(8 * 60 * MINUTE_MS);
  });

  it('keeps a month and a megabyte, whatever happens', () => {
    const stateDir = tempFolder();
    const path = join(stateDir, 'history.jsonl');
    writeFileSync(path, '{"at":1000,"state":"paused"}\n{"at":2000,"state":"capturing"}\n', { mode: 0o600 });
    const now = Date.UTC(2026, 6, 1);
    const file = openHistoryFile(stateDir, now);
    expect(readFileSync(path, 'utf8')).toBe('');
    for (let at = 0; at < 40_000; at++)
      file.append({ at: now + at, state: at % 2 === 0 ? 'paused' : 'capturing' });
    file.close();
    expect(statSync(path).size).toBeLessThanOrEqual(1024 * 1024);
    expect([...readHistory(stateDir)].at(-1)).toEqual({ at: now + 39_999, state: 'capturing' });
  });

  it('goes on after a torn line, and lets no disk stop the daemon', () => {
    const { stateDir, history } = desk();
    history.start('paused');
    history.stop();
    appendFileSync(join(stateDir, 'history.jsonl'), '{"at":');
    const next = desk(stateDir);
    next.history.start('capturing');
    expect([...readHistory(stateDir)].at(-1)).toMatchObject({ state: 'capturing', isStart: true });
    const nowhere = desk(join(stateDir, 'none', 'at all'));
    nowhere.history.start('capturing');
    nowhere.history.stateChanged('paused');
    expect(nowhere.log.lines.join()).toContain('the history could not be written');
  });
});

describe('the stretches of a report', () => {
  const span = { sinceMs: 0, nowMs: 1000, isRunning: true };

  it('cover all the time, and guess nothing before, between and after', () => {
    const lines = [
      { at: 100, state: 'capturing', isStart: true },
      { at: 300, overMs: 200, cpuSeconds: 0, wakeups: 0, rssBytes: 0 },
      { at: 600, state: 'paused', isStart: true },
      { at: 700, state: 'stopped' },
      { at: 800, state: 'capturing', isStart: true },
    ] as const;
    const found = stretchesOf(lines, span).map(({ fromMs, toMs, state }) => `${fromMs}-${toMs} ${state}`);
    const until = [
      '0-100 unknown',
      '100-300 capturing',
      '300-600 unknown',
      '600-700 paused',
      '700-800 stopped',
    ];
    expect(found).toEqual([...until, '800-1000 capturing']);
    const down = stretchesOf(lines, { ...span, isRunning: false }).map(({ state }) => state);
    expect(down.slice(-2)).toEqual(['stopped', 'unknown']);
  });

  it('are in order though the clock was set back', () => {
    const lines = [
      { at: 500, state: 'capturing' },
      { at: 200, state: 'paused' },
      { at: 900, state: 'capturing' },
    ] as const;
    for (const { fromMs, toMs } of stretchesOf(lines, span)) expect(toMs).toBeGreaterThan(fromMs);
  });

  it('have costs by the hour', () => {
    const quarter = { overMs: 900_000, cpuSeconds: 9, wakeups: 150, rssBytes: 1000 };
    const costs = costByHour(
      [900_000, 1_800_000, 3_600_000, 3_900_000].map((at) => ({ at, ...quarter })),
      0,
    );
    expect(costs).toEqual([
      { hour: 0, cpuPercent: 1, wakeupsPerMinute: 10, rssBytes: 1000 },
      { hour: 1, cpuPercent: 1, wakeupsPerMinute: 10, rssBytes: 1000 },
    ]);
  });
});
