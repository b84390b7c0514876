import { spawn } from 'node:child_process';
import { messageOf, TelemetryError } from '../core/errors.ts';
import { DiskError } from './disk-error.ts';
import { parseAnswer, type SealAnswer, type SealOrder } from './sealer/order.ts';

/** How the sealing program is started. */
export interface SealerProgram {
  readonly execPath: string;
  /** Flags of Node itself, then the program's bundle. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The largest segment takes some seconds on a slow laptop; a minute is a hang. */
  readonly timeoutMs: number;
}

/**
 * Has one order carried out in a process of its own; rejects with a {@link DiskError} when the disk refuses it and a
 * retryable {@link TelemetryError} when the process fails.
 */
export async function runSealerProcess(
  order: SealOrder,
  program: SealerProgram,
): Promise<Exclude<SealAnswer, { type: 'failed' }>> {
  const { execPath, args, env, timeoutMs } = program;
  const child = spawn(execPath, args, {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  // A program that dies before it has read its order: its exit says so.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(order));
  const ended = Promise.withResolvers<string>();
  child.on('error', (error) => ended.resolve(`it cannot be started: ${messageOf(error)}`));
  child.on('close', (code, signal) =>
    ended.resolve(code === 0 ? '' : `it ended with ${signal ?? code ?? 'nothing'}`),
  );
  const problem = await ended.promise;
  if (problem !== '') throw failed(problem);
  const answer = readAnswer(Buffer.concat(parts));
  if (answer.type !== 'failed') return answer;
  throw answer.isDisk ? new DiskError('unavailable', answer.message, { op: 'seal' }) : failed(answer.message);
}

function readAnswer(bytes: Buffer): SealAnswer {
  try {
    return parseAnswer(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw failed(`its answer cannot be read: ${messageOf(error)}`);
  }
}

function failed(what: string): TelemetryError {
  return new TelemetryError('unavailable', `The sealing program failed: ${what}`, {
    op: 'seal',
    hint: 'telemetryctl status shows whether it goes on by itself',
    retryable: true,
  });
}
