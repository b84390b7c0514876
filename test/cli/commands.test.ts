import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { askDaemon } from '../../src/cli/daemon.ts';
import type { CliIo } from '../../src/cli/io.ts';
import type { ControlHandlers } from '../../src/control/handlers.ts';
import type { GrantRequest, PauseRequest } from '../../src/control/protocol.ts';
import { TelemetryError } from '../../src/core/errors.ts';
import type { StatusReport } from '../../src/core/status.ts';
import { openLedger } from '../../src/privacy/ledger.ts';
import { CAPTURING, handlers, PAUSED, PERSON } from '../control/reports.ts';
import { startServer, temporaryFolder } from '../control/sockets.ts';
import { NOW, type Outcome, run } from './run.ts';

process.env['TZ'] = 'UTC';

/** A state folder with a real control server in it. */
async function withDaemon(replaced: Partial<ControlHandlers> = {}): Promise<string> {
  const stateDir = temporaryFolder();
  await startServer(replaced, join(stateDir, 'run', 'control.sock'));
  return stateDir;
}

function json(outcome: Outcome): Record<string, unknown> {
  return JSON.parse(outcome.out) as Record<string, unknown>;
}

describe('telemetryctl status and why', () => {
  it('print the report of the daemon as it came', async () => {
    const stateDir = await withDaemon();
    const status = await run(['status', '--json'], { stateDir });
    expect(status).toMatchObject({ code: 0, err: '' });
    expect(json(status)).toEqual(CAPTURING);
    expect((await run(['status'], { stateDir })).out).toMatch(/^Capturing, since 13:57/);
    expect((await run(['why'], { stateDir })).out).toContain('Upload: The gate is open');
    expect(json(await run(['why', '--json'], { stateDir }))).toMatchObject({
      schema: 1,
      upload: { gate: 'open' },
    });
  });

  it('say the same on the short way and through the parser', async () => {
    const stateDir = await withDaemon();
    const short = await run(['status', '--json'], { stateDir });
    expect(await run(['status', '--json', '--json'], { stateDir })).toEqual(short);
    expect((await run(['status', '--short', '--short'], { stateDir })).out).toBe('capturing\n');
  });

  it('are refused by a daemon with the daemon’s own words', async () => {
    const stateDir = await withDaemon({
      status: () => {
        throw new TelemetryError('not-permitted', 'Not yours.', { hint: 'ask' });
      },
    });
    expect(await run(['status'], { stateDir })).toMatchObject({
      code: 11,
      out: '',
      err: 'telemetryctl: Not yours.\nTry: ask\n',
    });
  });
});

describe('telemetryctl status --watch', () => {
  const twice = (emit: (report: StatusReport) => void): Promise<void> => {
    emit(CAPTURING);
    emit(PAUSED);
    return Promise.resolve();
  };

  it('prints a line a change in a pipe, and exits 10 when the daemon stops', async () => {
    const stateDir = await withDaemon({ watch: twice });
    const text = await run(['status', '--watch'], { stateDir });
    expect(text.out.split('\n').map((line) => line.split(' | ')[0])).toEqual(['capturing', 'paused', '']);
    expect(text).toMatchObject({
      code: 10,
      err: 'telemetryctl: The daemon has stopped.\nTry: telemetryd run\n',
    });
    const lines = (await run(['status', '--watch', '--json'], { stateDir })).out.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([CAPTURING, PAUSED]);
  });

  it('redraws one page on a terminal, and exits 130 by Ctrl-C', async () => {
    const ctrlC = new AbortController();
    const stateDir = await withDaemon({
      watch: async (emit, signal) => {
        await twice(emit);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      },
    });
    const onOut = (text: string): void => {
      if (text.includes('Paused')) ctrlC.abort();
    };
    const outcome = await run(['status', '--watch'], {
      stateDir,
      isTerminal: true,
      interrupted: ctrlC.signal,
      onOut,
    });
    expect(outcome.code).toBe(130);
    expect(outcome.out.split('\u001b[H')).toHaveLength(3);
    expect(outcome.out).toContain('\u001b[K\n');
  });
});

