import { hostname } from 'node:os';
import { chooseBackend } from '../src/capture/child/choose-backend.ts';
import { delayNode } from '../src/capture/delay-node.ts';
import { openLibc } from '../src/posix/libc-koffi.ts';
import { CONFIG } from '../test/capture/child-config.ts';

/** `node capture-alone.js NAME`: one back end whose events go nowhere, for `bench/capture.ts`. */
const nothing = (): void => undefined;
const config = { ...CONFIG, backend: process.argv[2] ?? '' };
const backend = chooseBackend(config, {
  env: process.env,
  platform: process.platform,
  hostname: hostname(),
  uid: process.getuid?.() ?? 0,
  libc: openLibc().libc,
  macosInput: null,
  nowMonoMs: () => Number(process.hrtime.bigint()) / 1e6,
  delay: delayNode,
});
const sink = {
  place: nothing,
  move: nothing,
  button: nothing,
  wheel: nothing,
  key: nothing,
  buttonGone: nothing,
  keyGone: nothing,
  lost: nothing,
};
const room = (): Promise<void> => Promise.resolve();
const host = { sink, screens: nothing, fail: nothing, end: nothing, room };
await backend.start(host, new AbortController().signal);
console.log('ready');
