import { type SpawnOptions, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PauseReply } from '../../src/control/protocol.ts';
import type { PublicStatus, StatusReport } from '../../src/core/status.ts';
import { ROOT, until } from '../e2e/desk.ts';
import { TIMEOUT_MS } from './daemon-program.ts';

/** Accounts that nobody has: the kernel goes by the number. */
const PERSON = 61_001;
const COLLEAGUE = 61_002;

const isRoot = process.getuid?.() === 0;

/** Asks over the socket, whoever owns it: telemetryctl itself would refuse one that is not root's or one's own. */
const RAW = `
const [socketPath, method, url, body] = process.argv.slice(1);
const headers = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
const request = require('node:http').request({ socketPath, method, path: url, headers }, (reply) => {
  let text = '';
  reply.on('data', (part) => (text += part)).on('end', () => console.log(JSON.stringify({ status: reply.statusCode, body: JSON.parse(text) })));
});
request.end(body);
`;

/** The built program where other accounts can run it, and a daemon of one of them. */
class SharedMachine {
  readonly root = mkdtempSync(path.join(os.tmpdir(), 'others-'));
  readonly app = path.join(this.root, 'app');
  readonly socket = path.join(this.root, 'run/control.sock');
  readonly stateDir: string;
  readonly #daemonUid: number;
  #stop: () => Promise<void> = () => Promise.resolve();

  constructor(daemonUid: number) {
    this.#daemonUid = daemonUid;
    this.stateDir = path.join(this.home(daemonUid), 'state');
  }

  home(uid: number): string {
    return path.join(this.root, `home-${uid}`);
  }

