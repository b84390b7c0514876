import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isFromHere, sessionCookie, sessionIn } from '../../../src/collector/page/page-guard.ts';
import { readReach } from '../../../src/collector/serve-options.ts';

describe('over TLS', () => {
  it('the cookie never travels without it, nor is one taken that could have', () => {
    expect(sessionCookie('id', true)).toBe(
      '__Host-telemetry-admin=id; Path=/; Secure; HttpOnly; SameSite=Strict',
    );
    expect(sessionCookie('', true)).toMatch(/Max-Age=0$/);
    expect(sessionIn({ cookie: 'a=b; __Host-telemetry-admin=id' }, true)).toBe('id');
    expect(sessionIn({ cookie: 'telemetry-admin=id' }, true)).toBe('');
    expect(sessionIn({}, true)).toBe('');
  });

  it('a form comes from here over TLS too', () => {
    const from = (origin: string) =>
      isFromHere({ headers: { host: 'c.example:7719', origin } } as unknown as IncomingMessage, true);
    expect(from('https://c.example:7719')).toBe(true);
    expect(from('http://c.example:7719')).toBe(false);
    expect(from('https://c.example')).toBe(false);
  });
});

describe('--admin-listen', () => {
  it('is nowhere by default, and on this machine without TLS', () => {
    expect(readReach({ listen: '127.0.0.1:0' }).page).toBeNull();
    expect(readReach({ listen: '127.0.0.1:0', adminListen: '[::1]:7719' }).page).toEqual({
      listen: { host: '::1', port: 7719 },
      tls: null,
    });
  });

  it('refuses what other machines can reach without TLS', () => {
    expect(() => readReach({ listen: '127.0.0.1:0', adminListen: '0.0.0.0:7719' })).toThrow(
      '0.0.0.0:7719 could be reached by other machines, which needs TLS',
    );
  });
});
