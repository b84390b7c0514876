import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestClient } from '../capture/test-window.ts';
import { Desk, readIfThere, segmentFiles } from './desk.ts';

/** A word that nothing else would make, without a letter twice in a row: a key goes down and up. */
const LETTERS = Array.from({ length: 14 }, (_, at) =>
  String.fromCharCode(97 + (at % 2) * 13 + Math.floor(Math.random() * 13)),
);
const CANARY = LETTERS.join('');
/** No two files share so many bytes in a row by chance. */
const SAMPLE_BYTES = 12;

describe('a bug report', () => {
  const desk = new Desk();
  let x: TestClient;
  /** Segments as they lay on disk while the report was made, under every name they had. */
  let segments: Buffer[] = [];

  beforeAll(async () => {
    await desk.startDisplay();
    await desk.display.startManager();
    await desk.startCollector();
    desk.writePolicy({
      segment: { roll: '"4s"', flush: '"1s"' },
      upload: { schedule: '"0 0 1 1 *"' },
    });
    x = await TestClient.connect(desk.display.name);
    await x.window({ title: CANARY, wmClass: CANARY });
    await desk.startDaemon(['--log-level', 'trace']);
    await desk.grant();
    await desk.waitFor('the window to be known', ({ capture }) => capture.focus === 'known', 60_000);
  });

  afterAll(async () => {
    x.close();
    await desk.close();
  });

  it('of a person who is recorded holds nothing of what was recorded, in no encoding', async () => {
    // By name where it is a chord, by its class where it is text, in a window and an application of that name.
    await desk.display.input(...LETTERS.map((letter) => `key ctrl+${letter} sleep 0.03`), `type ${CANARY}`);
    await desk.waitFor(
      'it to be sealed',
      ({ upload, capture }) => capture.events.recorded >= 2 * CANARY.length && upload.queued.segments > 0,
      60_000,
    );
    const folder = mkdtempSync(path.join(os.tmpdir(), 'report-'));
    try {
      const log = path.join(folder, 'daemon.log');
      writeFileSync(log, desk.daemon?.out ?? '');
      const report = path.join(folder, 'report.tar.gz');
      await desk.ok('bugreport', '--yes', '--log', log, '--out', report);
      segments = segmentFiles(desk.stateDir).flatMap((file) => readIfThere(file) ?? []);
      const bytes = gunzipSync(readFileSync(report));
      expect(bytes.toString()).toContain('daemon-started');
      expect(bytes.toString()).toContain('"state": "capturing"');
      expect(tracesIn(bytes, segments)).toEqual([]);
      expect(bytes.includes(path.join(desk.root, 'home'))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('of a daemon that was killed says so, where the one of a daemon that records finds it well', async () => {
    const severities = async (): Promise<Record<string, string>> => {
      const { checks } = JSON.parse((await desk.ctl('doctor', '--json')).stdout) as {
        checks: { name: string; severity: string }[];
      };
      return Object.fromEntries(checks.map(({ name, severity }) => [name, severity]));
    };
    const well = {
      daemon: 'ok',
      socket: 'ok',
      display: 'ok',
      permissions: 'ok',
      consent: 'ok',
      collector: 'ok',
    };
    expect(await severities()).toMatchObject({ ...well, 'state-folder': 'ok', clock: 'ok' });
    await desk.daemon?.stop('SIGKILL');
    expect(await severities()).toMatchObject({ daemon: 'fail', socket: 'fail', backend: 'skipped' });
    expect((await desk.ctl('doctor')).code).toBe(10);
  });

  it('is searched by what finds it where it is: in an export, in a title, in a segment', async () => {
    const exported = Buffer.from(await desk.ok('export', '--format', 'jsonl'));
    expect(tracesIn(exported, [])).toEqual(['as keys']);
    expect(segments.length).toBeGreaterThan(0);
    const archive = Buffer.concat([Buffer.from('before'), ...segments, Buffer.from('after')]);
    expect(tracesIn(archive, segments)).toEqual(['as a segment']);
    expect(tracesIn(Buffer.from(`"title": "${CANARY}"`), [])).toEqual(['as text']);
    expect(tracesIn(Buffer.from(`x${CANARY}`, 'utf16le'), [])).toEqual(['as utf16le']);
    for (const before of ['', 'x', 'xy'])
      expect(tracesIn(Buffer.from(Buffer.from(`${before}${CANARY}z`).toString('base64')), [])).toEqual([
        'as base64',
      ]);
  });
});

/** In which ways the canary is in there. */
function tracesIn(bytes: Buffer, segments: readonly Buffer[]): string[] {
  const text = bytes.toString('latin1');
  const lower = text.toLowerCase();
  const found: string[] = [];
  if (lower.includes(CANARY) || lower.includes(LETTERS.toReversed().join(''))) found.push('as text');
  if (bytes.includes(Buffer.from(CANARY, 'utf16le'))) found.push('as utf16le');
  if (lower.includes(Buffer.from(CANARY).toString('hex'))) found.push('as hex');
  if (base64Forms(CANARY).some((form) => text.includes(form))) found.push('as base64');
  const keys = [...text.matchAll(/Key([A-Z])\b/g)].map(([, letter = '']) => letter.toLowerCase()).join('');
  if (keys.replaceAll(/(.)\1+/g, '$1').includes(CANARY)) found.push('as keys');
  if (segments.some((segment) => sharesBytes(segment, bytes))) found.push('as a segment');
  return found;
}

/** What base64 makes of a text at each of the three places where it can begin, without what its neighbours change. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from(`${'\0'.repeat(offset)}${text}`)
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(offset === 0 ? 0 : offset + 1, -2);
  });
}

/** Whether any bytes of a segment, but for the words that every age file begins with, stand in there. */
function sharesBytes(segment: Buffer, bytes: Buffer): boolean {
  const start = segment.indexOf('\n---') < 0 ? 0 : segment.indexOf('\n---');
  for (let at = start; at + SAMPLE_BYTES <= segment.length; at += SAMPLE_BYTES) {
    const sample = segment.subarray(at, at + SAMPLE_BYTES);
    if (new Set(sample).size > 4 && bytes.includes(sample)) return true;
  }
  return false;
}
