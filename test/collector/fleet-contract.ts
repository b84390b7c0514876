import { expect, it } from 'vitest';
import type { Books } from '../../src/collector/books.ts';
import { newRecord } from './catalog-contract.ts';

const HEALTH = { version: '0.1.0', backend: 'x11', codes: ['quarantined', 'storage'] };
const DAY_MS = 86_400_000;

/** What the books of the fleet and the page must do, wherever they are kept. `open` gives started, empty ones. */
export function fleetContract(open: () => Promise<Pick<Books, 'health' | 'admins' | 'traffic' | 'catalog'>>) {
  it('keep the last word of each device, and forget those that are gone', async () => {
    const { health } = await open();
    await health.put({ ...HEALTH, device: 'a', day: '2026-01-01' });
    await health.put({ ...HEALTH, device: 'b', day: '2026-01-01', codes: [] });
    await health.put({
      device: 'b',
      day: '2026-01-02',
      version: '0.2.0',
      backend: 'evdev',
      codes: ['storage'],
    });
    expect(await health.list()).toEqual([
      { ...HEALTH, device: 'a', day: '2026-01-01' },
      { device: 'b', day: '2026-01-02', version: '0.2.0', backend: 'evdev', codes: ['storage'] },
    ]);
    expect(await health.forgetBefore('2026-01-02')).toBe(1);
    expect(await health.list()).toMatchObject([{ device: 'b' }]);
  });

  it('know who may use the page by the hash of their token, one for a name', async () => {
    const { admins } = await open();
    expect(await admins.add('Ada', 'hash-1')).toBe('added');
    expect(await admins.add('Ada', 'hash-2')).toBe('taken');
    expect(await admins.add('Grace', 'hash-3')).toBe('added');
    expect(await admins.find('hash-1')).toMatchObject({ name: 'Ada' });
    expect(await admins.find('hash-2')).toBeNull();
    expect((await admins.list()).map(({ name }) => name)).toEqual(['Ada', 'Grace']);
    expect([await admins.remove('Ada'), await admins.remove('Ada')]).toEqual([true, false]);
    expect(await admins.find('hash-1')).toBeNull();
  });

  it('count what arrived by the UTC day', async () => {
    const { catalog, traffic } = await open();
    const noon = Date.parse('2026-03-10T12:00:00Z');
    const device = newRecord().device;
    for (const receivedAtMs of [noon - 5 * DAY_MS, noon, noon + DAY_MS / 2 - 1])
      await catalog.add(newRecord({ device, sizeBytes: 1000, receivedAtMs }));
    await catalog.add(newRecord({ sizeBytes: 50, receivedAtMs: noon }));
    await catalog.add(newRecord({ sizeBytes: 7, receivedAtMs: noon + DAY_MS / 2 }));
    expect(await traffic.days(noon - DAY_MS)).toEqual([
      { day: '2026-03-10', segments: 3, bytes: 2050, devices: 2 },
      { day: '2026-03-11', segments: 1, bytes: 7, devices: 1 },
    ]);
  });
}
