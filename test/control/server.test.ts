import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { follow, get, post } from '../../src/control/calls.ts';
import { ROUTES } from '../../src/control/protocol.ts';
import { ControlServer } from '../../src/control/server.ts';
import { TelemetryError } from '../../src/core/errors.ts';
import { ALONE, CAPTURING, handlers, keepingLog, PAUSED, untilAborted } from './reports.ts';
import { sendRaw, startServer, temporaryFolder } from './sockets.ts';

const POST_HEAD = 'Host: d\r\nContent-Type: application/json\r\n';

function postText(path: string, body: string, head = POST_HEAD): string {
  return `POST ${path} HTTP/1.1\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

describe('the control server', () => {
  it('answers the status as JSON, as curl would ask for it', async () => {
    const { path } = await startServer();
    const answer = await sendRaw(path, 'GET /v1/status?x=1 HTTP/1.1\r\nHost: d\r\nAccept: */*\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain('Content-Type: application/json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual(CAPTURING);
  });

  it('makes its folder 0700 and its socket 0600, whatever the umask', async () => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const { path } = await startServer();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    expect(process.umask(0)).toBe(0);
  });

  it('hands a checked request to its handler', async () => {
    const pause = vi.fn(() => ({ until: '2026-11-24T14:30:00.000Z', remainingMs: 1 }));
    const { path } = await startServer({ pause });
    await post(path, 'pause', { durationMs: 90_000, reason: 'lunch' });
    expect(pause).toHaveBeenCalledWith(
      { durationMs: 90_000, reason: 'lunch' },
      { role: 'person', uid: null },
    );
  });

  it.each([
    [
      'a request from a web page',
      'GET /v1/status HTTP/1.1\r\nHost: d\r\nOrigin: https://a.example\r\n\r\n',
      403,
    ],
    ['an unknown route', 'GET /v1/nothing HTTP/1.1\r\nHost: d\r\n\r\n', 404],
    ['a name that every object has', 'GET /toString HTTP/1.1\r\nHost: d\r\n\r\n', 404],
    ['a POST to what is read', postText('/v1/status', '{}'), 405],
    ['a GET of what acts', 'GET /v1/pause HTTP/1.1\r\nHost: d\r\n\r\n', 405],
    ['a form', postText('/v1/pause', 'durationMs=1', 'Host: d\r\nContent-Type: text/plain\r\n'), 415],
    ['a body without a type', postText('/v1/resume', '{}', 'Host: d\r\n'), 415],
    ['broken JSON', postText('/v1/pause', '{"durationMs":'), 400],
    ['no body where one is needed', postText('/v1/pause', ''), 400],
    ['a list for an object', postText('/v1/pause', '[]'), 400],
    ['a negative duration', postText('/v1/pause', '{"durationMs":-1}'), 400],
    ['a duration in words', postText('/v1/pause', '{"durationMs":"30m"}'), 400],
    [
      'an exemption from what is nothing',
      postText('/v1/exemptions/request', '{"scope":"x","durationMs":60000}'),
      400,
    ],
    [
      'an exemption of a second',
      postText('/v1/exemptions/request', '{"scope":"all","durationMs":1000}'),
      400,
    ],
    [
      'an exemption for ten years',
      postText('/v1/exemptions/request', '{"scope":"all","durationMs":315360000000}'),
      400,
    ],
    [
      'a reason in the open',
      postText('/v1/exemptions/request', '{"scope":"all","durationMs":60000,"reason":"I am ill"}'),
      400,
    ],
    ['a withdrawal of nothing', postText('/v1/exemptions/withdraw', '{}'), 400],
    ['a field nobody knows', postText('/v1/pause', '{"durationMs":1,"requester":"person"}'), 400],
    ['fields where none belong', postText('/v1/consent/revoke', '{"yes":true}'), 400],
    ['an endless reason', postText('/v1/pause', `{"durationMs":1,"reason":"${'x'.repeat(501)}"}`), 400],
    ['a grant by nobody', postText('/v1/consent/grant', '{"noticeId":"a","via":"employer"}'), 400],
    ['a declared length over the limit', postText('/v1/pause', 'x'.repeat(65_537)), 413],
    [
      'chunks over the limit',
      `POST /v1/pause HTTP/1.1\r\n${POST_HEAD}Transfer-Encoding: chunked\r\n\r\n10001\r\n${'x'.repeat(65_537)}\r\n0\r\n\r\n`,
      413,
    ],
    ['headers without end', `GET /v1/status HTTP/1.1\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, 431],
    ['what is not HTTP', 'telemetry please\r\n\r\n', 400],
    [
      'two lengths',
      'POST /v1/resume HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      400,
    ],
  ])('refuses %s', async (_what, text, status) => {
    const called = vi.fn(() => CAPTURING);
    const { path } = await startServer({ status: called, resume: called });
    expect(await sendRaw(path, text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(called).not.toHaveBeenCalled();
  });

  it('names the field that is wrong, and does not repeat a body that is no JSON', async () => {
    const { path } = await startServer();
    expect(await sendRaw(path, postText('/v1/pause', '{"durationMs":1.5}'))).toContain(
      '"message":"\\"durationMs\\" must be a whole number, at least 1."',
    );
    expect(await sendRaw(path, postText('/v1/pause', '{"reason":"hunter2'))).not.toContain('hunter2');
  });

  it('answers the first of several pipelined requests and no other', async () => {
    const status = vi.fn(() => CAPTURING);
    const { path } = await startServer({ status });
    const one = 'GET /v1/status HTTP/1.1\r\nHost: d\r\n\r\n';
    const answer = await sendRaw(path, one + one + one);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    expect(answer).toContain('Connection: close');
    expect(status).toHaveBeenCalledTimes(1);
  });

  it('passes on what a TelemetryError says, and nothing of any other error', async () => {
    const { path, logged } = await startServer({
      pause: () => {
        throw new TelemetryError('limit', 'A pause is at most 30m.', { hint: 'telemetryctl pause 30m' });
      },
      resume: () => {
        throw new Error('ENOENT /secret/path');
      },
    });
    await expect(post(path, 'pause', { durationMs: 1 })).rejects.toMatchObject({
      code: 'limit',
      message: 'A pause is at most 30m.',
      hint: 'telemetryctl pause 30m',
    });
    const answer = await sendRaw(path, postText('/v1/resume', '{}'));
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).not.toContain('secret');
    expect(logged.join()).toContain('ENOENT /secret/path');
  });

  it('cuts off who drips a request, but not who waits for an answer', async () => {
    const path = join(temporaryFolder(), 'control.sock');
    const slow = handlers({
      resume: async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        return CAPTURING;
      },
    });
    const server = new ControlServer(path, slow, ALONE, keepingLog().log, { requestTimeoutMs: 300 });
    await server.start();
    onTestFinished(() => server.stop());
    const waiting = post(path, 'resume', {});
    const socket = connect(path);
    socket.on('error', () => undefined);
    const drip = setInterval(() => socket.write('X'), 20);
    onTestFinished(() => clearInterval(drip));
    socket.write('GET /v1/status HTTP/1.1\r\n');
    const startedMs = performance.now();
    await new Promise<void>((resolve) => socket.on('close', () => resolve()));
    expect(performance.now() - startedMs).toBeGreaterThan(250);
    expect(performance.now() - startedMs).toBeLessThan(3000);
    await expect(waiting).resolves.toEqual(CAPTURING);
  });

  it('takes 64 connections and turns away the next', async () => {
    const { path } = await startServer();
    const held: Socket[] = [];
    onTestFinished(() => held.forEach((socket) => void socket.destroy()));
    for (let i = 0; i < 64; i++) {
      const socket = connect(path);
      held.push(socket);
      await new Promise<void>((resolve) => socket.once('connect', resolve));
    }
    await expect(get(path, 'status')).rejects.toMatchObject({ code: 'unavailable' });
    held.pop()?.destroy();
    await vi.waitFor(async () => expect(await get(path, 'status')).toEqual(CAPTURING));
  });
});