describe('telemetryctl status --short', () => {
  it('is a few words on one line: the state, and how long it lasts', async () => {
    expect(await run(['status', '--short'], { stateDir: await withDaemon() })).toMatchObject({
      code: 0,
      out: 'capturing\n',
    });
    const stateDir = await withDaemon({ status: () => PAUSED });
    expect((await run(['status', '--short'], { stateDir })).out).toMatch(/^paused \d+ min\n$/);
  });

  it('says that the daemon is down, and exits as status does', async () => {
    const stopped = await run(['status', '--short'], { stateDir: temporaryFolder() });
    expect(stopped).toMatchObject({ code: 10, out: 'stopped\n', err: '' });
  });

  it('is one form of three', async () => {
    for (const other of ['--json', '--watch']) {
      const { code, err } = await run(['status', '--short', other], { stateDir: await withDaemon() });
      expect(code).toBe(2);
      expect(err).toContain(other);
    }
  });
});

describe('telemetryctl pause --until', () => {
  it('asks for what is left until the clock shows that time, today or tomorrow', async () => {
    const asked: number[] = [];
    const stateDir = await withDaemon({
      pause: (request: PauseRequest) => {
        asked.push(request.durationMs);
        return handlers().pause(request, PERSON);
      },
    });
    for (const time of ['14:25', '14:00:30', '14:00']) {
      expect((await run(['pause', '--until', time], { stateDir })).code).toBe(0);
    }
    // With two steps of the boot-time clock more.
    expect(asked.map((ms) => ms - 20)).toEqual([25 * 60_000 - 500, 29_500, 24 * 3_600_000 - 500]);
  });

  it('is refused with the limit when that is too far off, daemon or none, and shortens nothing', async () => {
    const stateDir = temporaryFolder();
    const refused = await run(['pause', '--until', '15:30'], { stateDir });
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toMatch(/at most 30m.*\nTry: telemetryctl pause 30m/);
  });

  it.each([
    [['--until', '24:00'], 'not a time of day'],
    [['--until', 'noon'], 'not a time of day'],
    [['5m', '--until', '15:30'], 'Both'],
    [[], 'missing'],
  ])('%j is a usage error with a way out', async (words, what) => {
    const { code, err } = await run(['pause', ...words], { stateDir: temporaryFolder() });
    expect(code).toBe(2);
    expect(err).toContain(what);
    expect(err).toMatch(/\nTry: telemetryctl pause/);
  });
});

describe('telemetryctl pause and resume', () => {
  it('ask the daemon', async () => {
    const pause = vi.fn((request: PauseRequest) => handlers().pause(request, PERSON));
    const stateDir = await withDaemon({ pause, resume: () => PAUSED });
    const outcome = await run(['pause', '1h30m', '--reason', 'lunch'], { stateDir });
    expect(outcome).toMatchObject({ code: 0, out: 'Paused until 14:30 (1 h 30 min).\n' });
    expect(pause).toHaveBeenCalledWith(
      { durationMs: 5_400_000, reason: 'lunch' },
      expect.objectContaining({ role: 'person' }),
    );
    expect(json(await run(['pause', '90s', '--json'], { stateDir }))).toMatchObject({ remainingMs: 90_000 });
    expect((await run(['resume'], { stateDir })).out).toBe('No pause stands any more. Paused.\n');
    expect(json(await run(['resume', '--json'], { stateDir }))).toEqual({ schema: 1, state: 'paused' });
  });

  it.each(['soon', '0s', '-5m', '30', '1m1h'])('refuse %j as a duration', async (word) => {
    const stateDir = await withDaemon({ pause: () => expect.unreachable() });
    const outcome = await run(['pause', '--', word], { stateDir });
    expect(outcome).toMatchObject({ code: 2, out: '' });
    expect(outcome.err).toMatch(/Try: telemetryctl pause 30m/);
  });

  it('exit 2 when the daemon refuses by the policy’s limit', async () => {
    const stateDir = await withDaemon({
      pause: () => {
        throw new TelemetryError('limit', 'A pause is at most 30m by the policy (pause.max).', {
          hint: 'telemetryctl pause 30m',
        });
      },
    });
    expect(await run(['pause', '2h'], { stateDir })).toMatchObject({
      code: 2,
      err: 'telemetryctl: A pause is at most 30m by the policy (pause.max).\nTry: telemetryctl pause 30m\n',
    });
  });
});

