import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Round, RoundMessage } from '../../src/control/protocol.ts';
import { FakeDaemon } from './fake-daemon.ts';
import { type Fault, FaultyCollector } from './faulty-collector.ts';
import { bundleUploader, Outbox, runUploader } from './uploader-process.ts';

const scratch = mkdtempSync(join(tmpdir(), 'uploader-'));
let program = '';
beforeAll(async () => {
  program = await bundleUploader(scratch);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What measures time gets another chance on a machine that is busy with something else. */
const TIMED = { timeout: 20_000, retry: 2 } as const;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function outbox(...sizes: number[]): Outbox {
  const box = new Outbox();
  cleanups.push(() => box.remove());
  for (const size of sizes) box.add(randomBytes(size));
  return box;
}

async function collector(faults: readonly Fault[] = ['good']): Promise<FaultyCollector & { url: string }> {
  const server = new FaultyCollector(faults);
  const url = await server.start();
  cleanups.push(() => server.stop());
  return Object.assign(server, { url });
}

async function daemon(box: Outbox, first: Round | RoundMessage): Promise<FakeDaemon> {
  const fake = new FakeDaemon(box.folder, first);
  await fake.start();
  cleanups.push(() => fake.stop());
  return fake;
}

/** One whole round against a collector with these faults. */
async function round(box: Outbox, faults: readonly Fault[], more: Partial<Round> = {}) {
  const server = await collector(faults);
  const fake = await daemon(box, box.round(server.url, more));
  const code = await runUploader(program, [fake.socketPath]).ended;
  return { server, results: fake.results, ends: fake.ends, code };
}

describe('the uploader', () => {
  it('sends every file of the round over one connection, with its digest, and reports each as stored', async () => {
    const box = outbox(70_000, 1, 200_000);
    const { server, results, ends, code } = await round(box, ['good']);
    expect(code).toBe(0);
    expect(ends).toEqual([{ of: 'segments' }]);
    expect(results.map(({ outcome, status }) => [outcome, status])).toEqual(Array(3).fill(['stored', 201]));
    expect(server.connections).toBe(1);
    for (const [index, seen] of server.seen.entries()) {
      const segment = box.segments[index];
      const sha256 = createHash('sha256').update(seen.body);
      expect(seen.method).toBe('PUT');
      expect(seen.url).toBe(`/v1/devices/d-1/segments/${segment?.id ?? ''}`);
      expect(seen.body.length).toBe(segment?.sizeBytes);
      expect(results[index]?.sha256).toBe(sha256.copy().digest('hex'));
      expect(seen.headers).toEqual({
        host: `127.0.0.1:${server.port}`,
        connection: 'keep-alive',
        'content-type': 'application/octet-stream',
        'content-length': String(segment?.sizeBytes),
        'telemetry-ledger-head': 'cd'.repeat(32),
        'content-digest': `sha-256=:${sha256.digest('base64')}:`,
      });
    }
  });

  it('says in the address what the collector cannot see, and hears how long the file is kept', async () => {
    const box = outbox(100, 100);
    const [first, second] = box.segments;
    if (first === undefined || second === undefined) throw new Error('two were made');
    const receiptId = '0199aaaa-0000-7000-8000-00000000000f';
    const segments = [
      { ...first, about: { sequence: 7, receiptId, retentionMs: 86_400_999 } },
      { ...second, about: { sequence: 8, receiptId: '', retentionMs: null } },
    ];
    const { server, results } = await round(box, ['kept-a-day', 'good'], { segments });
    const place = '/v1/devices/d-1/segments/';
    expect(server.seen.map(({ url }) => url)).toEqual([
      `${place}${first.id}?sequence=7&receipt=${receiptId}&retention=86400`,
      `${place}${second.id}?sequence=8`,
    ]);
    expect(results.map(({ keptForMs }) => keptForMs)).toEqual([86_400_000, undefined]);
  });

  it('waits for the daemon to write a result down before it begins the next file', async () => {
    const box = outbox(1000, 1000);
    const server = await collector();
    const fake = await daemon(box, box.round(server.url));
    const seenAtReport: number[] = [];
    fake.onResult = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      seenAtReport.push(server.seen.length);
    };
    expect(await runUploader(program, [fake.socketPath]).ended).toBe(0);
    expect(seenAtReport).toEqual([1, 2]);
  });

  it('finds the socket by the environment, and a collector below a path', async () => {
    const box = outbox(100);
    const server = await collector();
    const fake = await daemon(box, box.round(`${server.url}/telemetry/`));
    expect(await runUploader(program, [], { TELEMETRYD_SOCKET: fake.socketPath }).ended).toBe(0);
    expect(server.seen[0]?.url).toMatch(/^\/telemetry\/v1\/devices\//);
  });

  const VERDICTS: readonly (readonly [string, Fault, string, RegExp, number])[] = [
    ['a collector that had the file', 'already-there', 'stored', /stored/, 0],
    ['a reply without a digest', 'no-digest', 'retry', /no digest/, 3],
    ['a reply with another digest', 'wrong-digest', 'retry', /another digest/, 3],
    ['204, even with the digest', 'no-content', 'retry', /no receipt/, 3],
    ['202, even with the digest', 'accepted', 'retry', /no receipt/, 3],
    ['a redirect', 'redirect', 'retry', /not followed/, 3],
    ['500', { status: 500 }, 'retry', /failed \(500\)/, 3],
    ['503', { status: 503 }, 'retry', /failed/, 3],
    ['408', { status: 408 }, 'retry', /408/, 3],
    ['404, which is a wrong address rather than a bad file', { status: 404 }, 'retry', /404/, 3],
    ['400', { status: 400 }, 'refused', /cannot take/, 3],
    ['422', { status: 422 }, 'refused', /cannot take/, 3],
    ['409', { status: 409 }, 'refused', /another file/, 3],
    ['a 410', { status: 410 }, 'refused', /to be gone/, 3],
    ['401', { status: 401 }, 'unauthorised', /refused this device/, 3],
    ['403', { status: 403 }, 'unauthorised', /refused this device/, 3],
    ['413', { status: 413 }, 'too-large', /larger/, 3],
    ['413 before the body is read', { status: 413, early: true }, 'too-large', /larger/, 3],
    ['401 before the body is read', { status: 401, early: true }, 'unauthorised', /refused/, 3],
    ['a connection cut in mid-body', 'cut-mid-body', 'retry', /no answer: (ECONNRESET|EPIPE)/, 3],
    ['a reply cut in its headers', 'cut-reply', 'retry', /no answer/, 3],
    ['something that does not speak HTTP', 'garbage', 'retry', /no answer: HPE_/, 3],
    ['a slow collector', 'slow', 'stored', /stored/, 0],
  ];
  it.each(VERDICTS)('takes %s as it is meant', async (_name, fault, outcome, detail, exitCode) => {
    const { results, code } = await round(outbox(300_000), [fault]);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ outcome, detail: expect.stringMatching(detail) as string });
    expect(code).toBe(exitCode);
  });

  it('gives up an endless reply, and still has its receipt', async () => {
    const { server, results, code } = await round(outbox(1000, 1000), ['endless-body', 'good']);
    expect(code).toBe(0);
    expect(results.map((result) => result.outcome)).toEqual(['stored', 'stored']);
    // 64 KB of the body, and what the kernel had taken by then, not an endless amount.
    expect(results[0]?.chargedBytes).toBeLessThan(1_000_000);
    expect(server.connections).toBe(2);
  });

  it('connects anew when the collector closes the connection after each reply', async () => {
    const { server, results } = await round(outbox(1000, 1000, 1000), ['close-after']);
    expect(results.map((result) => result.outcome)).toEqual(['stored', 'stored', 'stored']);
    expect(server.connections).toBe(3);
  });

  it('passes on how long the collector wants to be left alone, as seconds or a date, a day at most', async () => {
    const asked = async (retryAfter: string) =>
      (await round(outbox(10), [{ status: 429, retryAfter }])).results[0]?.retryAfterMs;
    expect(await asked('120')).toBe(120_000);
    expect(await asked('9999999')).toBe(86_400_000);
    expect(await asked('soon')).toBeNull();
    const inTenMinutes = await asked(new Date(Date.now() + 600_000).toUTCString());
    expect(inTenMinutes).toBeGreaterThan(590_000);
    expect(inTenMinutes).toBeLessThanOrEqual(601_000);
  });

  it('stops at the first file that does not go through, and goes on after one that is refused', async () => {
    const { server, results } = await round(outbox(10, 10, 10, 10), [
      { status: 409 },
      'good',
      { status: 500 },
    ]);
    expect(results.map((result) => result.outcome)).toEqual(['refused', 'stored', 'retry']);
    expect(server.seen).toHaveLength(3);
  });

  it('says that nobody listens', async () => {
    const box = outbox(10);
    const fake = await daemon(box, box.round(`http://127.0.0.1:${await freePort()}`));
    expect(await runUploader(program, [fake.socketPath]).ended).toBe(3);
    expect(fake.results[0]).toMatchObject({ outcome: 'retry', status: 0, detail: 'no answer: ECONNREFUSED' });
    expect(fake.results[0]?.chargedBytes).toBe(4096);
  });

  it('keeps the rate within a tenth, for a long file and for many short ones', TIMED, async () => {
    for (const sizes of [[150_000], Array<number>(15).fill(10_000)]) {
      const box = outbox(...sizes);
      const server = await collector();
      const fake = await daemon(box, box.round(server.url, { rateBytesPerSecond: 100_000 }));
      const at: number[] = [];
      const begun = new Promise<void>((resolve) => {
        const poll = setInterval(() => {
          if (server.connections === 0) return;
          at.push(performance.now());
          clearInterval(poll);
          resolve();
        }, 1);
      });
      const { ended } = runUploader(program, [fake.socketPath]);
      await begun;
      fake.onResult = () => void at.push(performance.now());
      expect(await ended).toBe(0);
      const seconds = ((at.at(-1) ?? 0) - (at[0] ?? 0)) / 1000;
      expect(150_000 / seconds).toBeGreaterThan(90_000);
      expect(150_000 / seconds).toBeLessThan(110_000);
    }
  });

  it('stops before the budget is exceeded', async () => {
    const { results, code, server } = await round(outbox(20_000, 20_000, 20_000), ['good'], {
      budgetBytes: 60_000,
    });
    expect(code).toBe(3);
    expect(results).toHaveLength(2);
    expect(server.seen).toHaveLength(2);
    expect(results.reduce((sum, result) => sum + result.chargedBytes, 0)).toBeLessThanOrEqual(60_000);
  });

  it('charges at least what went over the wire, and little more', async () => {
    const { results } = await round(outbox(500_000), ['good']);
    expect(results[0]?.chargedBytes).toBeGreaterThan(500_000 * 1.06);
    expect(results[0]?.chargedBytes).toBeLessThan(500_000 * 1.06 + 4096 + 1500);
  });

  it('cuts the transfer within 100 ms when the gate closes, and charges what was sent', TIMED, async () => {
    const box = outbox(3_000_000);
    const server = await collector();
    const fake = await daemon(box, box.round(server.url, { rateBytesPerSecond: 500_000 }));
    const uploader = runUploader(program, [fake.socketPath]);
    await vi.waitFor(() => expect(server.bodyBytes).toBeGreaterThan(200_000), { timeout: 5000, interval: 5 });
    const start = performance.now();
    fake.abort('on-battery');
    await vi.waitFor(() => expect(server.cuts).toBe(1), { timeout: 1000, interval: 1 });
    expect(performance.now() - start).toBeLessThan(100);
    expect(await uploader.ended).toBe(3);
    expect(fake.results).toHaveLength(1);
    expect(fake.results[0]).toMatchObject({ outcome: 'aborted', detail: 'the gate closed: on-battery' });
    expect(fake.results[0]?.chargedBytes).toBeGreaterThan(server.bodyBytes);
    expect(fake.results[0]?.chargedBytes).toBeLessThan(server.bodyBytes * 1.06 + 300_000);
  });

  it('cuts the transfer when the daemon ends the stream, and still tells it what was sent', async () => {
    const box = outbox(3_000_000);
    const server = await collector();
    const fake = await daemon(box, box.round(server.url, { rateBytesPerSecond: 500_000 }));
    const uploader = runUploader(program, [fake.socketPath]);
    await vi.waitFor(() => expect(server.bodyBytes).toBeGreaterThan(50_000), { timeout: 5000, interval: 5 });
    fake.endStream();
    expect(await uploader.ended).toBe(10);
    expect(fake.results[0]).toMatchObject({ outcome: 'aborted', detail: 'the daemon is gone' });
  });

  it('cuts the transfer and exits 10 when the daemon dies', async () => {
    const box = outbox(3_000_000);
    const server = await collector();
    const fake = await daemon(box, box.round(server.url, { rateBytesPerSecond: 500_000 }));
    const uploader = runUploader(program, [fake.socketPath]);
    await vi.waitFor(() => expect(server.bodyBytes).toBeGreaterThan(50_000), { timeout: 5000, interval: 5 });
    const start = performance.now();
    await fake.stop();
    expect(await uploader.ended).toBe(10);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(server.cuts).toBe(1);
  });

  it('exits 10 when the daemon dies between two files', async () => {
    const box = outbox(10, 10);
    const server = await collector();
    const fake = await daemon(box, box.round(server.url));
    fake.onResult = () => fake.stop();
    expect(await runUploader(program, [fake.socketPath]).ended).toBe(10);
    expect(server.seen).toHaveLength(1);
  });

  it('cuts the transfer when it is told to stop', async () => {
    const box = outbox(3_000_000);
    const server = await collector();
    const fake = await daemon(box, box.round(server.url, { rateBytesPerSecond: 500_000 }));
    const uploader = runUploader(program, [fake.socketPath]);
    await vi.waitFor(() => expect(server.bodyBytes).toBeGreaterThan(50_000), { timeout: 5000, interval: 5 });
    uploader.child.kill('SIGTERM');
    expect(await uploader.ended).toBe(130);
    expect(fake.results[0]).toMatchObject({ outcome: 'aborted' });
  });

  it('exits 10 without a daemon, and 0 when there is nothing to do', async () => {
    const box = outbox();
    expect(await runUploader(program, [join(box.folder, 'none.sock')]).ended).toBe(10);
    const fake = await daemon(box, { type: 'none' });
    expect(await runUploader(program, [fake.socketPath]).ended).toBe(0);
  });

  it('sends nothing to an address that is neither https nor on this machine', async () => {
    for (const url of [
      'http://collector.example.com',
      'ftp://127.0.0.1/',
      'https://u:p@example.com/',
      'nonsense',
    ]) {
      const box = outbox(10);
      const fake = await daemon(box, box.round(url));
      const uploader = runUploader(program, [fake.socketPath]);
      expect(await uploader.ended).toBe(12);
      expect(uploader.stderr()).toMatch(/nothing is sent there\. Try: /);
      expect(fake.results).toEqual([]);
    }
  });

  it('sends only regular files of the outbox, whatever the round says', async () => {
    const box = outbox();
    const secret = join(box.folder, 'secret');
    writeFileSync(secret, 'not to be sent');
    symlinkSync(secret, join(box.dir, 'link.tlm'));
    execFileSync('mkfifo', [join(box.dir, 'fifo.tlm')]);
    const files = ['link.tlm', '../secret', secret, 'fifo.tlm', '.', '..', ''];
    box.segments.push(...files.map((file, index) => ({ id: `s${index}`, file, sizeBytes: 14 })));
    const { server, results, code } = await round(box, ['good']);
    expect(results.map((result) => result.outcome)).toEqual(files.map(() => 'refused'));
    expect(results.every((result) => result.sha256 === '' && result.chargedBytes === 0)).toBe(true);
    expect(server.connections).toBe(0);
    expect(code).toBe(3);
  });

  it('passes over a file that was purged meanwhile', async () => {
    const box = outbox(10, 10);
    unlinkSync(join(box.dir, box.segments[0]?.file ?? ''));
    const { results, code } = await round(box, ['good']);
    expect(results.map((result) => result.id)).toEqual([box.segments[1]?.id]);
    expect(code).toBe(0);
  });

  it('stays small whatever the file’s size', TIMED, async () => {
    const box = outbox(40_000_000);
    const server = await collector();
    const fake = await daemon(box, box.round(server.url, { rateBytesPerSecond: 1_000_000_000 }));
    const { child, ended } = runUploader(program, [fake.socketPath]);
    let peakKb = 0;
    fake.onResult = () => {
      const text = execFileSync('cat', [`/proc/${child.pid ?? 0}/status`], { encoding: 'utf8' });
      peakKb = Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0);
    };
    expect(await ended).toBe(0);
    expect(peakKb).toBeGreaterThan(10_000);
    expect(peakKb).toBeLessThan(110_000);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
