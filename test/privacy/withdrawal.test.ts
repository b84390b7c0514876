import { expect, it } from 'vitest';
import { withdrawalHandler } from '../../src/daemon/withdrawal-handler.ts';
import { withdrawalsOf } from '../../src/privacy/withdrawal.ts';
import { keepingLog } from '../control/reports.ts';

it('is told to every place that a receipt names, once, with all of its receipts', () => {
  const receipts = [
    { id: 'a', destination: 'https://one.example' },
    { id: 'b', destination: '' },
    { id: 'c', destination: 'https://two.example' },
    { id: 'd', destination: 'https://one.example' },
  ];
  expect(withdrawalsOf(receipts)).toEqual([
    { destination: 'https://one.example', receipts: ['a', 'd'] },
    { destination: 'https://two.example', receipts: ['c'] },
  ]);
});

it('is settled when the collector has named every receipt as withdrawn, and asked again before', () => {
  const handler = withdrawalHandler(keepingLog().log);
  const request = {
    id: 'r',
    kind: 'withdrawal',
    destination: 'https://one.example',
    device: 'd',
    body: { receipts: ['a', 'b'] },
    createdAt: '',
  } as const;
  expect(handler.answered(request, { withdrawn: ['a', 'b'] })).toEqual({ kind: 'settled' });
  for (const reply of [{ withdrawn: ['a'] }, {}, { withdrawn: 'a b' }])
    expect(handler.answered(request, reply)).toMatchObject({ kind: 'again' });
});
