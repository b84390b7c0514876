import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findProgram, type Program, startProgram } from '../../src/demo/program-node.ts';
import { DEMO, isAlive, script, Watched } from './script.ts';

const FOREVER = 'setInterval(() => {}, 1000);';
const never = new AbortController().signal;

describe('a program of the demonstration', { timeout: 30_000 }, () => {
  it('is ready when it says so, and the rest of what it writes does not stop it', async () => {
    const chatty = `console.log('hello'); console.log('listening on http://here');
      process.stdout.write('x'.repeat(1e6), () => process.exit(7));`;
    const { program } = start(chatty);
    const [, url] = await program.line(/listening on (\S+)/, never);
    expect(url).toBe('http://here');
    expect(await program.ended).toBe('exit code 7');
  });

  it('that ends before it is ready is an error that says how', async () => {
    const { program } = start('process.exit(3)');
    await expect(program.line(/ready/, never)).rejects.toThrow(
      'tester ended before it was ready: exit code 3.',
    );
  });

  it('that cannot be started has ended', async () => {
    const { program } = start('', '/nonexistent/program');
    expect(await program.ended).toMatch(/^could not be started: .*ENOENT/);
    expect(await program.stop(100)).toMatch(/^could not be started/);
  });

  it('is no longer waited for when everything ends', async () => {
    const ending = new AbortController();
    const { program } = start(FOREVER);
    const ready = program.line(/ready/, ending.signal);
    ending.abort();
    await expect(ready).rejects.toThrow('did not become ready');
    await program.stop(1000);
  });

  it('is asked to stop, and killed when it does not', async () => {
    const polite = start(
      `process.on('SIGTERM', () => process.exit(0)); console.log('up'); ${FOREVER}`,
    ).program;
    await polite.line(/up/, never);
    expect(await polite.stop(5000)).toBe('exit code 0');
    expect(await polite.stop(5000)).toBe('exit code 0');

    const deaf = start(`process.on('SIGTERM', () => {}); console.log('up'); ${FOREVER}`).program;
    await deaf.line(/up/, never);
    expect(await deaf.stop(100)).toBe('killed by SIGKILL');
  });

  it('writes what is not read to the log', async () => {
    const { program, log } = start(`console.log('up'); console.error('trouble');`);
    await program.ended;
    expect(readFileSync(log, 'utf8')).toBe('trouble\n');
  });

  it('sees the end of its input when we are killed', async () => {
    const inner = `process.stdin.on('end', () => process.exit()).resume(); console.log(process.pid);`;
    const parent = new Watched(
      process.execPath,
      script(`
      import { startProgram } from '${DEMO}/program-node.ts';
      const spec = { name: 'inner', file: process.execPath, args: ${JSON.stringify(script(inner))}, env: {}, logFd: 2, readsFrom: 1 };
      const [pid] = await startProgram(spec).line(/\\d+/, new AbortController().signal);
      console.log('inner is', pid);`),
    );
    const pid = Number((await parent.says(/inner is (\d+)/))[1]);
    expect(isAlive(pid)).toBe(true);
    parent.child.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });
});

it('programs are found by the path alone', () => {
  expect(findProgram('sh', '/nonexistent::/bin')).toBe('/bin/sh');
  expect(findProgram('sh', '')).toBeUndefined();
  expect(findProgram('no-such-program', process.env['PATH'])).toBeUndefined();
});

function start(code: string, file = process.execPath): { program: Program; log: string } {
  const folder = mkdtempSync(join(tmpdir(), 'telemetryd-demo-'));
  const log = join(folder, 'log');
  const logFd = openSync(log, 'a');
  const program = startProgram({ name: 'tester', file, args: script(code), env: {}, logFd, readsFrom: 1 });
  onTestFinished(async () => {
    await program.stop(0);
    closeSync(logFd);
    rmSync(folder, { recursive: true });
  });
  return { program, log };
}
