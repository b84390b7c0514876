import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ReportData } from '../../src/cli/report/gather.ts';
import { bytesSection } from '../../src/cli/report/section-amounts.ts';
import { encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import { Browser, findBrowser } from '../browser.ts';
import { temporaryFolder } from '../control/sockets.ts';
import { fillState } from './report-state.ts';
import { run } from './run.ts';
import { SEGMENT_ID, sealed } from './segments.ts';

process.env['TZ'] = 'UTC';

let stateDir = '';
let file = '';
let page = '';
beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'report-'));
  fillState(stateDir);
  file = join(stateDir, 'page.html');
  const outcome = await run(['report', '--out', 'page.html'], { stateDir });
  expect(outcome).toMatchObject({ code: 0, out: `${file}\n`, err: '' });
  page = readFileSync(file, 'utf8');
});

afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

/** What is written in an element, tags left out. */
function textOf(id: string): string {
  const section = new RegExp(`<section aria-labelledby="${id}">([^]*?)</section>`).exec(page)?.[1] ?? '';
  return section.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
}

describe('telemetryctl report', () => {
  it('says when it recorded and when not, by day and in all', () => {
    const text = textOf('states');
    expect(text).toContain('recorded, 50 h 45 min');
    expect(text).toContain('paused, 3 h 30 min');
    expect(text).toMatch(/Wed 18 Nov 7 h 45 min/);
    expect(text).toMatch(/Tue 17 Nov none/);
    expect(text).toContain('not known, 32 h 30 min');
    expect(page.match(/class="s-paused"/g)?.length).toBeGreaterThanOrEqual(7);
  });

  it('counts events by the hour and kind, and what was kept of keys', () => {
    expect(textOf('events')).toMatch(/Clicks tallest bar: [\d,]+ an hour; 20,300 in all/);
    expect(textOf('events')).toMatch(/Tue 24 Nov, 13:00( [\d,]+){4}/);
    expect(textOf('keys')).toMatch(/text [\d,]+ 812 edit 0 1,218 navigation 0 406/);
    expect(textOf('keys')).toContain(
      'Every name that was kept: Enter (406), Tab (406), Backspace (406), Ctrl+C (203)',
    );
  });

  it('shows bytes by day against the budget, and what it cost by the hour', () => {
    expect(textOf('bytes')).toMatch(/Wed 18 Nov \d+ KB/);
    expect(textOf('cost')).toMatch(/Processor 0\.\d\d % on average/);
    expect(textOf('cost')).toMatch(/Memory \d\d MB on average/);
    expect(page).toContain('203 files still on this device');
  });

  it('says what a running daemon may send in a day and a month, and what is spent', () => {
    const sent = { todayBytes: 0, monthBytes: 4_000_000, totalBytes: 0, totalSegments: 0 };
    const upload = { budget: { dailyBytes: 20_000_000, monthlyBytes: 300_000_000 }, destination: '', sent };
    const data = { days: [], status: { upload } } as unknown as ReportData;
    expect(bytesSection(data)).toContain('20 MB a day and 300 MB a month, of which 4 MB are spent.');
  });

  it('is one file with no script, nothing from elsewhere, and a policy that has a browser refuse both', () => {
    expect(page).not.toMatch(
      /<(script|link|img|iframe|object|embed|form|base)\b|\son\w+=|\sstyle=|javascript:|url\(/i,
    );
    expect(page).not.toMatch(/(src|href)=/);
    const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    );
    const opened = [...page.matchAll(/<(\w+)[^>]*?(\/?)>/g)]
      .filter(([, , end]) => end === '')
      .map(([, tag]) => tag);
    for (const tag of ['section', 'table', 'div', 'svg', 'ul', 'details']) {
      expect(opened.filter((name) => name === tag)).toHaveLength(page.split(`</${tag}>`).length - 1);
    }
  });

  it('is for its owner alone, replaces no file and follows no link', async () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await run(['report', '--out', 'page.html'], { stateDir });
    expect(again).toMatchObject({ code: 2, out: '' });
    symlinkSync('/nowhere/at/all', join(stateDir, 'link.html'));
    await run(['report', '--out', 'link.html'], { stateDir });
    expect(readFileSync(file, 'utf8')).toBe(page);
    expect(readdirSync(stateDir).filter((name) => name.includes('.part-'))).toEqual([]);
    const { out } = await run(['report', '--since', '1d', '--json'], { stateDir });
    const { path } = JSON.parse(out) as { path: string };
    expect(path).toBe(join(stateDir, 'reports', '2026-11-24-140000.html'));
    expect(statSync(join(stateDir, 'reports')).mode & 0o777).toBe(0o700);
    expect(readFileSync(path, 'utf8')).not.toContain('Sun 22 Nov');
  });

  it('says what it could not open, and writes names from files as text', async () => {
    const folder = temporaryFolder();
    fillState(folder);
    const { recipient } = await newIdentity();
    writeFileSync(join(folder, 'sent', `${SEGMENT_ID}.tlm.age`), await encryptFor([recipient], sealed()));
    const history = join(folder, 'history.jsonl');
    writeFileSync(history, `${readFileSync(history, 'utf8')}{"at":1,"state":"<b>"}\nnot json\n`);
    chmodSync(history, 0o600);
    const { code } = await run(['report', '--out', '<i>.html'], { stateDir: folder });
    expect(code).toBe(0);
    expect(readFileSync(join(folder, '<i>.html'), 'utf8')).toContain('1 file could not be opened');
  });

  it('is made where there is nothing yet, and refuses what is not kept', async () => {
    const empty = join(temporaryFolder(), 'none');
    const { code, out } = await run(['report'], { stateDir: empty, env: { HOME: empty } });
    expect(code).toBe(0);
    expect(readFileSync(out.trim(), 'utf8')).toContain('Nothing is known yet');
    expect(await run(['report', '--since', '32d'], { stateDir })).toMatchObject({ code: 2, out: '' });
  });

  const browser = findBrowser();
  it.runIf(browser !== undefined)(
    'fits a phone and a desk in a real browser, light and dark, and loads nothing',
    async () => {
      const chromium = await Browser.open(browser ?? '');
      onTestFinished(() => chromium.close());
      const shots: Buffer[] = [];
      for (const [width, scheme] of [
        [390, 'light'],
        [390, 'dark'],
        [1100, 'light'],
      ] as const) {
        await chromium.show(pathToFileURL(file).href, width, scheme);
        expect(await chromium.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        const dark = await chromium.evaluate<string>('getComputedStyle(document.body).backgroundColor');
        expect(dark).toBe(scheme === 'dark' ? 'rgb(15, 20, 25)' : 'rgb(255, 255, 255)');
        const bars = await chromium.evaluate<number[]>(
          "[...document.querySelectorAll('svg')].map((each) => each.getBoundingClientRect().width)",
        );
        expect(Math.min(...bars)).toBeGreaterThan(200);
        shots.push(await chromium.screenshot());
      }
      const asked = chromium.reported.filter(({ method }) => method === 'Network.requestWillBeSent');
      expect(asked).toHaveLength(3);
      expect(chromium.reported.filter(({ method }) => method === 'Log.entryAdded')).toEqual([]);
      const { SHOTS } = process.env;
      if (SHOTS !== undefined)
        for (const [at, shot] of shots.entries()) writeFileSync(join(SHOTS, `${at}.png`), shot);
    },
  );
});