describe('telemetryctl consent', () => {
  it('shows the notice, asks, and agrees to exactly what was shown', async () => {
    const grant = vi.fn((request: GrantRequest) => handlers().grant(request));
    const stateDir = await withDaemon({ grant });
    const outcome = await run(['consent', 'grant'], { stateDir, answers: ['yes'] });
    expect(outcome.asked).toEqual(['Do you agree to this? [y/N] ']);
    expect(outcome.out).toMatch(/^What is recorded: mouse and keys\.\n\nConsent stands\./);
    expect(grant).toHaveBeenCalledWith({
      noticeId: '1a2b3c4d',
      via: 'terminal',
      ownerRecipient: expect.stringMatching(/^age1/) as string,
    });
  });

  it('grants with --yes, and says that a script did', async () => {
    const grant = vi.fn((request: GrantRequest) => handlers().grant(request));
    const stateDir = await withDaemon({ grant });
    const outcome = await run(['consent', 'grant', '--yes', '--json'], { stateDir });
    expect(json(outcome)).toMatchObject({ schema: 1, state: 'granted' });
    expect(outcome.err).toContain('What is recorded');
    expect(grant).toHaveBeenCalledWith({
      noticeId: '1a2b3c4d',
      via: 'script',
      ownerRecipient: expect.stringMatching(/^age1/) as string,
    });
  });

  it.each(['grant', 'revoke'])(
    '%s changes nothing without an answer, and never waits for one',
    async (verb) => {
      const act = vi.fn(() => expect.unreachable());
      const stateDir = await withDaemon({ grant: act, revoke: act });
      const silent = await run(['consent', verb], { stateDir });
      expect(silent).toMatchObject({ code: 2, asked: [] });
      expect(silent.err).toContain(`telemetryctl consent ${verb} --yes`);
      const declined = await run(['consent', verb], { stateDir, answers: [''] });
      expect(declined).toMatchObject({ code: 1 });
      expect(declined.err).toContain('nothing was changed');
    },
  );

  it('is revoked with --yes or on a terminal', async () => {
    const stateDir = await withDaemon();
    expect((await run(['consent', 'revoke', '--yes'], { stateDir })).out).toMatch(/^Consent was revoked/);
    expect((await run(['consent', 'revoke'], { stateDir, answers: ['y'] })).code).toBe(0);
  });

  it('shows the receipt and what has changed since', async () => {
    const stateDir = await withDaemon({
      consent: () => ({
        state: 'stale',
        noticeId: 'bbbb',
        receipt: {
          id: 'r-1',
          noticeId: 'aaaa',
          grantedAt: '2026-11-24T12:00:00.000Z',
          revokedAt: null,
          via: 'script',
          uid: 1000,
          destination: '',
        },
        changes: ['keys: was shortcuts, is now full.'],
      }),
    });
    const { out } = await run(['consent', 'show'], { stateDir });
    expect(out).toContain('12:00 (2 h ago) by a script, uid 1000');
    expect(out).toContain('- keys: was shortcuts, is now full.');
    expect(out).toContain('Try: telemetryctl consent grant');
  });
});

