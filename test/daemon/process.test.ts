import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/conditions/clock-node.ts';
import { startPause } from '../../src/core/pause.ts';
import { readLedger, verifyLedger } from '../../src/privacy/ledger.ts';
import { readSegment } from '../../src/segment/read.ts';
import { readPauses, writePauses } from '../../src/spool/pauses-file.ts';
import { Spool } from '../../src/spool/spool.ts';
import { type Desk, segmentFiles, until } from '../e2e/desk.ts';
import { segmentId } from '../spool/samples.ts';
import { newDesk, TIMEOUT_MS, telemetryd } from './daemon-program.ts';
import { addSealed } from './filled-spool.ts';

function ledgerOf(desk: Desk) {
  return [...readLedger(desk.stateDir)];
}

/** A recording of as many seconds, ten moves each. */
function writeRecording(desk: Desk, seconds: number): string {
  const rows = Array.from({ length: seconds * 10 }, (_, i) => `${i * 100_000},0,${i},${i % 700},0,0`);
  const file = path.join(desk.root, 'recording.csv');
  writeFileSync(file, `t_us,kind,x,y,a,b\n${rows.join('\n')}\n`);
  return file;
}

describe('telemetryd run', { timeout: TIMEOUT_MS }, () => {
  it('works without a display, says why it cannot capture, and ends at SIGTERM with 0 and a sound ledger', async () => {
    const desk = newDesk();
    await desk.startDaemon();
    expect((await desk.status()).collection).toMatchObject({ state: 'awaiting-consent' });
    await desk.ok('consent', 'grant', '--yes');
    const status = await desk.waitFor(
      'capture to fail',
      ({ collection }) => collection.state === 'blocked' && collection.reasons[0]?.code === 'no-display',
    );
    expect(status.capture).toMatchObject({ alive: false });
    expect(await desk.daemon?.stop()).toBe(0);
    expect(ledgerOf(desk).map(({ type }) => type)).toEqual(['started', 'policy', 'consent', 'stopped']);
    expect(verifyLedger(desk.stateDir).ok).toBe(true);
    expect(existsSync(path.join(desk.stateDir, 'run', 'control.sock'))).toBe(false);
  });

  it('is refused a second time with the process that runs, and leaves that alone', async () => {
    const desk = newDesk();
    await desk.startDaemon();
    const second = telemetryd(desk, 'run');
    expect(await second.exited).toBe(1);
    const pid = desk.daemon?.child.pid ?? 0;
    expect(second.out).toContain(`another telemetryd (pid ${pid}) uses ${desk.stateDir}`);
    expect(second.out).toMatch(/^Try: stop it/m);
    expect((await desk.status()).daemon.pid).toBe(pid);
  });

  it('starts over the leavings of one that was killed', async () => {
    const desk = newDesk();
    await desk.startDaemon();
    await desk.daemon?.stop('SIGKILL');
    await desk.startDaemon();
    expect(await desk.daemon?.stop()).toBe(0);
    expect(ledgerOf(desk).map(({ type }) => type)).toEqual([
      'started',
      'policy',
      'started',
      'policy',
      'stopped',
    ]);
  });

  it('makes good what the ledger lacks of a killed one’s segments, once', async () => {
    const desk = newDesk();
    const spool = new Spool(desk.stateDir);
    spool.recover();
    addSealed(spool, 1);
    addSealed(spool, 2);
    spool.takeForRound([segmentId(2)], 'http://127.0.0.1:7717');
    const sent = {
      sha256: 'c'.repeat(64),
      bytes: 300,
      chargedBytes: 400,
      destination: desk.url,
      atWallMs: 1,
    };
    spool.markSent(segmentId(2), sent);
    spool.stop();
    for (let start = 0; start < 2; start++) {
      await desk.startDaemon();
      await desk.daemon?.stop();
    }
    const facts = ledgerOf(desk).filter(({ type }) => type === 'captured' || type === 'sent');
    expect(facts).toMatchObject([
      { type: 'captured', segment: segmentId(1), events: 20 },
      { type: 'sent', segment: segmentId(2), bytes: 300, destination: desk.url },
    ]);
    expect(verifyLedger(desk.stateDir).ok).toBe(true);
  });

  it('seals what it has at SIGTERM', async () => {
    const desk = newDesk();
    const program = telemetryd(desk, 'run', '--replay', writeRecording(desk, 600), '--speed', '20');
    const replayDir = path.join(desk.stateDir, 'replay');
    await until('some segments', () => segmentFiles(replayDir).length > 2);
    expect(await program.stop()).toBe(0);
    expect(readdirSync(path.join(replayDir, 'journal'))).toEqual([]);
    const events = segmentFiles(replayDir).map((file) => readSegment(readFileSync(file)).columns.count);
    const total = events.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(50);
    expect(program.out).toContain(`Replayed ${total} events`);
  });

  it('stops when standard input closes, if that was asked for', async () => {
    const desk = newDesk();
    const program = telemetryd(desk, 'run', '--until-stdin-closes');
    await until('the start', () => program.out.includes('telemetryd started'));
    await sleep(200);
    expect(program.isRunning).toBe(true);
    program.child.stdin?.end();
    expect(await program.exited).toBe(0);
    expect(ledgerOf(desk).at(-1)).toMatchObject({ type: 'stopped', cause: 'standard input closed' });
  });

  it('does not mind the end of standard input otherwise', async () => {
    const desk = newDesk();
    const program = telemetryd(desk, 'run');
    program.child.stdin?.end();
    await until('the start', () => program.out.includes('telemetryd started'));
    await sleep(200);
    expect(program.isRunning).toBe(true);
    expect(await program.stop('SIGINT')).toBe(0);
  });

  it('keeps the pauses when it cannot start', async () => {
    const desk = newDesk();
    mkdirSync(desk.stateDir, { recursive: true });
    const pause = startPause('person', 600_000, 'dentist', new SystemClock());
    writePauses(desk.stateDir, [pause]);
    // Something that is no file in the place of one.
    mkdirSync(path.join(desk.stateDir, 'ledger.jsonl'));
    const program = telemetryd(desk, 'run');
    expect(await program.exited).toBe(1);
    const read = readPauses(desk.stateDir);
    expect(read.kind === 'ok' && read.value.map(({ reason }) => reason)).toEqual(['dentist']);
  });
});