describe('a stream of the control server', () => {
  it('sends each message as it comes and ends with its handler', async () => {
    const { path } = await startServer({
      watch: async (emit) => {
        emit(CAPTURING);
        await new Promise((resolve) => setTimeout(resolve, 20));
        emit(PAUSED);
      },
    });
    const states: string[] = [];
    await follow(
      path,
      'watch',
      (report) => states.push(report.collection.state),
      new AbortController().signal,
    );
    expect(states).toEqual(['capturing', 'paused']);
  });

  it('tells its handler when the client has gone', async () => {
    const gone = Promise.withResolvers<true>();
    const { path } = await startServer({
      round: async (emit, signal) => {
        emit({ type: 'none' });
        await untilAborted(signal);
        gone.resolve(true);
      },
    });
    const client = new AbortController();
    const stream = follow(path, 'round', () => client.abort(), client.signal);
    await expect(stream).resolves.toBeUndefined();
    await expect(gone.promise).resolves.toBe(true);
  });

  it('is cut when its handler fails, so that it does not look finished', async () => {
    const { path, logged } = await startServer({
      watch: (emit) => {
        emit(CAPTURING);
        return Promise.reject(new Error('disk'));
      },
    });
    const stream = follow(path, 'watch', () => undefined, new AbortController().signal);
    await expect(stream).rejects.toMatchObject({ code: 'unavailable' });
    expect(logged.join()).toContain('disk');
  });

  it('drops a client that does not read, in bounded memory', async () => {
    const gone = Promise.withResolvers<number>();
    const { path } = await startServer({
      watch: async (emit, signal) => {
        let count = 0;
        while (!signal.aborted) {
          emit(CAPTURING);
          if (++count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        gone.resolve(count * JSON.stringify(CAPTURING).length);
      },
    });
    const socket = connect(path);
    socket.pause();
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    socket.write('GET /v1/watch HTTP/1.1\r\nHost: d\r\n\r\n');
    expect(await gone.promise).toBeLessThan(4 * 1024 * 1024);
  });
});

describe('starting and stopping the control server', () => {
  it('refuses to take the socket of a daemon that lives', async () => {
    const { path } = await startServer();
    const second = new ControlServer(path, handlers(), ALONE, keepingLog().log);
    await expect(second.start()).rejects.toMatchObject({ code: 'failed' });
    await second.stop();
    expect(await get(path, 'status')).toEqual(CAPTURING);
  });

  it('replaces the socket that a dead daemon left', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'control.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(path)).toBe(true);
    await startServer({}, path);
    expect(await get(path, 'status')).toEqual(CAPTURING);
  });

  it('leaves alone what is no socket', async () => {
    const path = join(temporaryFolder(), 'control.sock');
    writeFileSync(path, 'mine');
    const server = new ControlServer(path, handlers(), ALONE, keepingLog().log);
    await expect(server.start()).rejects.toMatchObject({ code: 'bad-configuration' });
    expect(existsSync(path)).toBe(true);
  });

  it('refuses a folder in which others could replace the socket', async () => {
    const folder = join(temporaryFolder(), 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    const server = new ControlServer(join(folder, 'control.sock'), handlers(), ALONE, keepingLog().log);
    await expect(server.start()).rejects.toThrow('Others could replace');
  });

  it('ends streams, answers what is in hand, removes the socket, and can be stopped again', async () => {
    const { path, server } = await startServer({
      pause: async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { until: '2026-11-24T14:30:00.000Z', remainingMs: 5 };
      },
    });
    const stream = follow(path, 'watch', () => undefined, new AbortController().signal);
    const pause = post(path, 'pause', { durationMs: 5 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([server.stop(), server.stop()]);
    await expect(stream).resolves.toBeUndefined();
    await expect(pause).resolves.toMatchObject({ remainingMs: 5 });
    expect(existsSync(path)).toBe(false);
    await expect(get(path, 'status')).rejects.toMatchObject({ code: 'daemon-down' });
  });

  it('does not wait for clients that hold on', async () => {
    const { path, server } = await startServer();
    const socket = connect(path);
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    const startedMs = performance.now();
    await server.stop();
    expect(performance.now() - startedMs).toBeLessThan(1500);
  });

  it('stops by its signal, before or after it listens', async () => {
    const path = join(temporaryFolder(), 'control.sock');
    const early = new ControlServer(path, handlers(), ALONE, keepingLog().log);
    await expect(early.start(AbortSignal.abort())).rejects.toThrow();
    const stopping = new AbortController();
    const late = new ControlServer(path, handlers(), ALONE, keepingLog().log);
    await late.start(stopping.signal);
    stopping.abort();
    await late.stop();
    expect(existsSync(path)).toBe(false);
  });

  it('refuses a path that the system would cut', async () => {
    const path = join(temporaryFolder(), 'x'.repeat(100), 'control.sock');
    const server = new ControlServer(path, handlers(), ALONE, keepingLog().log);
    await expect(server.start()).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('shorter') as string,
    });
  });
});

describe('a control server that tells its peers apart', () => {
  const accounts = { personUid: 1000, serviceUid: 990 };
  const as = (uid: number | null) => startServer({}, undefined, { accounts, uidOf: () => uid });

  it('lets anyone connect', async () => {
    const { path } = await as(1001);
    expect(statSync(path).mode & 0o777).toBe(0o666);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o711);
  });

  it('names the peer to what depends on it', async () => {
    const pause = vi.fn(() => ({ until: '2026-11-24T14:30:00.000Z', remainingMs: 1 }));
    const { path } = await startServer({ pause }, undefined, { accounts, uidOf: () => 1001 });
    await post(path, 'pause', { durationMs: 90_000 });
    expect(pause).toHaveBeenCalledWith({ durationMs: 90_000 }, { role: 'other', uid: 1001 });
  });

  const routes = ['watch', 'notice', 'consent', 'policy', 'exemptions', 'round'] as const;
  const acts = [
    ...(['grant', 'revoke', 'reload', 'exempt', 'withdraw', 'refresh', 'uploadNow'] as const),
    ...(['roundResult', 'roundReply', 'roundEnd'] as const),
  ];
  it.each([
    ['another account', 1001, []],
    ['an account that the kernel does not name', null, []],
    ['root', 0, ['reload']],
    ['the service', 990, ['round', 'roundResult', 'roundReply', 'roundEnd']],
    ['the person', 1000, [...routes, ...acts]],
  ])('lets %s use what is theirs and nothing else', async (_who, uid, theirs) => {
    const { path } = await as(uid);
    for (const name of [...routes, ...acts]) {
      const route = ROUTES[name];
      const text = (routes as readonly string[]).includes(name)
        ? `GET ${route} HTTP/1.1\r\nHost: d\r\n\r\n`
        : postText(route, '{}');
      const { head } = await firstBytes(path, text);
      const isAllowed = (theirs as readonly string[]).includes(name);
      expect(`${name} ${head.includes(' 403 ') ? 'refused' : 'allowed'}`).toBe(
        `${name} ${isAllowed ? 'allowed' : 'refused'}`,
      );
    }
  });

  it('keeps a few connections for each other account, and the rest for the person', async () => {
    let uid = 1001;
    const { path } = await startServer({}, undefined, { accounts, uidOf: () => uid });
    const held: Socket[] = [];
    onTestFinished(() => held.forEach((socket) => void socket.destroy()));
    const hold = async (): Promise<void> => {
      const socket = connect(path);
      held.push(socket);
      await new Promise<void>((resolve) => socket.once('connect', resolve));
    };
    for (let i = 0; i < 4; i++) await hold();
    await expect(get(path, 'status')).rejects.toMatchObject({ code: 'unavailable' });
    for (uid = 1002; uid < 1005; uid++) for (let i = 0; i < 4; i++) await hold();
    await expect(get(path, 'status')).rejects.toMatchObject({ code: 'unavailable' });
    uid = accounts.personUid;
    expect(await get(path, 'status')).toEqual(CAPTURING);
  });
});

/** What comes back first. */
function firstBytes(path: string, text: string): Promise<{ readonly head: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => void socket.write(text));
    socket.once('data', (bytes) => {
      resolve({ head: bytes.toString().split('\r\n')[0] ?? '' });
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
