import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { Desk, Program, ROOT } from '../e2e/desk.ts';

/** What a test of whole processes may take on a busy machine. */
export const TIMEOUT_MS = 60_000;

/** Policies for {@link Desk.writePolicy}: the second takes more than the first, so that consent to the first is stale. */
export const NARROW = { capture: { keys: '"off"', focus_unknown: '"record"' } };
export const WIDE = { capture: { keys: '"shortcuts"', focus_unknown: '"record"' } };

/** A desk without a display: what captures fails and is tried again, all else works. */
export function newDesk(): Desk {
  const desk = new Desk();
  mkdirSync(path.join(desk.root, 'home'), { recursive: true });
  desk.writePolicy(NARROW);
  onTestFinished(() => desk.close());
  return desk;
}

/** `telemetryd` with some words, until it exits or the test ends. */
export function telemetryd(desk: Desk, ...words: string[]): Program {
  const program = new Program(
    path.join(ROOT, 'node_modules/.bin/node'),
    ['--disable-sigusr1', path.join(ROOT, 'dist/telemetryd.js'), ...words],
    desk.env(),
  );
  onTestFinished(async () => {
    await program.stop('SIGKILL');
  });
  return program;
}
