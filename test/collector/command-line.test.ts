import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/core/version.ts';
import {
  COLLECTOR_PROGRAM,
  digestField,
  errorCode,
  eventually,
  keptFiles,
  listAndVerify,
  newKey,
  pathOf,
  put,
  runProgram,
  spawnCollector,
  temporaryFolder,
} from './support.ts';
import { rawConnection, textUntilClosed } from './wire.ts';

describe('telemetry-collector', () => {
  it.each([
    ['--help'],
    ['serve', '--help'],
    ['ls', '--help'],
    ['exemptions', '--help'],
    ['exemptions', 'approve', '--help'],
    ['enroll', '--help'],
    ['devices', 'revoke', '--help'],
  ])('ends the help of %s %s with examples', async (...args) => {
    const { code, stdout } = await runProgram(COLLECTOR_PROGRAM, args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n(  telemetry-collector .*\n){2,3}$/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('tells its version', async () => {
    const { code, stdout } = await runProgram(COLLECTOR_PROGRAM, ['--version']);
    expect([code, stdout]).toEqual([0, `${VERSION}\n`]);
  });

  it.each([
    [['serve', '--listen', '0.0.0.0:7717'], 'TLS'],
    [['serve', '--listen', '192.168.1.5:7717'], 'TLS'],
    [['serve', '--listen', '[::]:7717'], 'TLS'],
    [['serve', '--listen', 'collector.example.com:7717'], 'TLS'],
    [['serve', '--listen', '127.0.0.1'], 'not an address'],
    [['serve', '--listen', '127.0.0.1:99999'], 'not an address'],
    [['serve', '--max-segment-bytes', '0'], 'whole number'],
    [['serve', '--device-rate', 'many'], 'whole number'],
    [['serve', '--drain', '20'], 'not a duration'],
    [['serve', '--retention', '0s'], 'how long something is kept'],
    [['erased', '--since', 'yesterday'], 'no time'],
    [['serve', '--metrics-listen', '7718'], 'not an address'],
    [['ls', '--device', 'laptop'], 'not a device'],
    [['list'], 'unknown command'],
    [['ls', '--all'], 'unknown option'],
    [['list', '--help'], 'unknown command'],
  ])('refuses %j with exit code 2 and something to try', async (args, what) => {
    const { code, stdout, stderr } = await runProgram(COLLECTOR_PROGRAM, args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(what);
    expect(stderr).toMatch(/\nTry: .+\n$/);
  });

  it('says what to do about a data folder it cannot use and a port that is taken', async () => {
    const unusable = await runProgram(COLLECTOR_PROGRAM, ['serve', '--data', '/dev/null/data']);
    expect([unusable.code, unusable.stderr]).toEqual([
      1,
      expect.stringMatching(/data folder[^]*\nTry: --data/),
    ]);

    const dataDir = await temporaryFolder();
    const { url } = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    const listen = new URL(url).host;
    const taken = await runProgram(COLLECTOR_PROGRAM, [
      'serve',
      '--data',
      await temporaryFolder(),
      '--listen',
      listen,
    ]);
    expect([taken.code, taken.stderr]).toEqual([
      1,
      expect.stringMatching(/cannot listen[^]*\nTry: another port/),
    ]);
    const second = await runProgram(COLLECTOR_PROGRAM, [
      'serve',
      '--data',
      dataDir,
      '--listen',
      '127.0.0.1:0',
    ]);
    expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/another collector[^]*\nTry: /)]);
  }, 20_000);
});

describe('ls', () => {
  it('lists nothing where nothing is', async () => {
    const env = { ...process.env, XDG_DATA_HOME: join(await temporaryFolder(), 'none') };
    expect(await runProgram(COLLECTOR_PROGRAM, ['ls'], env)).toMatchObject({
      code: 0,
      stdout: 'no segments\n',
    });
    const { stdout } = await runProgram(COLLECTOR_PROGRAM, ['ls', '--json'], env);
    expect(JSON.parse(stdout)).toEqual({ schema: 1, segments: [] });
  });

  it('does not take a folder that no collector kept anything in for an empty one', async () => {
    const folder = await temporaryFolder();
    for (const dataDir of [folder, join(folder, 'none')]) {
      const { code, stdout, stderr } = await runProgram(COLLECTOR_PROGRAM, ['ls', '--data', dataDir]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/is not the data folder of a collector\nTry: /);
    }
  });

  it('lists in the default folder, as a table of at most 80 columns with totals, and by device', async () => {
    const home = await temporaryFolder();
    const dataDir = join(home, 'telemetry-collector');
    const env = { ...process.env, XDG_DATA_HOME: home };
    const collector = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    const keys = [newKey(), newKey()];
    const ledgerHead = 'ab'.repeat(32);
    for (const [at, key] of keys.entries()) {
      const body = randomBytes(12_345);
      const head = at === 0 ? ledgerHead : 'of another form';
      await put(collector.url, key, body, {
        'content-digest': digestField(body),
        'telemetry-ledger-head': head,
      });
    }
    collector.child.kill('SIGTERM');
    expect(await collector.ended).toBe(0);

    const table = await runProgram(COLLECTOR_PROGRAM, ['ls'], env);
    expect(table.stdout).toContain('\n2 segments of 2 devices, 24.7 KB\n');
    for (const { device, segment } of keys)
      expect(table.stdout).toMatch(new RegExp(`device ${device}\n[^]*${segment}`));
    expect(Math.max(...table.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);

    const device = keys[0]?.device ?? '';
    const { stdout } = await runProgram(COLLECTOR_PROGRAM, ['ls', '--json', '--device', device], env);
    expect(JSON.parse(stdout)).toMatchObject({ segments: [{ ...keys[0], sizeBytes: 12_345, ledgerHead }] });
    const other = await runProgram(
      COLLECTOR_PROGRAM,
      ['ls', '--json', '--device', keys[1]?.device ?? ''],
      env,
    );
    expect(JSON.parse(other.stdout)).toMatchObject({ segments: [{ ...keys[1], ledgerHead: null }] });
  }, 20_000);

  it('reads beside a server that is writing, and lists only what is whole', async () => {
    const dataDir = await temporaryFolder();
    const { url } = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    let isWriting = true;
    const writer = async (): Promise<number> => {
      let written = 0;
      for (; isWriting; written++) expect((await put(url, newKey(), randomBytes(20_000))).status).toBe(201);
      return written;
    };
    const writers = [writer(), writer()];
    let before = 0;
    for (let round = 0; round < 4; round++) {
      const { length } = await listAndVerify(COLLECTOR_PROGRAM, dataDir);
      expect(length).toBeGreaterThanOrEqual(before);
      before = length;
    }
    isWriting = false;
    const [one = 0, two = 0] = await Promise.all(writers);
    expect(await listAndVerify(COLLECTOR_PROGRAM, dataDir)).toHaveLength(one + two);
  }, 30_000);
});

describe('serve, asked to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'lets a running upload end on %s, tells others when to come again, and exits 0',
    async (signal) => {
      const dataDir = await temporaryFolder();
      const collector = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
      const key = newKey();
      const body = randomBytes(10_000);
      const upload = startUpload(collector.url, pathOf(key), body);
      await eventually(async () => (await keptFiles(dataDir)).length === 1);
      const idle = await rawConnection(collector.url);
      idle.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
      await once(idle, 'data');
      collector.child.kill(signal);
      // A connection that was kept for later is closed; whoever comes anew is answered.
      await textUntilClosed(idle);
      const ready = await fetch(`${collector.url}/readyz`);
      expect([ready.status, await ready.json()]).toEqual([503, { ready: false, reasons: ['draining'] }]);
      expect((await fetch(`${collector.url}/healthz`)).status).toBe(200);
      const late = await put(collector.url, newKey(), body);
      expect([late.status, errorCode(late)]).toEqual([503, 'stopping']);
      expect(Number(late.headers['retry-after'])).toBeGreaterThan(0);
      upload.request.end(body.subarray(5000));
      const [response] = (await once(upload.request, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(201);
      expect(response.headers.connection).toBe('close');
      response.resume();
      expect(await collector.ended).toBe(0);
      expect(await listAndVerify(COLLECTOR_PROGRAM, dataDir)).toMatchObject([key]);
    },
  );

  it('cuts off an upload that does not end in time, keeps nothing of it, and exits 0', async () => {
    const dataDir = await temporaryFolder();
    const collector = await spawnCollector(COLLECTOR_PROGRAM, dataDir, ['--drain', '300ms']);
    const upload = startUpload(collector.url, pathOf(newKey()), randomBytes(10_000));
    upload.request.on('error', () => undefined);
    await eventually(async () => (await keptFiles(dataDir)).length === 1);
    const startMs = performance.now();
    collector.child.kill('SIGTERM');
    expect(await collector.ended).toBe(0);
    expect(performance.now() - startMs).toBeGreaterThan(290);
    expect(await keptFiles(dataDir)).toEqual([]);
  });

  it('ends at once at the second signal', async () => {
    const dataDir = await temporaryFolder();
    const collector = await spawnCollector(COLLECTOR_PROGRAM, dataDir, ['--drain', '1h']);
    const upload = startUpload(collector.url, pathOf(newKey()), randomBytes(10_000));
    upload.request.on('error', () => undefined);
    await eventually(async () => (await keptFiles(dataDir)).length === 1);
    collector.child.kill('SIGTERM');
    await eventually(async () => (await fetch(`${collector.url}/readyz`)).status === 503);
    collector.child.kill('SIGTERM');
    expect(await collector.ended).toBe('SIGTERM');
    const next = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    expect(await keptFiles(dataDir)).toEqual([]);
    next.child.kill('SIGTERM');
    // Nothing is under way, though a connection is open.
    expect(await next.ended).toBe(0);
  });
});

it('loads the web framework and the schemas of its routes only to serve', async () => {
  const folder = dirname(COLLECTOR_PROGRAM);
  // What is loaded at once: the file and, in turn, what it imports other than by `import()`.
  const atOnce = new Map<string, string>();
  for (const waiting = [basename(COLLECTOR_PROGRAM)]; waiting.length > 0; ) {
    const name = waiting.pop() ?? '';
    if (atOnce.has(name)) continue;
    const text = await readFile(join(folder, name), 'utf8');
    atOnce.set(name, text);
    for (const [, chunk = ''] of text.matchAll(/\b(?:from|import)\s*"\.\/(chunk-\w+\.js)"/g))
      waiting.push(chunk);
  }
  for (const text of atOnce.values()) {
    expect(/\b(?:from|import)\s*"(fastify|pino)"/.exec(text)).toBeNull();
    expect(text.includes('ZodObject')).toBe(false);
  }
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js') && !atOnce.has(name));
  const later = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  expect(later.some((text) => text.includes('import("fastify")'))).toBe(true);
});

/** Sends the first 5000 bytes of a body. */
function startUpload(url: string, path: string, body: Buffer) {
  const request = httpRequest(url + path, {
    method: 'PUT',
    headers: { 'content-digest': digestField(body), 'content-length': String(body.byteLength) },
  });
  request.write(body.subarray(0, 5000));
  return { request };
}
