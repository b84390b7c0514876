import { describe, expect, it } from 'vitest';
import { wrap } from '../../src/cli/text/layout.ts';
import { localTime, relative, roughSpan } from '../../src/cli/text/moments.ts';
import { statusPage, uploadPage } from '../../src/cli/text/status-page.ts';
import { explain, whyPage } from '../../src/cli/text/why.ts';
import { groupedCount, roughBytes } from '../../src/core/amounts.ts';
import { printable } from '../../src/core/printable.ts';
import type { StatusReport } from '../../src/core/status.ts';
import { statusLine } from '../../src/core/status-line.ts';
import { CAPTURING, PAUSED } from '../control/reports.ts';
import { NOW } from './run.ts';

process.env['TZ'] = 'UTC';
const nowMs = NOW.wallMs;
const plain = { nowMs, hasColour: false };

const BLOCKED: StatusReport = {
  ...CAPTURING,
  daemon: { ...CAPTURING.daemon, simulated: true },
  collection: {
    state: 'blocked',
    since: '2026-11-23T09:00:00.000Z',
    until: null,
    reasons: [
      {
        code: 'no-display',
        text: 'There is no X display to capture from.',
        hint: 'log in to a desktop session',
      },
    ],
  },
  capture: { ...CAPTURING.capture, alive: false, pid: null, lastEventAt: null, restarts: 7 },
  spool: {
    ...CAPTURING.spool,
    segments: 0,
    bytes: 0,
    oldestAt: null,
    quarantined: 1,
    problem: 'the disk is full',
  },
  upload: {
    ...CAPTURING.upload,
    queued: { segments: 0, bytes: 0 },
    lastSuccessAt: null,
    nextAttemptAt: null,
  },
};

describe('the status page', () => {
  it.each([
    ['capturing', CAPTURING],
    ['paused', PAUSED],
    ['blocked', BLOCKED],
  ])('of a daemon that is %s reads well in 80 columns', async (name, report) => {
    const page = statusPage(report, plain);
    for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    await expect(page).toMatchFileSnapshot(`golden/status-${name}.txt`);
  });

  it('says the same with colour', () => {
    const coloured = statusPage(PAUSED, { nowMs, hasColour: true });
    expect(coloured).toContain('\u001b[33mPaused\u001b[39m');
    expect(coloured).toContain('\u001b[33mclosed\u001b[39m');

    expect(coloured.replaceAll(/\p{Cc}\[\d+m/gu, '')).toBe(statusPage(PAUSED, plain));
  });

  it('lets nothing that comes from elsewhere move the cursor', () => {
    const reasons = [{ code: 'x', text: 'bad \u001b[2J title\nnext', hint: '' }];
    const page = statusPage({ ...PAUSED, collection: { ...PAUSED.collection, reasons } }, plain);
    expect(page).toContain('bad ?[2J title?next');
  });
});

describe('why', () => {
  it.each([
    ['capturing', CAPTURING],
    ['paused', PAUSED],
    ['blocked', BLOCKED],
  ])('of a daemon that is %s names causes, since when, and what would change them', async (name, report) => {
    const page = whyPage(report, nowMs);
    for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    await expect(page).toMatchFileSnapshot(`golden/why-${name}.txt`);
  });

  it('gives scripts every blocker with its code and its change', () => {
    expect(explain(PAUSED, nowMs).upload.blockers).toEqual([
      { ...PAUSED.upload.blockers[0], change: 'connecting the charger' },
      { ...PAUSED.upload.blockers[1], change: expect.stringContaining('Wi-Fi') as string },
    ]);
  });

  it('copes with blockers and codes of a later version', () => {
    const blockers = [{ code: 'solar-storm', text: 'A storm.', since: '2026-11-24T13:00:00.000Z' }];
    const report: StatusReport = { ...PAUSED, upload: { ...PAUSED.upload, blockers } };
    expect(whyPage(report, nowMs)).toContain('A storm. Since 13:00 (1 h ago).');
  });
});

describe('the page of uploads', () => {
  it('shows all that the collector was told of the program', () => {
    const told = {
      version: '0.1.0',
      backend: 'x11',
      destination: 'https://c.example.com',
      day: '2026-11-24',
    };
    const page = (health: StatusReport['upload']['health'] = null): string => {
      const report = { ...PAUSED, upload: { ...PAUSED.upload, health } };
      return uploadPage(report, { nowMs, hasColour: false }).replaceAll(/\s+/g, ' ');
    };
    expect(page({ ...told, codes: ['no-permission', 'storage'] })).toContain(
      'the collector was told: telemetryd 0.1.0, captures by x11, faults: no-permission, storage last on 2026-11-24, at https://c.example.com;',
    );
    expect(page({ ...told, codes: [] })).toContain('captures by x11, no faults');
    expect(page()).toContain('the collector was told nothing of this program yet');
  });
});

describe('the status line', () => {
  it('has the state, events, bytes here and sent, and the gate with its blockers', () => {
    expect(statusLine(CAPTURING)).toBe(
      'capturing | 12,345 events | 1.2 MB on disk | 4.5 MB sent | gate open',
    );
    expect(statusLine(PAUSED)).toBe(
      'paused | 12,345 events | 1.2 MB on disk | 4.5 MB sent | gate closed: on-battery, not-wifi',
    );
    expect(statusLine(BLOCKED)).toContain('blocked (no-display) | ');
    const sending = { ...CAPTURING, upload: { ...CAPTURING.upload, isSending: true } };
    expect(statusLine(sending)).toContain('gate open, sending');
  });
});

describe('amounts and moments for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [1234, '1.2 KB'],
    [9949, '9.9 KB'],
    [9950, '10 KB'],
    [999_499, '999 KB'],
    [999_500, '1 MB'],
    [512_000_000, '512 MB'],
    [3e15, '3000 TB'],
  ])('prints %d bytes as %s', (bytes, text) => expect(roughBytes(bytes)).toBe(text));

  it('groups thousands', () => {
    expect([0, 999, 1000, 1_234_567].map(groupedCount)).toEqual(['0', '999', '1,000', '1,234,567']);
  });

  it('rounds spans to the nearest and names both directions', () => {
    expect(
      [-5, 44_600, 59_999, 179_000, 5_400_000, 7_200_000, 50_400_001, 172_800_000].map(roughSpan),
    ).toEqual(['0 s', '45 s', '1 min', '3 min', '1 h 30 min', '2 h', '14 h', '2 days']);
    expect(relative('2026-11-24T14:30:00.500Z', nowMs)).toBe('in 30 min');
    expect(relative('2026-11-24T13:59:59.000Z', nowMs)).toBe('just now');
    expect(localTime('2026-11-23T14:00:00.000Z', nowMs)).toBe('2026-11-23 14:00');
  });

  it('keeps a long word whole, to be copied', () => {
    expect(wrap(`in ${'x'.repeat(30)} here`, 20)).toEqual(['in', 'x'.repeat(30), 'here']);
    expect(printable('a\u0007b\u009bc')).toBe('a?b?c');
  });
});
