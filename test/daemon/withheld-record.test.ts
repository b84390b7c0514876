import { expect, it } from 'vitest';
import { WithheldRecord } from '../../src/daemon/withheld-record.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';

const AT = Date.UTC(2026, 6, 1, 8);

it('writes down from when until when nothing was recorded, and why, once it is over', () => {
  const facts: LedgerFact[] = [];
  const record = new WithheldRecord((more) => facts.push(...more));
  record.begin('paused', AT);
  record.begin('paused', AT + 1000);
  expect(facts).toEqual([]);
  record.begin('locked', AT + 60_000);
  record.end(AT + 90_000);
  record.end(AT + 95_000);
  expect(facts).toEqual([
    {
      type: 'withheld',
      cause: 'paused',
      from: '2026-07-01T08:00:00.000Z',
      until: '2026-07-01T08:01:00.000Z',
    },
    {
      type: 'withheld',
      cause: 'locked',
      from: '2026-07-01T08:01:00.000Z',
      until: '2026-07-01T08:01:30.000Z',
    },
  ]);
});

it('never ends before it began, whatever the clock does', () => {
  const facts: LedgerFact[] = [];
  const record = new WithheldRecord((more) => facts.push(...more));
  record.begin('paused', AT);
  record.end(AT - 60_000);
  expect(facts).toMatchObject([{ from: '2026-07-01T08:00:00.000Z', until: '2026-07-01T08:00:00.000Z' }]);
});