  async start(): Promise<void> {
    chmodSync(this.root, 0o755);
    for (const uid of [PERSON, COLLEAGUE, 0]) {
      mkdirSync(this.home(uid), { mode: 0o700 });
      chownSync(this.home(uid), uid, uid);
    }
    const modules = path.join(ROOT, 'node_modules');
    cpSync(path.join(ROOT, 'dist'), path.join(this.app, 'dist'), { recursive: true });
    cpSync(path.join(modules, '@koromix'), path.join(this.app, 'node_modules/@koromix'), { recursive: true });
    writeFileSync(path.join(this.app, 'package.json'), '{"type":"module"}');
    copyFileSync(process.execPath, path.join(this.app, 'node'), constants.COPYFILE_FICLONE);
    chmodSync(path.join(this.app, 'node'), 0o755);
    const policy = path.join(this.root, 'policy.toml');
    writeFileSync(policy, '[capture]\nkeys = "off"\nfocus_unknown = "record"\n', { mode: 0o644 });
    chmodSync(policy, 0o644);
    chownSync(policy, this.#daemonUid, this.#daemonUid);
    const folder = path.dirname(this.socket);
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    chownSync(folder, this.#daemonUid, this.#daemonUid);
    const daemon = spawn(this.#node, [path.join(this.app, 'dist/telemetryd.js'), 'run'], {
      ...this.#as(this.#daemonUid, { TELEMETRYD_POLICY: policy }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    daemon.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    daemon.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const gone = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
    this.#stop = async () => {
      daemon.kill('SIGKILL');
      await gone;
    };
    await until('the daemon to answer', async () => {
      if (daemon.exitCode !== null) throw new Error(`the daemon exited: ${said}`);
      return (await this.ctl(this.#daemonUid, 'status', '--json')).code === 0;
    });
  }

  async close(): Promise<void> {
    await this.#stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** telemetryctl as an account. */
  ctl(uid: number, ...words: string[]) {
    return this.run(uid, path.join(this.app, 'dist/telemetryctl.js'), ...words);
  }

  async raw(
    uid: number,
    method: string,
    url: string,
    body?: object,
  ): Promise<{ status: number; body: Partial<PublicStatus & PauseReply> }> {
    const sent = body === undefined ? [] : [JSON.stringify(body)];
    const { out, err } = await this.run(uid, '-e', RAW, this.socket, method, url, ...sent);
    if (out === '') throw new Error(err);
    return JSON.parse(out) as { status: number; body: Partial<PublicStatus & PauseReply> };
  }

  async run(uid: number, ...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(this.#node, words, { ...this.#as(uid), stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out, err };
  }

  get #node(): string {
    return path.join(this.app, 'node');
  }

  #as(uid: number, more: Record<string, string> = {}): SpawnOptions {
    const HOME = this.home(uid);
    const env = {
      PATH: '/usr/bin:/bin',
      HOME,
      TELEMETRYD_SOCKET: this.socket,
      TELEMETRYD_STATE_DIR: path.join(HOME, 'state'),
      ...more,
    };
    return { uid, gid: uid, cwd: '/', env };
  }
}

const ENTRIES = ['schema', 'restricted', 'daemon', 'collection'];

describe.runIf(isRoot)(
  'a daemon of one account, asked by others (as root only: it starts processes of other accounts)',
  () => {
    const machine = new SharedMachine(PERSON);

    beforeAll(() => machine.start());
    afterAll(() => machine.close());

    const standing = async () =>
      (JSON.parse((await machine.ctl(PERSON, 'status', '--json')).out) as StatusReport).collection;

    it('shows a colleague, and root, that it runs, and no more', async () => {
      for (const uid of [COLLEAGUE, 0]) {
        const { status, body } = await machine.raw(uid, 'GET', '/v1/status');
        expect(status).toBe(200);
        expect(Object.keys(body)).toEqual(ENTRIES);
        expect(body.collection).toEqual({ state: 'awaiting-consent' });
      }
    });

    it('lets nobody else read, consent, revoke, send or watch', async () => {
      for (const uid of [COLLEAGUE, 0]) {
        for (const [method, url, body] of [
          ['GET', '/v1/watch'],
          ['GET', '/v1/notice'],
          ['GET', '/v1/consent'],
          ['GET', '/v1/round'],
          ['POST', '/v1/consent/grant', {}],
          ['POST', '/v1/consent/revoke', {}],
          ['POST', '/v1/upload/now', {}],
        ] as const) {
          expect(await machine.raw(uid, method, url, body)).toMatchObject({
            status: 403,
            body: { error: { code: 'not-permitted' } },
          });
        }
      }
      expect((await machine.raw(0, 'POST', '/v1/policy/reload', {})).status).toBe(200);
      expect((await machine.raw(COLLEAGUE, 'POST', '/v1/policy/reload', {})).status).toBe(403);
    });

    it('shortens nobody’s pause: not by a colleague’s pause of a second, nor by anybody’s resume', async () => {
      expect((await machine.ctl(PERSON, 'consent', 'grant', '--yes')).code).toBe(0);
      await machine.ctl(PERSON, 'pause', '30m');
      const { until: end } = await standing();
      const theirs = await machine.raw(COLLEAGUE, 'POST', '/v1/pause', {
        durationMs: 1000,
      });
      expect(theirs.body.remainingMs).toBeLessThanOrEqual(1000);
      for (const uid of [COLLEAGUE, 0])
        expect((await machine.raw(uid, 'POST', '/v1/resume', {})).status).toBe(200);
      const after = await standing();
      expect(after.state).toBe('paused');
      // The end is counted on the boot-time clock, which has steps of 10 ms.
      expect(Math.abs(Date.parse(after.until ?? '') - Date.parse(end ?? ''))).toBeLessThan(100);
    });

    it('is paused by a colleague, until they or the person end it', async () => {
      await machine.ctl(PERSON, 'resume');
      await machine.raw(COLLEAGUE, 'POST', '/v1/pause', { durationMs: 600_000, reason: 'screen sharing' });
      expect(await standing()).toMatchObject({ state: 'paused' });
      await machine.raw(0, 'POST', '/v1/resume', {});
      expect(await standing()).toMatchObject({ state: 'paused' });
      await machine.raw(COLLEAGUE, 'POST', '/v1/resume', {});
      expect((await standing()).state).not.toBe('paused');
      await machine.raw(COLLEAGUE, 'POST', '/v1/pause', { durationMs: 600_000 });
      await machine.ctl(PERSON, 'resume');
      expect((await standing()).state).not.toBe('paused');
    });

    it('keeps its files to the person', async () => {
      const look = `try { require('node:fs').readdirSync(${JSON.stringify(machine.stateDir)}); console.log('seen') } catch (error) { console.log(error.code) }`;
      expect((await machine.run(COLLEAGUE, '-e', look)).out).toBe('EACCES\n');
      expect((await machine.run(PERSON, '-e', look)).out).toBe('seen\n');
      expect(readFileSync(path.join(machine.stateDir, 'CACHEDIR.TAG'), 'utf8')).toMatch(
        /^Signature: 8a477f597d28d172789f06886806bc55\n/,
      );
      expect(modesBelow(machine.stateDir).filter((mode) => (mode & 0o077) !== 0)).toEqual([]);
    });

    it('is not trusted by a colleague’s telemetryctl, which could be lied to', async () => {
      const { code, err } = await machine.ctl(COLLEAGUE, 'status');
      expect(code).toBe(11);
      expect(err).toContain(`belongs to uid ${PERSON}`);
    });
  },
);

describe.runIf(isRoot)('a daemon of root, asked by an ordinary account', () => {
  const machine = new SharedMachine(0);

  beforeAll(() => machine.start());
  afterAll(() => machine.close());

  it('says what it does and takes a pause', async () => {
    const status = await machine.ctl(COLLEAGUE, 'status');
    expect(status).toMatchObject({ code: 0, err: '' });
    expect(status.out).toContain('waiting for consent.\nIt records the input of another account');
    expect((await machine.ctl(0, 'consent', 'grant', '--yes')).code).toBe(0);
    expect((await machine.ctl(COLLEAGUE, 'pause', '10m')).out).toMatch(/^Paused until /);
    expect((await machine.ctl(COLLEAGUE, 'status')).out).toContain(': Paused.');
    expect((await machine.ctl(COLLEAGUE, 'resume')).code).toBe(0);
  });

  it.each([
    ['why'],
    ['notice'],
    ['consent', 'show'],
    ['consent', 'grant', '--yes'],
    ['upload', 'now'],
    ['status', '--watch'],
    ['policy', 'show'],
  ])(
    'refuses `%s %s` with exit code 11',
    async (...words) => {
      const { code, out, err } = await machine.ctl(COLLEAGUE, ...words);
      expect({ code, out }).toEqual({ code: 11, out: '' });
      expect(err).toContain('Try: ');
    },
    TIMEOUT_MS,
  );
});

function modesBelow(folder: string): number[] {
  return [
    statSync(folder).mode,
    ...readdirSync(folder, { withFileTypes: true, recursive: true }).map(
      (entry) => statSync(path.join(entry.parentPath, entry.name)).mode,
    ),
  ];
}
