import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { booksInFolder } from '../../../src/collector/books.ts';
import type { RunningCollector } from '../support.ts';
import { HOSTILE, REQUEST, startPage, TOKEN } from './desk.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Somebody's browser, as far as a test needs one: it keeps the cookie and says where its forms come from. */
class Visitor {
  readonly #base: string;
  cookie = '';

  constructor({ pageUrl }: RunningCollector) {
    this.#base = new URL(pageUrl).origin;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send(path, { headers: { cookie: this.cookie, ...headers } });
  }

  async post(
    path: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.#send(path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { cookie: this.cookie, origin: this.#base, 'sec-fetch-site': 'same-origin', ...headers },
    });
  }

  /** The form's token on a page. */
  async formOf(path: string): Promise<string> {
    return /name="form" value="([^"]+)"/.exec((await this.get(path)).text)?.[1] ?? '';
  }

  async signIn(token: string, headers: Record<string, string> = {}): Promise<Answer> {
    const form = await this.formOf('/admin/sign-in');
    return this.post('/admin/sign-in', { form, token }, headers);
  }

  async #send(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(this.#base + path, { ...init, redirect: 'manual' });
    const set = response.headers.get('set-cookie');
    if (set !== null) this.cookie = set.split(';')[0] ?? '';
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
}

const EXEMPTION = `/admin/exemptions/${REQUEST}`;

async function signedIn(collector: RunningCollector): Promise<Visitor> {
  const visitor = new Visitor(collector);
  expect((await visitor.signIn(TOKEN)).status).toBe(303);
  return visitor;
}

async function stateOf({ dataDir }: RunningCollector): Promise<string | undefined> {
  const { exemptions } = booksInFolder(dataDir, 'read-only', Date.now);
  await exemptions.start();
  const record = await exemptions.find(REQUEST);
  await exemptions.stop();
  return record?.state;
}

describe('whoever has not signed in', () => {
  it('sees the form to sign in and nothing else, with headers that forbid scripts, frames and caches', async () => {
    const collector = await startPage();
    const visitor = new Visitor(collector);
    for (const path of ['/admin/', '/admin', '/admin/exemptions', EXEMPTION]) {
      const { status, headers, text } = await visitor.get(path);
      expect([path, status, headers.get('location'), text]).toEqual([path, 303, '/admin/sign-in', '']);
    }
    for (const path of ['/admin/sign-in', '/admin/style.css', '/admin/', '/nowhere']) {
      const { headers } = await visitor.get(path);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      );
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
    }
    const form = await visitor.formOf('/admin/sign-in');
    await visitor.post(EXEMPTION, { form, verdict: 'approved' });
    expect(await stateOf(collector)).toBe('pending');
  });

  it('gets no session for a wrong token, and after ten not even for the right one', async () => {
    const collector = await startPage();
    const visitor = new Visitor(collector);
    for (const wrong of ['', 'x', `${TOKEN} x`, TOKEN.slice(1), '0', '1', '2', '3', '4', '5'])
      expect((await visitor.signIn(wrong)).status).toBe(403);
    const last = await visitor.signIn(TOKEN);
    expect([last.status, last.headers.get('retry-after')]).toEqual([429, '900']);
    expect(visitor.cookie).toBe('');
    expect(JSON.stringify(collector.log)).not.toContain(TOKEN);
  });

  it('finds nothing of the page where devices send', async () => {
    const { url } = await startPage();
    expect((await fetch(`${url}/admin/`)).status).toBe(404);
    expect((await fetch(`${url}/admin/sign-in`)).status).toBe(404);
  });
});

describe('a session', () => {
  it('is in a cookie that scripts and other sites cannot use, and ends by signing out', async () => {
    const collector = await startPage();
    const visitor = new Visitor(collector);
    const { headers } = await visitor.signIn(TOKEN);
    expect(headers.get('set-cookie')).toMatch(
      /^telemetry-admin=[\w-]{43}; Path=\/admin; HttpOnly; SameSite=Strict$/,
    );
    const { cookie } = visitor;
    expect((await visitor.get('/admin/')).text).toContain('signed in as Ada Lovelace');
    const form = await visitor.formOf('/admin/');
    expect((await visitor.post('/admin/sign-out', { form })).status).toBe(303);
    visitor.cookie = cookie;
    expect((await visitor.get('/admin/')).status).toBe(303);
  });

  it('ends with the next click when the token is revoked', async () => {
    const collector = await startPage();
    const visitor = await signedIn(collector);
    const { admins } = booksInFolder(collector.dataDir, 'read-write', Date.now);
    await admins.start();
    await admins.remove('Ada Lovelace');
    await admins.stop();
    expect((await visitor.get('/admin/')).status).toBe(303);
  });
});

