import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dumpNotes, forbidDumps } from '../../src/posix/dumpable.ts';
import { type Libc, openLibc } from '../../src/posix/libc-koffi.ts';
import { peerOf } from '../../src/posix/peer-credentials.ts';
import { terminalMode } from '../../src/posix/terminal-mode.ts';

const { libc } = openLibc();
const PLATFORM = process.platform;

describe.skipIf(libc === null)('the C library', () => {
  it('says what failed', () => {
    // close(2) of what is not open: EBADF.
    expect(mustHave(libc).call('int close(int fd)', -1)).toEqual({ value: -1, errno: 9 });
  });

  it.skipIf(PLATFORM !== 'linux')('opens another library, with other types, or says why not', () => {
    const { libc: maths } = openLibc('libm.so.6');
    expect(mustHave(maths).call('double sqrt(double x)', 2.25).value).toBe(1.5);
    expect(openLibc('/nowhere/library.so')).toMatchObject({
      libc: null,
      problem: expect.stringMatching(/\w/) as unknown,
    });
  });

  it('tells who is at the other end of a Unix socket', async () => {
    const server = createServer();
    const file = path.join(tmpdir(), `peer-${process.pid}.sock`);
    onTestFinished(() => void server.close());
    const accepted = Promise.withResolvers<Socket>();
    server.on('connection', (socket) => accepted.resolve(socket));
    await listen(server, file);
    const client = connect(file);
    onTestFinished(() => void client.destroy());
    const socket = await accepted.promise;
    const peer = peerOf(mustHave(libc), descriptorOf(socket), PLATFORM);
    expect(peer).toEqual({
      uid: process.getuid?.(),
      gid: process.getgid?.(),
      pid: PLATFORM === 'linux' ? process.pid : null,
    });
    socket.destroy();
  });

  it('names no peer for what is no connection', () => {
    const file = openSync('/dev/null', constants.O_RDONLY);
    onTestFinished(() => closeSync(file));
    expect(peerOf(mustHave(libc), file, PLATFORM)).toBeNull();
    expect(peerOf(mustHave(libc), -1, PLATFORM)).toBeNull();
  });

  it.runIf(PLATFORM === 'linux')('reads the mode of a terminal, and that a file is none', async () => {
    const terminal = await openTerminal();
    const mode = (): unknown => terminalMode(mustHave(libc), terminal, PLATFORM);
    expect(mode()).toEqual({ echo: true, canonical: true });
    stty(terminal, '-echo');
    expect(mode()).toEqual({ echo: false, canonical: true });
    stty(terminal, 'echo', '-icanon');
    expect(mode()).toEqual({ echo: true, canonical: false });
    const file = openSync('/dev/null', constants.O_RDONLY);
    expect(terminalMode(mustHave(libc), file, PLATFORM)).toBeNull();
    closeSync(file);
  });
});

describe('memory that could be read', () => {
  it('is said where the bridge is missing, and where the kernel refuses', () => {
    const missing = forbidDumps({ libc: null, problem: 'no koffi here' }, 'linux');
    expect(dumpNotes('daemon', missing)).toEqual([
      expect.objectContaining({
        code: 'memory-readable',
        text: 'Other programs of yours could read the memory of the daemon: no koffi here.',
      }),
    ]);
    const refusing: Libc = { call: () => ({ value: -1, errno: 22 }) };
    expect(forbidDumps({ libc: refusing, problem: null }, 'linux')).toMatch(/22/);
  });

  it('is nothing to speak of on a system without such a thing', () => {
    expect(dumpNotes('daemon', forbidDumps({ libc: null, problem: 'no koffi here' }, 'darwin'))).toEqual([]);
  });
});

function mustHave(found: Libc | null): Libc {
  if (found === null) throw new Error('koffi is missing');
  return found;
}

function listen(server: Server, file: string): Promise<void> {
  return new Promise((resolve) => void server.listen(file, resolve));
}

function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

/** The program's side of a pseudo terminal, which Python makes and holds open. */
async function openTerminal(): Promise<number> {
  const code = 'import os,sys; m,s=os.openpty(); print(os.ttyname(s),flush=True); sys.stdin.read()';
  const holder = spawn('python3', ['-c', code], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void holder.kill());
  const name = await new Promise<string>((resolve) => {
    holder.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString().trim()));
  });
  const terminal = openSync(name, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(terminal));
  return terminal;
}

function stty(terminal: number, ...words: string[]): void {
  execFileSync('stty', words, { stdio: [terminal, 'ignore', 'pipe'] });
}
