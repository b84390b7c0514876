import { homedir } from 'node:os';
import { EXIT, exitCodeFor, messageOf, TelemetryError } from '../core/errors.ts';
import { Demonstration } from './demonstration-node.ts';
import { LiveStatus } from './live-status.ts';

/** How often to look whether npm is still there. */
const PARENT_CHECK_MS = 1000;

/** `npm start`: a collector and the daemon on this machine, explained, until Ctrl-C. Returns the exit code. */
export async function main(): Promise<number> {
  process.umask(0o077);
  const { stdin, stdout, env, platform } = process;
  const ending = new AbortController();
  listenForTheEnd(ending);
  const live = new LiveStatus({
    isTerminal: stdout.isTTY,
    // A terminal that does not know its size says 0.
    columns: () => stdout.columns || 80,
    write: (text) => void stdout.write(text),
  });
  const demonstration = new Demonstration({
    around: { env, uid: process.getuid?.() ?? 0, platform, home: homedir(), cwd: process.cwd() },
    node: process.execPath,
    live,
    terminal: stdin.isTTY && stdout.isTTY ? { input: stdin, output: stdout } : null,
    ending,
  });
  const failure = await failureOf(demonstration.run(), ending.signal);
  if (failure !== null) live.say(complaint(failure));
  live.say(await demonstration.stop());
  return failure === null ? EXIT.ok : exitCodeFor(failure);
}

/** Aborts without a reason of its own when the person, the terminal or npm ends the demonstration. */
function listenForTheEnd(ending: AbortController): void {
  const end = (): void => ending.abort();
  // Ctrl-C comes twice under npm, from the terminal and from npm: later ones must find a listener and do nothing.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  process.stdout.on('error', end);
  // npm killed with SIGKILL tells nobody, and recording must not go on unseen.
  const parent = process.ppid;
  if (process.env['npm_lifecycle_event'] === 'start') {
    setInterval(() => process.ppid === parent || end(), PARENT_CHECK_MS).unref();
  }
}

/** What went wrong; `null` when somebody asked for the end. */
async function failureOf(running: Promise<void>, signal: AbortSignal): Promise<unknown> {
  try {
    await running;
    return null;
  } catch (error) {
    if (!signal.aborted) return error;
  }
  return signal.reason instanceof TelemetryError ? signal.reason : null;
}

function complaint(failure: unknown): string[] {
  const hint = failure instanceof TelemetryError ? failure.hint : '';
  return [`telemetryd: ${messageOf(failure)}`, ...(hint === '' ? [] : [`Try: ${hint}`])];
}