describe('a decision', () => {
  it('is taken from the page’s own form alone', async () => {
    const collector = await startPage();
    const visitor = await signedIn(collector);
    const form = await visitor.formOf(EXEMPTION);
    const other = await signedIn(collector);
    const approve = { verdict: 'approved' };
    const refused = [
      await visitor.post(EXEMPTION, approve),
      await visitor.post(EXEMPTION, { ...approve, form: `${form}x` }),
      await other.post(EXEMPTION, { ...approve, form }),
      await visitor.post(EXEMPTION, { ...approve, form }, { origin: 'https://evil.example' }),
      await visitor.post(EXEMPTION, { ...approve, form }, { origin: 'null' }),
      await visitor.post(EXEMPTION, { ...approve, form }, { 'sec-fetch-site': 'cross-site' }),
      await visitor.post(EXEMPTION, { ...approve, form, reason: 'x'.repeat(20_000) }),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    expect(await stateOf(collector)).toBe('pending');
    expect((await visitor.post(EXEMPTION, { ...approve, form })).status).toBe(303);
    expect(await stateOf(collector)).toBe('approved');
    expect((await visitor.post(EXEMPTION, { ...approve, form })).status).toBe(409);
  });

  it('needs a verdict, an answer to deny with, and a request', async () => {
    const collector = await startPage();
    const visitor = await signedIn(collector);
    const form = await visitor.formOf(EXEMPTION);
    expect((await visitor.post(EXEMPTION, { form })).status).toBe(422);
    const denied = await visitor.post(EXEMPTION, { form, verdict: 'denied', reason: ' ' });
    expect([denied.status, denied.text]).toEqual([422, expect.stringContaining('A denial needs an answer')]);
    const typed = await visitor.post(EXEMPTION, { form, verdict: 'denied', reason: `two\nlines ${HOSTILE}` });
    expect(typed.status).toBe(422);
    expect(typed.text).toContain('lines &lt;script&gt;');
    for (const id of [randomUUID(), 'x', '%3Cscript%3E'])
      expect((await visitor.post(`/admin/exemptions/${id}`, { form, verdict: 'approved' })).status).toBe(404);
    expect(await stateOf(collector)).toBe('pending');
  });

  it('is shown with its trail; what others typed is text, and the sealed reason is not there', async () => {
    const collector = await startPage();
    const visitor = await signedIn(collector);
    const before = (await visitor.get(EXEMPTION)).text;
    expect(before).not.toContain('<script');
    expect(before).toContain('&lt;script&gt;document.title=&quot;run&quot;&lt;/script&gt;');
    expect(before).toContain(`telemetry-collector exemptions show ${REQUEST} --identity FILE`);
    const form = await visitor.formOf(EXEMPTION);
    const reason = `no, ${HOSTILE}`;
    const done = await visitor.post(EXEMPTION, { form, verdict: 'denied', reason });
    const after = (await visitor.get(done.headers.get('location') ?? '')).text;
    expect(after).toContain('It is denied.');
    expect(after).toMatch(/<td>asked<\/td><td>person<\/td>[^]*<td>denied<\/td><td>Ada Lovelace<\/td>/);
    expect(after).not.toMatch(/<script|<b onclick|name="verdict"/);
    expect(collector.log).toContainEqual({
      fields: { exemption: REQUEST, verdict: 'denied', by: 'Ada Lovelace' },
      message: 'exemption decided on the page',
    });
  });
});

describe('the fleet', () => {
  it('is shown without any device or small number, and bytes only of days with five devices', async () => {
    const day = 86_400_000;
    const devices = Array.from({ length: 7 }, () => randomUUID());
    const collector = await startPage(async ({ health, catalog }) => {
      const today = new Date().toISOString().slice(0, 10);
      for (const [at, device] of devices.entries()) {
        const word = {
          version: '0.1.0',
          backend: at < 6 ? 'x11' : 'evdev',
          codes: at < 1 ? ['storage'] : [],
        };
        await health.put({ device, day: today, ...word });
        const segment = { device, segment: randomUUID(), sha256: 'a', sizeBytes: 1000 + at };
        await catalog.add({ ...segment, receivedAtMs: Date.now() - day });
        if (at < 2)
          await catalog.add({ ...segment, segment: randomUUID(), receivedAtMs: Date.now() - 3 * day });
      }
    });
    await fetch(`${collector.url}/v1/nothing`);
    const { text } = await (await signedIn(collector)).get('/admin/');
    for (const device of devices) expect(text).not.toContain(device);
    const words = text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
    expect(words).toContain('Back end Devices x11 5 evdev under 5');
    expect(words).toContain('storage Nothing can be written there; the disk is full or broken. under 5');
    expect(words).toContain('7 7 KB');
    expect(words).toContain('few devices –');
    expect(words).not.toContain('2 KB');
    expect(words).toContain('404 an address that there is none of 1');
  });
});

describe('the page’s address', () => {
  it('without TLS is for this machine alone, whatever name leads there', async () => {
    const collector = await startPage();
    const { port } = new URL(collector.pageUrl);
    const { request } = await import('node:http');
    const statusFor = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port, path: '/admin/sign-in', headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await statusFor(`localhost:8000`)).toBe(200);
    expect(await statusFor(`[::1]:${port}`)).toBe(200);
    expect(await statusFor('admin.example.com')).toBe(421);
    expect(await statusFor('127.0.0.1.evil.example')).toBe(421);
  });
});
