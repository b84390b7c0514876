import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { DEMO, script, Watched } from './script.ts';

const ASK = `
  import { asksYes } from '${DEMO}/consent-node.ts';
  const ending = new AbortController();
  process.on('SIGINT', () => { console.log('interrupted'); ending.abort(); });
  const terminal = { input: process.stdin, output: process.stdout };
  console.log('terminal: ' + (process.stdin.isTTY === true));
  console.log('answer: ' + (await asksYes('Record?', terminal, ending.signal)));`;

/** util-linux's `script` gives a program a terminal; other systems' take other options. */
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout.includes('util-linux');

describe.runIf(hasScript)('the question on a terminal', { timeout: 30_000 }, () => {
  it.each([
    ['y\n', true],
    ['YES\n', true],
    ['n\n', false],
    ['\n', false],
    ['yesterday\n', false],
    ['\x04', false],
  ])('takes %j as %s, and the program can end after it', async (typed, isYes) => {
    const asked = onTerminal();
    await asked.says(/Record\? \[y\/N\] /);
    expect(asked.output).toContain('terminal: true');
    asked.child.stdin.write(typed);
    await asked.says(new RegExp(`answer: ${isYes}`));
    expect(await asked.ends()).toBe(0);
  });

  it('takes Ctrl-C as a signal and as no', async () => {
    const asked = onTerminal();
    await asked.says(/Record\? \[y\/N\] /);
    asked.child.stdin.write('\x03');
    await asked.says(/interrupted[^]*answer: false/);
    expect(await asked.ends()).toBe(0);
  });
});

function onTerminal(): Watched {
  const words = [process.execPath, ...script(ASK)].map(
    (word) => `'${word.replaceAll("'", String.raw`'\''`)}'`,
  );
  // Without exec the shell may stay between, whose own exit on Ctrl-C would be seen instead.
  return new Watched('script', ['-qefc', `exec ${words.join(' ')}`, '/dev/null']);
}
