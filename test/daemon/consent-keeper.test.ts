import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import { ConsentKeeper } from '../../src/daemon/consent-keeper.ts';
import { openConsent } from '../../src/privacy/consent-file.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { HandClock } from './hand-clock.ts';
import { loadedFrom, OWNER } from './policies.ts';

const NARROW = loadedFrom('[capture]\nkeys = "activity"\n[upload]\nurl = "http://127.0.0.1:7717"\n');
const WIDE = loadedFrom('[capture]\nkeys = "shortcuts"\n[upload]\nurl = "http://127.0.0.1:7717"\n');
const NARROWER = loadedFrom('[capture]\nkeys = "off"\n[upload]\nurl = "http://127.0.0.1:7717"\n');

function keeperOver(stateDir: string) {
  const facts: LedgerFact[] = [];
  let made = 0;
  const file = openConsent(stateDir, (size) => new Uint8Array(size).fill(++made));
  const keeper = new ConsentKeeper({
    clock: new HandClock(),
    file,
    uid: 1000,
    ledgerHead: () => 'ef'.repeat(32),
    record: (more) => facts.push(...more),
  });
  return { keeper, facts };
}

function grant(
  keeper: ConsentKeeper,
  via: 'terminal' | 'script' = 'script',
  noticeId = keeper.notice().id,
): void {
  keeper.grant({ noticeId, via, ownerRecipient: OWNER });
}

it('is missing until it is given, and is written down when it is', () => {
  const { keeper, facts } = keeperOver(tempFolder());
  keeper.policyChanged(NARROW);
  expect(keeper.standing).toBe('missing');
  grant(keeper, 'terminal');
  expect(keeper.standing).toBe('granted');
  expect(keeper.view.receipt).toMatchObject({ uid: 1000, via: 'terminal', noticeId: keeper.notice().id });
  expect(facts).toEqual([
    {
      type: 'consent',
      change: 'granted',
      receipt: keeper.view.receipt?.id,
      notice: keeper.notice().id,
    },
  ]);
});

it('cannot be given to another notice than the one in force', () => {
  const { keeper, facts } = keeperOver(tempFolder());
  keeper.policyChanged(NARROW);
  const shown = keeper.notice().id;
  keeper.policyChanged(WIDE);
  expect(keeper.notice().id).not.toBe(shown);
  expect(() => grant(keeper, 'script', shown)).toThrow('the policy changed since the notice was shown');
  expect(keeper.standing).toBe('missing');
  expect(facts).toEqual([]);
});

it('cannot be given without a policy, and there is no notice then', () => {
  const { keeper } = keeperOver(tempFolder());
  keeper.policyChanged(null);
  expect(keeper.standing).toBe('missing');
  expect(() => keeper.notice()).toThrow(TelemetryError);
  expect(() => grant(keeper, 'script', '')).toThrow('there is no valid policy');
});

it('is stale under a policy that takes more, which is written down once, and stands under one that takes less', () => {
  const { keeper, facts } = keeperOver(tempFolder());
  keeper.policyChanged(NARROW);
  grant(keeper);
  keeper.policyChanged(NARROWER);
  expect(keeper.standing).toBe('granted');
  keeper.policyChanged(WIDE);
  keeper.policyChanged(WIDE);
  expect(keeper.standing).toBe('stale');
  expect(keeper.view.changes.length).toBeGreaterThan(0);
  keeper.policyChanged(NARROW);
  expect(keeper.standing).toBe('granted');
  expect(facts.map((fact) => fact.type === 'consent' && fact.change)).toEqual(['granted', 'stale']);
});

it('is what it was after a restart', () => {
  const stateDir = tempFolder();
  const first = keeperOver(stateDir);
  first.keeper.policyChanged(NARROW);
  grant(first.keeper);
  const second = keeperOver(stateDir);
  second.keeper.policyChanged(NARROW);
  expect(second.keeper.view).toEqual(first.keeper.view);
  second.keeper.revoke();
  const third = keeperOver(stateDir);
  third.keeper.policyChanged(NARROW);
  expect(third.keeper.standing).toBe('revoked');
});

it('lets data go only where its receipt says, and nowhere once it is revoked', () => {
  const { keeper } = keeperOver(tempFolder());
  keeper.policyChanged(NARROW);
  grant(keeper);
  const receipt = keeper.view.receipt?.id ?? '';
  expect(keeper.mayLeave(receipt, 'http://127.0.0.1:7717')).toBe(true);
  expect(keeper.mayLeave(receipt, 'http://127.0.0.1:7718')).toBe(false);
  expect(keeper.mayLeave('018f0000-0000-7000-8000-000000000001', 'http://127.0.0.1:7717')).toBe(false);
  keeper.revoke();
  grant(keeper);
  expect(keeper.mayLeave(receipt, 'http://127.0.0.1:7717')).toBe(false);
  expect(keeper.mayLeave(keeper.view.receipt?.id ?? '', 'http://127.0.0.1:7717')).toBe(true);
});

it('is revoked at once even when the disk does not take it, and that is said', () => {
  const stateDir = tempFolder();
  const { keeper } = keeperOver(stateDir);
  keeper.policyChanged(NARROW);
  grant(keeper);
  const path = join(stateDir, 'consent.json');
  const before = readFileSync(path, 'utf8');
  rmSync(path);
  mkdirSync(path);
  expect(() => keeper.revoke()).toThrow();
  expect(keeper.standing).toBe('revoked');
  rmSync(path, { recursive: true });
  keeper.revoke();
  expect(readFileSync(path, 'utf8')).not.toBe(before);
});
