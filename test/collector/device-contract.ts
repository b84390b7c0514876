import { expect, it } from 'vitest';
import type { DeviceBook } from '../../src/collector/device-book.ts';
import { newKey } from './support.ts';

const ask = (device: string, keyId: string, tokenHash = 'token') => ({
  tokenHash,
  device,
  keyId,
  publicKey: `public ${keyId}`,
});

/** What every `DeviceBook` does. `make` gives one that has been started and is empty, on a clock of the test's. */
export function deviceContract(make: (wallMs: () => number) => Promise<DeviceBook>): void {
  it('enrols a device once for each token, on the day of the token', async () => {
    let wallMs = 1000;
    const book = await make(() => wallMs);
    const { device } = newKey();
    expect(await book.enrol(ask(device, 'a'))).toBe('unknown-token');
    await book.addToken('token', 2000);
    await book.addToken('late', 2000);
    expect(await book.hasEnrolled(device)).toBe(false);
    expect(await book.enrol(ask(device, 'a'))).toBe('enrolled');
    expect(await book.enrol(ask(device, 'a'))).toBe('known');
    expect(await book.enrol(ask(newKey().device, 'b'))).toBe('used-token');
    expect(await book.enrol(ask(device, 'b', 'late'))).toBe('taken');
    wallMs = 2000;
    expect(await book.enrol(ask(newKey().device, 'b', 'late'))).toBe('expired-token');
    const key = { keyId: 'a', device, publicKey: 'public a', enrolledAtMs: 1000, revokedAtMs: null };
    expect(await book.find('a')).toEqual(key);
    expect(await book.find('b')).toBeNull();
    expect(await book.list()).toEqual([key]);
    expect(await book.hasEnrolled(device)).toBe(true);
  });

  it('lets one of many that bring the same token at once in', async () => {
    const book = await make(() => 1000);
    await book.addToken('token', 2000);
    const asks = Array.from({ length: 6 }, (_, at) => book.enrol(ask(newKey().device, `key ${at}`)));
    const outcomes = (await Promise.all(asks)).sort();
    expect(outcomes).toEqual(['enrolled', ...Array.from({ length: 5 }, () => 'used-token')]);
    expect(await book.list()).toHaveLength(1);
  });

  it('ends every key of a device, and never takes one of them again', async () => {
    const book = await make(() => 1000);
    const { device } = newKey();
    for (const token of ['token', 'next', 'third']) await book.addToken(token, 2000);
    await book.enrol(ask(device, 'a'));
    expect(await book.revoke(device)).toBe(1);
    expect(await book.revoke(device)).toBe(0);
    expect(await book.find('a')).toMatchObject({ revokedAtMs: 1000 });
    expect(await book.enrol(ask(device, 'a'))).toBe('used-token');
    expect(await book.enrol(ask(device, 'a', 'next'))).toBe('taken');
    expect(await book.enrol(ask(device, 'b', 'third'))).toBe('enrolled');
  });
}
