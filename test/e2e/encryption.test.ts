import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import { FRAME, MAGIC, nextFrame } from '../../src/segment/frames.ts';
import { openSegment } from '../../src/segment/open-segment.ts';
import { Desk, readIfThere, segmentFiles, until } from './desk.ts';

const hasAge = spawnSync('age', ['--version']).status === 0;

/** Positions that nothing else would make: what is looked for. */
const CANARY = Array.from({ length: 12 }, () => ({
  x: 100 + Math.floor(Math.random() * 1100),
  y: 100 + Math.floor(Math.random() * 600),
}));

/** Its moves, and a chord of two keys pressed and released. */
const DRAWN = CANARY.length + 4;

describe('what is recorded', () => {
  const desk = new Desk();

  beforeAll(async () => {
    await desk.startRecording({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"6s"', flush: '"1s"' },
    });
  });

  afterAll(async () => {
    await desk.close();
  });

  const draw = async (): Promise<void> => {
    await desk.display.input(...CANARY.map(({ x, y }) => `mousemove ${x} ${y} sleep 0.03`), 'key ctrl+F11');
  };

  it('is on disk in no form that can be read without a key, in the journal, the spool or the collector', async () => {
    await draw();
    const journal = (): string[] => segmentFiles(path.join(desk.stateDir, 'journal'));
    await until('a block in the journal', () => journal().some((file) => hasFrames(readIfThere(file))));
    const inJournal = tracesBelow(desk.stateDir);
    await desk.sendAll();
    const later = [...tracesBelow(desk.stateDir), ...tracesBelow(desk.dataDir)];
    expect([...inJournal, ...later]).toEqual([]);
    for (const file of [...segmentFiles(desk.stateDir), ...desk.storedFiles()]) {
      const refusal = await openSegment(readFileSync(file)).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(TelemetryError);
      expect((refusal as TelemetryError).code).toBe('not-permitted');
    }
  });

  it('is found in the same places, in the same ways, where it is not encrypted', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'plain-'));
    try {
      const { plainCopies } = await import('./plain-copies.ts');
      plainCopies(folder, CANARY);
      expect(tracesBelow(folder).length).toBeGreaterThanOrEqual(readdirSync(folder).length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is opened by the person whose it is, to the last event', async () => {
    const moves = (await desk.stored()).filter((event) => event.kind === 'move');
    expect(moves.map(({ x, y }) => ({ x, y }))).toEqual(CANARY);
  });

  it.runIf(hasAge)('is a plain age file, which the stock age command opens', () => {
    const [file = ''] = desk.storedFiles();
    const identity = path.join(desk.root, 'home/.config/telemetryd/identity.txt');
    const opened = execFileSync('age', ['-d', '-i', identity, file]);
    expect(opened.subarray(0, 4)).toEqual(Buffer.from([0x89, 0x54, 0x4c, 0x4d]));
    expect(() => execFileSync('age', ['-d', '-i', '/dev/null', file], { stdio: 'pipe' })).toThrow();
  });

  it('leaves no key behind once it is sealed', () => {
    expect(keyFiles(desk)).toEqual([]);
  });

  it('survives kill -9 in mid-segment: the key outlives the daemon in memory, and the journal is sealed', async () => {
    await desk.drawAndKill(draw, DRAWN);
    expect(keyFiles(desk)).toHaveLength(1);
    await desk.startDaemon();
    await desk.sendAll();
    expect(keyFiles(desk).length).toBeLessThanOrEqual(1);
    const moves = (await desk.stored()).filter((event) => event.kind === 'move');
    expect(moves).toHaveLength(2 * CANARY.length);
  });

  it('survives a restart of the machine, which takes the key: the journal is sent as it is, and opens for the person', async () => {
    await desk.drawAndKill(draw, DRAWN);
    for (const file of keyFiles(desk)) rmSync(file);
    await desk.startDaemon();
    await desk.sendAll();
    const moves = (await desk.stored()).filter((event) => event.kind === 'move');
    expect(moves).toHaveLength(3 * CANARY.length);
    expect(tracesBelow(desk.dataDir)).toEqual([]);
  });
});

/** Whether anything stands behind the header. */
function hasFrames(bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) return false;
  const header = nextFrame(bytes, MAGIC.length);
  return header !== undefined && nextFrame(bytes, header.end)?.type === FRAME.encrypted;
}

/** Keys of journals that lie in memory-backed files now. */
function keyFiles(desk: Desk): string[] {
  const name = createHash('sha256').update(desk.stateDir).digest('hex').slice(0, 16);
  const folders = [
    path.join(desk.stateDir, 'run/keys'),
    `/dev/shm/telemetryd-${process.getuid?.() ?? 0}-${name}`,
  ];
  return folders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
          entry.isFile() ? [path.join(entry.parentPath, entry.name)] : [],
        )
      : [],
  );
}

/** Places where three of the canary's positions in a row can be read, as text or as numbers of any usual form. */
function tracesBelow(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const bytes = readIfThere(file);
    if (bytes === undefined) continue;
    for (const [form, pattern] of forms()) {
      if ([bytes, ...unpacked(bytes)].some((version) => version.includes(pattern)))
        found.push(`${file}: ${form}`);
    }
    if (/F11/.test(bytes.toString('latin1'))) found.push(`${file}: key`);
  }
  return found;
}

function forms(): [string, Buffer][] {
  const three = CANARY.slice(3, 6);
  const xs = three.map(({ x }) => x);
  const pairs = three.flatMap(({ x, y }) => [x, y]);
  return [
    ['text', Buffer.from(xs.join(','))],
    ['text pair', Buffer.from(`${pairs[0] ?? 0},${pairs[1] ?? 0}`)],
    ['JSON', Buffer.from(`"x":${xs[0] ?? 0},"y":${pairs[1] ?? 0}`)],
    ['int32', Buffer.from(Int32Array.from(xs).buffer)],
    ['int16', Buffer.from(Int16Array.from(xs).buffer)],
    ['int16 pairs', Buffer.from(Int16Array.from(pairs).buffer)],
    ['float64', Buffer.from(Float64Array.from(xs).buffer)],
  ];
}

/** What could be unpacked without any key, at every place where it might begin in a short file. */
function unpacked(bytes: Buffer): Buffer[] {
  const versions: Buffer[] = [];
  for (let at = 0; at < Math.min(bytes.length, 600); at++) {
    try {
      versions.push(brotliDecompressSync(bytes.subarray(at), { maxOutputLength: 1 << 20 }));
    } catch {
      // Not packed from here on.
    }
  }
  return versions;
}
