import { setImmediate as turn } from 'node:timers/promises';
import { openInjector } from '../test/capture/x-injector.ts';

/** Every so often the loop is let run, so that answers and the window's events are read. */
const TURN_MS = 50;
const RADIUS_PX = 200;

/**
 * `node bench/capture-driver.ts DISPLAY HZ SECONDS`: moves the pointer on a circle at an exact rate over a window that
 * wants motion, as an application's does, and prints what rate it was. A process of its own, so that its cost is no
 * one else's.
 */
const [display = '', hzText = '', secondsText = ''] = process.argv.slice(2);
const hz = Number(hzText);
const count = hz * Number(secondsText);
const injector = await openInjector(display);
await injector.mapWindow();
const sleeper = new Int32Array(new SharedArrayBuffer(4));
console.log('begins');
const startMs = performance.now();
let turnedMs = startMs;
for (let i = 0; i < count; i++) {
  const waitMs = startMs + (i * 1000) / hz - performance.now();
  // A timer would be a millisecond or two late; a small write goes out at once, without the loop.
  if (waitMs > 0) Atomics.wait(sleeper, 0, 0, waitMs);
  const angle = i / 50;
  injector.move(Math.round(600 + RADIUS_PX * Math.cos(angle)), Math.round(400 + RADIUS_PX * Math.sin(angle)));
  if (performance.now() - turnedMs > TURN_MS) {
    await turn();
    turnedMs = performance.now();
  }
}
await injector.done();
console.log((count * 1000) / (performance.now() - startMs));
injector.close();