describe('telemetryctl notice, upload and policy', () => {
  it('print the notice with its id', async () => {
    const stateDir = await withDaemon();
    expect((await run(['notice'], { stateDir })).out).toBe(
      'What is recorded: mouse and keys.\n\nNotice 1a2b3c4d\n',
    );
    expect(json(await run(['notice', '--json'], { stateDir }))).toHaveProperty('id', '1a2b3c4d');
  });

  it('start an upload, or say what is in the way', async () => {
    const stateDir = await withDaemon();
    expect(await run(['upload', 'now'], { stateDir })).toMatchObject({
      code: 0,
      out: 'An upload has begun.\n',
    });
    const blocked = await withDaemon({
      uploadNow: () => ({ started: false, blockers: [{ code: 'on-battery', text: 'Running on battery.' }] }),
    });
    const outcome = await run(['upload', 'now'], { stateDir: blocked });
    expect(outcome.code).toBe(1);
    expect(outcome.out).toContain('- Running on battery. [on-battery]');
    const idle = await withDaemon({ uploadNow: () => ({ started: false, blockers: [] }) });
    expect(await run(['upload', 'now'], { stateDir: idle })).toMatchObject({
      code: 0,
      out: 'Nothing waits to be sent.\n',
    });
    expect(json(await run(['upload', 'status', '--json'], { stateDir }))).toMatchObject({
      upload: CAPTURING.upload,
    });
  });

  it('print the policy as a file that would give it', async () => {
    const stateDir = await withDaemon();
    const { out } = await run(['policy', 'show'], { stateDir });
    expect(out).toContain('[pause]\nmax = "30m"');
    const file = join(stateDir, 'again.toml');
    writeFileSync(file, out);
    expect(await run(['policy', 'check', file], { stateDir })).toMatchObject({ code: 0 });
  });

  it('check a policy file: 12 when it would be refused, with line and column', async () => {
    const stateDir = temporaryFolder();
    writeFileSync(join(stateDir, 'bad.toml'), '[capture]\nkeyz = "off"\n');
    const bad = await run(['policy', 'check', 'bad.toml'], { stateDir });
    expect(bad.code).toBe(12);
    expect(bad.out).toContain('bad.toml:2:1');
    expect(json(await run(['policy', 'check', 'bad.toml', '--json'], { stateDir }))).toMatchObject({
      ok: false,
      id: null,
    });
    expect((await run(['policy', 'check', 'missing.toml'], { stateDir })).code).toBe(12);
  });
});

describe('telemetryctl log', () => {
  it('prints what was recorded of capture, sending and consent, and verifies it', async () => {
    const stateDir = temporaryFolder();
    expect(await run(['log'], { stateDir })).toMatchObject({ code: 0, out: '' });
    const ledger = openLedger(stateDir, { now: () => NOW, bootId: 'b' });
    ledger.appendEntry({ type: 'started', version: '0.1.0', mode: 'user' });
    ledger.appendEntry({
      type: 'withheld',
      cause: 'pause',
      from: '2026-11-24T13:00:00Z',
      until: '2026-11-24T13:30:00Z',
    });
    ledger.close();
    expect((await run(['log'], { stateDir })).out).toBe(
      '2026-11-24, Tuesday\n' +
        '  14:00:00  started     telemetryd 0.1.0, user\n' +
        '  14:00:00  withheld    pause, until 2026-11-24T13:30:00Z\n' +
        '\nRecorded 0 events in 0 files (0 B); sent 0 files (0 B); purged 0 files.\n',
    );
    const entries = (await run(['log', '--json'], { stateDir })).out.trim().split('\n');
    expect(entries.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2]);
    expect(await run(['log', 'verify'], { stateDir })).toMatchObject({ code: 0 });
    const file = join(stateDir, 'ledger.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"pause"', '"lunch"'));
    const broken = await run(['log', 'verify', '--json'], { stateDir });
    expect(broken.code).toBe(1);
    expect(json(broken)).toMatchObject({ ok: false, entries: 1, brokenAt: 2 });
  });
});

