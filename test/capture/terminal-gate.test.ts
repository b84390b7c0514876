import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { terminalGate, ttyMode } from '../../src/capture/child/terminal-gate.ts';
import { openLibc } from '../../src/posix/libc-koffi.ts';

const { libc } = openLibc();

/** A terminal program: it holds the other side of a pseudo terminal, on which a shell of sorts runs. */
const TERMINAL = `
import os, pty, sys, termios
pid, fd = pty.fork()
if pid == 0:
    import time
    os.write(1, b'.')
    time.sleep(600)
os.read(fd, 1)
for line in sys.stdin:
    flags = termios.tcgetattr(fd)
    word = line.strip()
    flags[3] = flags[3] & ~termios.ECHO if word in ('secret', 'shell') else flags[3] | termios.ECHO
    flags[3] = flags[3] & ~termios.ICANON if word == 'shell' else flags[3] | termios.ICANON
    termios.tcsetattr(fd, termios.TCSANOW, flags)
    print(word, flush=True)
os.kill(pid, 9)
`;

/** Skipped only where the C library cannot be called, or on another system. */
describe.skipIf(libc === null || process.platform !== 'linux')('keys in the window of', () => {
  async function terminal() {
    const program = spawn('python3', ['-c', TERMINAL], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void program.stdin.end());
    const set = async (mode: string): Promise<void> => {
      program.stdin.write(`${mode}\n`);
      await once(program.stdout, 'data');
    };
    await set('cooked');
    return { pid: program.pid ?? 0, set };
  }
  const gate = terminalGate('/proc', (path) => ttyMode(libc, path));

  test('a terminal are shown, a secret, or unclear, as its program has set it', async () => {
    const { pid, set } = await terminal();
    expect(gate.look(pid)).toBe('editor');
    await set('secret');
    expect([gate.glance(pid), gate.look(pid)]).toEqual(['secret', 'secret']);
    await set('shell');
    expect([gate.glance(pid), gate.look(pid)]).toEqual(['unclear', 'unclear']);
    await set('cooked');
    expect([gate.glance(pid), gate.look(pid)]).toEqual(['editor', 'editor']);
  });

  test('a program without a terminal are shown', async () => {
    const program = spawn('sleep', ['600'], { stdio: 'ignore' });
    onTestFinished(() => void program.kill());
    await once(program, 'spawn');
    expect(gate.look(program.pid ?? 0)).toBe('editor');
  });

  test('a program that is gone, or was not looked at, or whose terminal cannot be read are unclear', async () => {
    expect(gate.look(2 ** 30)).toBe('unclear');
    expect(gate.glance(process.pid)).toBe('unclear');
    const { pid } = await terminal();
    expect(terminalGate('/proc', () => null).look(pid)).toBe('unclear');
  });
});
