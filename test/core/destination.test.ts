import { describe, expect, it } from 'vitest';
import { parseDestination, segmentPath } from '../../src/core/destination.ts';

describe('a destination', () => {
  it('is https anywhere, or http on this machine', () => {
    expect(parseDestination('https://collector.example.com')).toEqual({
      isSecure: true,
      host: 'collector.example.com',
      port: 443,
      authority: 'collector.example.com',
      basePath: '',
    });
    expect(parseDestination('http://[::1]:7717/a/')).toEqual({
      isSecure: false,
      host: '::1',
      port: 7717,
      authority: '[::1]:7717',
      basePath: '/a',
    });
    expect(parseDestination('http://localhost').port).toBe(80);
  });

  it.each([
    'http://collector.example.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
    'ftp://localhost',
    'file:///etc/passwd',
    'https://user@example.com',
    'https://example.com/?q',
    'https://example.com/#f',
    '',
  ])('is not %s', (url) => {
    expect(() => parseDestination(url)).toThrow(/nothing is sent there/);
  });

  it('keeps what stands for a device or a segment within its part of the path', () => {
    const destination = parseDestination('https://example.com/base');
    expect(segmentPath(destination, '../x', 'a/b?c')).toBe('/base/v1/devices/..%2Fx/segments/a%2Fb%3Fc');
  });
});