describe('the command line', () => {
  const stateDir = '/nonexistent';

  it.each([
    [[]],
    [['statsu']],
    [['status', '--jsn']],
    [['status', 'now']],
    [['consent']],
    [['consent', 'give']],
    [['pause', '5m', '--reason']],
  ])('%j is a usage error with a way out', async (words) => {
    const outcome = await run(words, { stateDir });
    expect(outcome).toMatchObject({ code: 2, out: '' });
    expect(outcome.err).toMatch(/^telemetryctl: [A-Z].*\.\nTry: telemetryctl .*--help\n$/);
  });

  it('prints its version, which is the package’s', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await run(['--version'], { stateDir })).toMatchObject({ code: 0, out: `${version}\n` });
  });

  it('has help on one screen for every command, which ends with examples', async () => {
    const help = await run(['--help'], { stateDir });
    const commands = [...help.out.matchAll(/^ {2}([a-z]+) {2,}[a-z]/gm)].map(([, name = '']) => name);
    expect(commands.length).toBeGreaterThanOrEqual(14);
    const pages = [['--help'], ...commands.map((name) => [name, '--help'])];
    for (const verb of ['show', 'grant', 'revoke']) pages.push(['consent', verb, '--help']);
    for (const words of [
      ['upload', 'now'],
      ['upload', 'status'],
      ['policy', 'show'],
      ['policy', 'check'],
      ['log', 'verify'],
    ]) {
      pages.push([...words, '--help']);
    }
    for (const words of pages) {
      const { code, out, err } = await run(words, { stateDir });
      expect({ code, err }).toEqual({ code: 0, err: '' });
      const lines = out.trimEnd().split('\n');
      expect(lines.length, words.join(' ')).toBeLessThanOrEqual(24);
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
      const examples = lines.slice(lines.indexOf('Examples:') + 1);
      expect(examples.length, words.join(' ')).toBeGreaterThanOrEqual(2);
      for (const example of examples) expect(example).toMatch(/^ {2}telemetryctl /);
    }
  });

  it('calls a command that it does not have an error, also where help is asked for', async () => {
    for (const words of [
      ['statu', '--help'],
      ['consent', 'sell', '-h'],
    ]) {
      expect(await run(words, { stateDir }), words.join(' ')).toMatchObject({ code: 2, out: '' });
    }
    expect((await run(['statu', '--help'], { stateDir })).err).toContain('(Did you mean status?)');
  });

  it('stops quietly when the reader of its output has gone', async () => {
    const folder = temporaryFolder();
    const ledger = openLedger(folder, { now: () => NOW, bootId: 'b' });
    for (let i = 0; i < 5; i++) ledger.appendEntry({ type: 'stopped', cause: 'signal' });
    ledger.close();
    expect(await run(['log'], { stateDir: folder, readsOnly: 2 })).toMatchObject({ code: 0, err: '' });
  });

  it('looks no further than a system daemon’s closed folder: one’s own daemon is down', async () => {
    const io = {
      around: { env: {}, uid: 4321, platform: 'linux', home: temporaryFolder(), cwd: '/' },
    } as CliIo;
    const asked: string[] = [];
    const ask = (socketPath: string): Promise<never> => {
      asked.push(socketPath);
      const isOwn = !socketPath.startsWith('/run/telemetryd/');
      return Promise.reject(
        new TelemetryError(isOwn ? 'daemon-down' : 'not-permitted', isOwn ? 'down' : 'closed'),
      );
    };
    // Where a system daemon runs on this very machine, its folder is open to whoever runs the tests as root.
    if (!existsSync('/run/telemetryd')) {
      await expect(askDaemon(io, ask)).rejects.toMatchObject({ code: 'daemon-down' });
      expect(asked).toHaveLength(2);
    }
    const named = {
      ...io,
      around: { ...io.around, env: { TELEMETRYD_SOCKET: '/run/telemetryd/control.sock' } },
    };
    await expect(askDaemon(named, ask)).rejects.toMatchObject({ code: 'not-permitted' });
  });

  it('looks at the user’s daemon before the system’s, and only where the environment says', async () => {
    const home = temporaryFolder();
    await startServer({}, join(home, '.local/state/telemetryd/run/control.sock'));
    const env = { TELEMETRYD_STATE_DIR: '', XDG_RUNTIME_DIR: '', XDG_STATE_HOME: '' };
    expect(json(await run(['status', '--json'], { stateDir: home, env }))).toEqual(CAPTURING);
    mkdirSync(join(home, 'other'));
    const elsewhere = await run(['status', '--json'], {
      stateDir: home,
      env: { TELEMETRYD_STATE_DIR: 'other' },
    });
    expect(elsewhere.code).toBe(10);
  });
});
