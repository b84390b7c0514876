import { BackendFailure, type InputSink } from '../../src/capture/child/backend.ts';
import { chooseBackend } from '../../src/capture/child/choose-backend.ts';
import { delayNode } from '../../src/capture/delay-node.ts';
import type { Reason } from '../../src/core/collection.ts';
import { openLibc } from '../../src/posix/libc-koffi.ts';
import { CONFIG } from './child-config.ts';

/**
 * `node backend-child.ts NAME`: runs one back end on `DISPLAY` and prints what it puts into its sink, a JSON array a
 * line, until a line comes on standard input: `stop`, `probe`, or `burst N`. A process of its own, because the hook may
 * crash.
 */
const nowMonoMs = (): number => Number(process.hrtime.bigint()) / 1e6;
const print = (...words: unknown[]): void => {
  process.stdout.write(`${JSON.stringify(words)}\n`);
};
const surroundings = {
  env: process.env,
  platform: process.platform,
  hostname: '',
  uid: process.getuid?.() ?? 0,
  libc: openLibc().libc,
  macosInput: null,
  nowMonoMs,
  delay: delayNode,
};
const config = { ...CONFIG, backend: process.argv[2] ?? '' };
const backend = chooseBackend(config, surroundings);
const sink: InputSink = {
  place: (x, y) => print('place', x, y),
  move: (...rest) => print('move', ...rest),
  button: (...rest) => print('button', ...rest),
  wheel: (...rest) => print('wheel', ...rest),
  key: (...rest) => print('key', ...rest),
  buttonGone: (...rest) => print('buttonGone', ...rest),
  keyGone: (...rest) => print('keyGone', ...rest),
  lost: () => print('lost'),
};
const host = {
  sink,
  screens: (tMs: number, screens: unknown) => print('screens', tMs, screens),
  fail: (reason: Reason) => print('fail', reason),
  end: () => undefined,
  room: () => Promise.resolve(),
};
try {
  print('ready', await backend.start(host, new AbortController().signal), backend.knows);
} catch (error) {
  if (!(error instanceof BackendFailure)) throw error;
  print('fail', error.reason);
  process.exit(1);
}
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  for (const line of text.split('\n')) void obey(line);
});

async function obey(line: string): Promise<void> {
  if (line === 'poke') backend.poke();
  if (line.startsWith('burst ')) backend.setBurstMs(Number(line.slice(6)));
  if (line === 'probe') {
    await backend.probe().then(
      () => print('alive'),
      (error: unknown) => print('dead', error instanceof BackendFailure ? error.reason.text : String(error)),
    );
  }
  if (line !== 'stop') return;
  await backend.stop();
  print('stopped', nowMonoMs());
  process.stdout.write('', () => process.exit(0));
}
