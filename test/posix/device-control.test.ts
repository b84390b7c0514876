import { closeSync, openSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { DeviceControl } from '../../src/posix/device-control.ts';
import { type Libc, openLibc } from '../../src/posix/libc-koffi.ts';

/** Answers every request, and writes down its number. */
class Recorder implements Libc {
  readonly requests: string[] = [];
  answer: readonly number[] = [];
  call(
    _declaration: string,
    ...[fd, request, data]: readonly (number | Uint8Array)[]
  ): { value: number; errno: number } {
    this.requests.push(`${String(fd)} ${Number(request).toString(16)}`);
    if (data instanceof Uint8Array) data.set(this.answer);
    return { value: 0, errno: 0 };
  }
}

it('asks with the numbers that the kernel’s header gives', () => {
  const libc = new Recorder();
  const device = new DeviceControl(libc, 7);
  expect(device.useMonotonicClock()).toBe(true);
  device.properties();
  device.keysDown();
  device.capabilities(1);
  device.axis(0);
  // A C program that includes linux/input.h prints these for EVIOCSCLOCKID, EVIOCGPROP(96), EVIOCGKEY(96),
  // EVIOCGBIT(EV_KEY, 96) and EVIOCGABS(ABS_X).
  expect(libc.requests).toEqual(['7 400445a0', '7 80604509', '7 80604518', '7 80604521', '7 80184540']);
});

it('reads bitmaps and axes', () => {
  const libc = new Recorder();
  const device = new DeviceControl(libc, 7);
  libc.answer = [0b1000_0010, 0, 0, 0b1];
  expect(device.keysDown()?.codes()).toEqual([1, 7, 24]);
  expect(device.keysDown()?.has(24)).toBe(true);
  expect(device.keysDown()?.has(25)).toBe(false);
  libc.answer = [...new Uint8Array(Int32Array.of(5, -10, 1000, 0, 0, 31).buffer)];
  expect(device.axis(1)).toEqual({ minimum: -10, maximum: 1000, resolution: 31 });
});

const { libc } = openLibc();
it.skipIf(libc === null)('takes no answer for an answer where there is no device', () => {
  const file = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(file));
  if (libc === null) return;
  const device = new DeviceControl(libc, file);
  expect([device.useMonotonicClock(), device.keysDown(), device.axis(0)]).toEqual([false, null, null]);
});
