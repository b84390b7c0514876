import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLedger, verifyLedger } from '../../src/privacy/ledger.ts';
import { fillDisk, tinyDisk } from '../spool/temp-folder.ts';
import { NARROW, newDesk, TIMEOUT_MS, WIDE } from './daemon-program.ts';

describe('a full disk under the daemon', { timeout: TIMEOUT_MS }, () => {
  it('is a reason in status, breaks no entry of the ledger, loses none, and is over by itself', async (context) => {
    const disk = tinyDisk();
    if (disk === undefined) return context.skip('mounting a tmpfs needs root');
    const desk = newDesk();
    desk.extraEnv = { TELEMETRYD_STATE_DIR: disk };
    await desk.startDaemon();
    const policies = [(await desk.status()).policy.id];
    /** Another policy takes force, which the ledger records. */
    const change = async () => {
      desk.writePolicy(policies.length % 2 === 0 ? NARROW : WIDE);
      desk.daemon?.child.kill('SIGHUP');
      const status = await desk.waitFor('the policy', ({ policy }) => policy.id !== policies.at(-1));
      policies.push(status.policy.id);
      return status;
    };
    fillDisk(disk);
    let status = await desk.status();
    // There is room in the last page of the ledger.
    while (status.spool.problem === null && policies.length < 30) status = await change();
    const reason = status.collection.reasons.find(({ code }) => code === 'storage');
    expect(reason?.text).toMatch(/ledger\.jsonl: ENOSPC/);
    expect(verifyLedger(disk)).toMatchObject({ ok: true });
    rmSync(path.join(disk, 'ballast'));
    // Within a minute the heartbeat would try again; the next entry does so at once.
    expect((await change()).spool.problem).toBeNull();
    expect(verifyLedger(disk)).toMatchObject({ ok: true });
    const recorded = [...readLedger(disk)].flatMap((entry) =>
      entry.type === 'policy' ? [entry.policy] : [],
    );
    expect(recorded).toEqual(policies);
  });
});
