import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GrantRequest } from '../../src/control/protocol.ts';
import { openLedger } from '../../src/privacy/ledger.ts';
import { CAPTURING, handlers } from '../control/reports.ts';
import { startServer, temporaryFolder } from '../control/sockets.ts';
import { bundle } from './bundle.ts';
import { NOW } from './run.ts';

let folder = '';
let program = '';
let metafile: Metafile;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ctl-dist-'));
  ({ program, metafile } = await bundle(folder));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function telemetryctl(words: readonly string[], stateDir: string): Promise<Ended> {
  const env = { ...process.env, TELEMETRYD_STATE_DIR: stateDir, NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...words], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? null), stdout, stderr }),
    );
    child.stdin?.end();
  });
}

/** On a terminal of its own, by util-linux's `script`; `answer` is typed once `prompt` is there. */
function onTerminal(
  words: readonly string[],
  stateDir: string,
  prompt: string,
  answer: string,
): Promise<Ended> {
  const env = { ...process.env, TELEMETRYD_STATE_DIR: stateDir, TERM: 'xterm', NO_COLOR: '' };
  const line = [process.execPath, program, ...words].join(' ');
  const child = spawn('script', ['-qec', line, '/dev/null'], { env });
  let stdout = '';
  let isAnswered = false;
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
    if (isAnswered || !stdout.includes(prompt)) return;
    isAnswered = true;
    child.stdin.write(answer);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr: '' })));
}

const hasScript = spawnSync('script', ['--version']).status === 0;

describe('telemetryctl as a process', () => {
  it('prints the status of a real daemon, and finds its compiled code the next time', async () => {
    const stateDir = temporaryFolder();
    await startServer({}, join(stateDir, 'run', 'control.sock'));
    const { code, stdout, stderr } = await telemetryctl(['status', '--json'], stateDir);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(CAPTURING);
    expect(existsSync(join(folder, '.compile-cache'))).toBe(true);
  });

  it('exits 10 with a whole report when the daemon is down', async () => {
    const { code, stdout } = await telemetryctl(['status', '--json'], temporaryFolder());
    expect(code).toBe(10);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, collection: { state: 'stopped' } });
  });

  it('has no colour in a pipe, and says on standard error what went wrong', async () => {
    const { code, stdout, stderr } = await telemetryctl(['pause', 'soon'], temporaryFolder());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      'telemetryctl: "soon" is not a duration.\nTry: telemetryctl pause 30m (or 90s, 1h30m)\n',
    );
    expect((await telemetryctl(['status'], temporaryFolder())).stdout).not.toMatch(/\p{Cc}\[/u);
  });

  it('never waits for an answer without a terminal', async () => {
    const stateDir = temporaryFolder();
    await startServer({}, join(stateDir, 'run', 'control.sock'));
    const { code, stderr } = await telemetryctl(['consent', 'grant'], stateDir);
    expect(code).toBe(2);
    expect(stderr).toContain('Try: telemetryctl notice, then telemetryctl consent grant --yes');
  });

  it('ends quietly when the reader of a long output leaves', () => {
    const stateDir = temporaryFolder();
    const ledger = openLedger(stateDir, { now: () => NOW, bootId: 'b' });
    ledger.appendEntries(Array.from({ length: 5000 }, () => ({ type: 'stopped', cause: 'signal' }) as const));
    ledger.close();
    const line = `${process.execPath} ${program} log | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const env = { ...process.env, TELEMETRYD_STATE_DIR: stateDir };
    const { stdout, stderr } = spawnSync('bash', ['-c', line], { env, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(['2026-11-24, Tuesday', '0']);
  });

  it.runIf(hasScript)('asks on a terminal and agrees to what it showed', async () => {
    const stateDir = temporaryFolder();
    const grant = vi.fn((request: GrantRequest) => handlers().grant(request));
    await startServer({ grant }, join(stateDir, 'run', 'control.sock'));
    const { code, stdout } = await onTerminal(['consent', 'grant'], stateDir, '[y/N]', 'y\r');
    expect(stdout).toContain('Consent stands.');
    expect(code).toBe(0);
    expect(grant).toHaveBeenCalledWith({
      noticeId: '1a2b3c4d',
      via: 'terminal',
      ownerRecipient: expect.stringMatching(/^age1/) as string,
    });
  });

  it.runIf(hasScript)('is interrupted by Ctrl-C, at a question and while watching', async () => {
    const stateDir = temporaryFolder();
    await startServer(
      {
        grant: () => expect.unreachable(),
        watch: async (emit, signal) => {
          emit(CAPTURING);
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        },
      },
      join(stateDir, 'run', 'control.sock'),
    );
    const asked = await onTerminal(['consent', 'grant'], stateDir, '[y/N]', '\u0003');
    expect(asked.code).toBe(130);
    const watched = await onTerminal(['status', '--watch'], stateDir, 'Capturing', '\u0003');
    expect(watched.code).toBe(130);
    expect(watched.stdout).toContain('\u001b[32mCapturing\u001b[39m');
  });
});

describe('what `status` loads', () => {
  /** Sources in the chunks that a run of `status` loads: the entry's, and those it imports on its way. */
  function loaded(): string[] {
    const wanted = [
      'src/cli/entry.ts',
      'src/cli/main.ts',
      'src/cli/io-node.ts',
      'src/cli/text/status-page.ts',
    ];
    const queue = Object.entries(metafile.outputs).flatMap(([file, { entryPoint = '' }]) =>
      wanted.includes(entryPoint) ? [file] : [],
    );
    expect(queue).toHaveLength(wanted.length);
    const seen = new Set(queue);
    for (const file of queue) {
      for (const { path, kind } of metafile.outputs[file]?.imports ?? []) {
        if (kind !== 'import-statement' || seen.has(path)) continue;
        seen.add(path);
        queue.push(path);
      }
    }
    return [...seen].flatMap((file) => Object.keys(metafile.outputs[file]?.inputs ?? {}));
  }

  it('is none of the packages', () => {
    const sources = loaded();
    expect(sources).toContain('src/control/client.ts');
    expect(sources.filter((source) => source.includes('node_modules'))).toEqual([]);
  });

  it('is no HTTP library of Node’s either, and nowhere the native hook', () => {
    const imports = Object.values(metafile.outputs).flatMap((output) =>
      output.imports.map(({ path }) => path),
    );
    expect(imports.filter((path) => /^(node:)?https?2?$|uiohook|pino|fastify/.test(path))).toEqual([]);
    const all = Object.keys(metafile.inputs).filter((source) => /uiohook|pino|fastify/.test(source));
    expect(all).toEqual([]);
  });
});
