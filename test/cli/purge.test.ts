import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PurgeReceipt } from '../../src/core/purge.ts';
import { openConsent } from '../../src/privacy/consent-file.ts';
import { readLedger } from '../../src/privacy/ledger.ts';
import { openDevice } from '../../src/spool/device-file.ts';
import { acquireProcessLock } from '../../src/spool/process-lock.ts';
import { readRequests } from '../../src/spool/request-files.ts';
import { Spool } from '../../src/spool/spool.ts';
import { addSealed } from '../daemon/filled-spool.ts';
import { loadedFrom, OWNER } from '../daemon/policies.ts';
import { segmentId } from '../spool/samples.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { run } from './run.ts';

/** The files of a daemon that is down, with two segments. */
function resting(): string {
  const stateDir = tempFolder();
  const spool = new Spool(stateDir);
  spool.recover();
  for (const n of [1, 2]) addSealed(spool, n);
  spool.stop();
  return stateDir;
}

const isThere = (stateDir: string, n: number): boolean =>
  existsSync(join(stateDir, 'sealed', `${segmentId(n)}.tlm`));

describe('purge with the daemon down', () => {
  it('asks, and a no changes nothing', async () => {
    const stateDir = resting();
    const { code, err, asked } = await run(['purge', '--all'], { stateDir, answers: ['n'] });
    expect(code).toBe(1);
    expect(asked).toEqual(['Remove it for good? [y/N] ']);
    expect(err).toContain('2 segments');
    expect(isThere(stateDir, 1)).toBe(true);
  });

  it('refuses without a terminal and without --yes, and waits for nothing', async () => {
    const stateDir = resting();
    const { code, err } = await run(['purge', '--unsent'], { stateDir });
    expect(code).toBe(2);
    expect(err).toContain('Try: telemetryctl purge --unsent --yes');
    expect(isThere(stateDir, 1)).toBe(true);
  });

  it('shows with --dry-run what it would remove, and removes nothing', async () => {
    const stateDir = resting();
    const { code, out } = await run(['purge', '--all', '--dry-run', '--json'], { stateDir });
    expect(code).toBe(0);
    const { segments } = JSON.parse(out) as { segments: { id: string; isWhole: boolean }[] };
    expect(segments).toMatchObject([
      { id: segmentId(1), isWhole: true },
      { id: segmentId(2), isWhole: true },
    ]);
    expect(isThere(stateDir, 1)).toBe(true);
    expect([...readLedger(stateDir)]).toEqual([]);
  });

  it('removes it, says what it removed and where copies may be, and writes it down', async () => {
    const stateDir = resting();
    const { code, out } = await run(['purge', '--all', '--yes'], { stateDir });
    expect(code).toBe(0);
    expect(out).toContain('40 events in 2 segments');
    expect(out).toContain(`${segmentId(1)} (sealed`);
    expect(out).toMatch(/snapshots and backups may\s+still hold these files/);
    expect([isThere(stateDir, 1), isThere(stateDir, 2)]).toEqual([false, false]);
    expect([...readLedger(stateDir)]).toMatchObject([{ type: 'purged', segments: 2, events: 40 }]);
    const listed = await run(['purge', 'list', '--json'], { stateDir });
    const { purges } = JSON.parse(listed.out) as { purges: PurgeReceipt[] };
    expect(purges).toMatchObject([{ scope: 'all', segments: [{}, {}] }]);
  });

  it('touches nothing while a daemon holds the files', async () => {
    const stateDir = resting();
    const lock = acquireProcessLock(stateDir, 'this-boot');
    const { code, err } = await run(['purge', '--all', '--yes'], { stateDir });
    lock.release();
    expect(code).toBe(1);
    expect(err).toContain('another telemetryd');
    expect(isThere(stateDir, 1)).toBe(true);
  });

  it.each([[[]], [['--all', '--unsent']], [['--last', '10']], [['--last', '0s']]])(
    'refuses %j',
    async (words) => {
      const { code, err } = await run(['purge', ...words, '--yes'], { stateDir: tempFolder() });
      expect(code).toBe(2);
      expect(err).toContain('Try: telemetryctl purge --last');
    },
  );
});

describe('consent revoke with the daemon down', () => {
  it('holds from the next start, outside the state folder too, and purges what it is told to', async () => {
    const stateDir = resting();
    const { code, out } = await run(['consent', 'revoke', '--yes', '--purge-unsent', '--json'], { stateDir });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ state: 'revoked', purge: { scope: 'unsent' } });
    expect(isThere(stateDir, 1)).toBe(false);
    const kept = join(stateDir, '.config/telemetryd/consent-revoked.json');
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toMatchObject({ schema: 1 });
    expect([...readLedger(stateDir)]).toMatchObject([
      { type: 'consent', change: 'revoked' },
      { type: 'purged' },
    ]);
  });

  it('has the collector told once a daemon runs again', async () => {
    const stateDir = resting();
    const { policy, id: policyId } = loadedFrom('[upload]\nurl = "http://127.0.0.1:7717"\n');
    const inForce = { policy, policyId, noticeId: 'aa'.repeat(8) };
    const grant = {
      noticeId: 'aa'.repeat(8),
      via: 'terminal',
      ownerRecipient: OWNER,
      uid: 1,
      wallMs: 1,
    } as const;
    const granted = openConsent(stateDir, randomBytes).grant(
      { ...grant, ledgerHead: 'cd'.repeat(32) },
      inForce,
    );
    if (granted.kind !== 'granted') throw new Error('it was not granted');
    expect((await run(['consent', 'revoke', '--yes'], { stateDir })).code).toBe(0);
    expect(readRequests(stateDir)).toMatchObject([
      {
        kind: 'withdrawal',
        destination: 'http://127.0.0.1:7717',
        device: openDevice(stateDir, randomBytes).pseudonym,
        body: { receipts: [granted.receipt.id] },
      },
    ]);
  });

  it('offers on a terminal to purge, and leaves everything when the answers are no', async () => {
    const stateDir = resting();
    const { code, asked } = await run(['consent', 'revoke'], { stateDir, answers: ['y', 'n', 'n'] });
    expect(code).toBe(0);
    expect(asked).toHaveLength(3);
    expect(isThere(stateDir, 1)).toBe(true);
  });
});
