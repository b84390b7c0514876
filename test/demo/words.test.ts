import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveStatus } from '../../src/demo/live-status.ts';
import {
  assignments,
  farewell,
  howToConsent,
  introduction,
  type Setting,
  shellWord,
} from '../../src/demo/words.ts';
import { statusReport } from './status-report.ts';

const SETTING: Setting = {
  stateDir: '/home/ann/.local/state/telemetryd',
  policyFile: '/home/ann/.local/state/telemetryd/demonstration-policy.toml',
  logFile: '/home/ann/.local/state/telemetryd/demonstration.log',

  collectorUrl: 'http://127.0.0.1:7717',
  bin: 'bin',
  place: {},
  isWayland: false,
  ownDisplay: { DISPLAY: ':5', XAUTHORITY: '/run/user/1/telemetryd/x' },
};

describe('what npm start explains', { timeout: 30_000 }, () => {
  it('takes at most 12 lines, and names what is recorded, what is not, where, and how to stop', () => {
    const lines = introduction(SETTING);
    expect(lines.length).toBeLessThanOrEqual(12);
    const text = lines.join('\n');
    for (const word of ['Recorded:', 'Not recorded:', SETTING.stateDir, SETTING.collectorUrl, 'Ctrl-C']) {
      expect(text).toContain(word);
    }
    expect(text).toContain('bin/telemetryctl pause 5m');
    expect(text).toContain('DISPLAY=:5 XAUTHORITY=/run/user/1/telemetryd/x xdotool');
    expect(text).not.toContain('another terminal');
    const elsewhere = introduction({
      ...SETTING,
      ownDisplay: null,
      place: { TELEMETRYD_STATE_DIR: '/my state' },
    });
    expect(elsewhere.join('\n')).toContain("export TELEMETRYD_STATE_DIR='/my state'");
    expect(elsewhere.join('\n')).not.toContain('xdotool');
    expect(text).not.toContain('Wayland');
    expect(introduction({ ...SETTING, isWayland: true }).join('\n')).toContain('Wayland');
  });

  it('names the one command that starts recording', () => {
    expect(howToConsent(SETTING).join('\n')).toContain('To agree: bin/telemetryctl consent grant --yes');
    const elsewhere = howToConsent({ ...SETTING, place: { TELEMETRYD_STATE_DIR: '/my state' } });
    expect(elsewhere.join('\n')).toContain(
      "TELEMETRYD_STATE_DIR='/my state' bin/telemetryctl consent grant --yes",
    );
  });

  it('ends with where the data is and how much there was', () => {
    const lines = farewell(SETTING, { events: 42, sentFiles: 1, sentBytes: 371 }).join('\n');
    expect(lines).toContain('42 events');
    expect(lines).toContain(SETTING.stateDir);
  });

  it('quotes any word so that a shell takes it as it stands', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('\0')),
        (text) => {
          const out = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' });
          expect(out).toBe(text);
        },
      ),
      { numRuns: 30 },
    );
    expect(assignments({ A: 'plain', B: "it's here" })).toBe(String.raw`A=plain B='it'\''s here'`);
  });
});

describe('the live status', () => {
  it('is one line that changes in place on a terminal, never wider than it', () => {
    const { text, live } = liveOn(true, 30);
    live.show(statusReport('capturing', 1));
    live.show(statusReport('capturing', 2));
    expect(text()).not.toContain('\n');
    const shown = text().split('\r\x1b[K').slice(1);
    expect(shown).toHaveLength(2);
    for (const line of shown) expect(line.length).toBeLessThan(30);
    live.say(['bye']);
    expect(text()).toMatch(/\nbye\n$/);
  });

  it('is one line per change of state elsewhere', () => {
    const { text, live } = liveOn(false, 80);
    live.show(statusReport('awaiting-consent', 0));
    live.show(statusReport('capturing', 1));
    live.show(statusReport('capturing', 2));
    live.show(statusReport('paused', 2));
    expect(text().trimEnd().split('\n')).toHaveLength(3);
    expect(text()).not.toContain('\x1b');
  });
});

function liveOn(isTerminal: boolean, columns: number): { text: () => string; live: LiveStatus } {
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  return { text: () => written, live: new LiveStatus({ isTerminal, columns: () => columns, write }) };
}
