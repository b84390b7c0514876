import type { BackendInfo } from '../../../core/capture.ts';
import type { Reason } from '../../../core/collection.ts';
import type { ModifierKnowledge } from '../../../core/masking.ts';
import type { Delay } from '../../delay-node.ts';
import { BackendFailure, type BackendHost, type CaptureBackend } from '../backend.ts';
import { BurstPace, MAX_PAUSE_MS } from './burst-pace.ts';
import type { DeviceFolder } from './device-folder.ts';
import { type DeviceQuestions, kindOf } from './device-kind.ts';
import { InputDevice } from './input-device.ts';
import { Seat } from './seat.ts';

export interface EvdevOptions {
  readonly folder: DeviceFolder;
  /** How an open device is asked; `null` where nothing can ask. */
  readonly ask: ((fd: number, name: string) => DeviceQuestions) | null;
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
  /** Why this back end, for the person. */
  readonly why: string;
}

/**
 * Input of the kernel's event devices, for Wayland and for a service without a session: all devices of the seat, as
 * they come and go, read together in short bursts and put in order of time. It grabs nothing: what others get is the
 * same as without it.
 *
 * Limits: positions are sums of steps. The keyboard layout is not known, so Alt counts as typing text. On a touchpad
 * the motion of one finger is seen, taps and scrolling with two are not (a compositor makes them); pens and touch
 * screens are left out.
 */
export class EvdevBackend implements CaptureBackend {
  /** Without the layout nobody knows what Alt types. */
  readonly knows: ModifierKnowledge = { isAltCertain: false };
  readonly #options: EvdevOptions;
  readonly #seat = new Seat();
  readonly #pace = new BurstPace();
  readonly #devices = new Map<string, InputDevice>();
  /** Devices that may not be opened, until they may. */
  readonly #refused = new Set<string>();
  #host: BackendHost | null = null;
  #nextNumber = 0;
  #endWatch: () => void = () => undefined;
  #cancelPause: () => void = () => undefined;
  #isBurstDue = false;
  #lastBurstMs = 0;

  constructor(options: EvdevOptions) {
    this.#options = options;
  }

  start(host: BackendHost): Promise<BackendInfo> {
    const { folder } = this.#options;
    this.#host = host;
    // Watched before it is listed, so that nothing falls between.
    this.#endWatch = folder.watch((name) => this.#onChange(name));
    for (const name of folder.names()) this.#open(name);
    const problem = this.#problem();
    if (problem === null)
      return Promise.resolve({
        backend: 'evdev',
        coordinates: 'relative',
        screens: [],
        why: this.#options.why,
      });
    this.#close();
    return Promise.reject(new BackendFailure(problem.code, problem.text, problem.hint));
  }

  poke(): void {
    // The kernel hands over at once; nothing is held back.
  }

  /** Longer pauses would overrun the kernel's ring. */
  setBurstMs(ms: number): void {
    this.#pace.limitMs = Math.min(ms, MAX_PAUSE_MS);
  }

  probe(): Promise<void> {
    const problem = this.#problem();
    if (problem === null) return Promise.resolve();
    return Promise.reject(new BackendFailure(problem.code, problem.text, problem.hint));
  }

  stop(): Promise<void> {
    if (this.#host === null) return Promise.resolve();
    this.#cancelPause();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    // One more look at what lies in the kernel, for what happened before the call.
    for (const device of this.#devices.values()) device.resume();
    setImmediate(() => {
      setImmediate(() => {
        this.#burst();
        this.#close();
        resolve(undefined);
      });
    });
    return promise;
  }

  #close(): void {
    this.#host = null;
    this.#endWatch();
    this.#cancelPause();
    for (const device of this.#devices.values()) device.close();
    this.#devices.clear();
  }

  #onChange(name: string): void {
    if (this.#host === null || this.#devices.has(name)) return;
    if (this.#options.folder.exists(name)) this.#open(name);
    else this.#refused.delete(name);
  }

  #open(name: string): void {
    const { folder, ask, nowMonoMs } = this.#options;
    const host = this.#host;
    if (host === null || ask === null || !folder.isOurs(name)) return;
    const opened = folder.open(name);
    if (opened.fd === null) {
      if (opened.code === 'EACCES' || opened.code === 'EPERM') this.#refused.add(name);
      return;
    }
    this.#refused.delete(name);
    const { fd } = opened;
    const questions = ask(fd, name);
    const kind = kindOf(questions);
    // A clock that can be set back would put events into another time; every kernel since 3.4 offers this one.
    if (kind === null || !questions.useMonotonicClock()) {
      folder.close(fd);
      return;
    }
    const device = new InputDevice({
      number: this.#nextNumber++,
      fd,
      kind,
      questions,
      seat: this.#seat,
      sink: host.sink,
      nowMonoMs,
      changed: () => this.#onData(),
    });
    this.#devices.set(name, device);
  }

  /** Everything that is readable now is read before the burst is taken, so that devices can be put in order. */
  #onData(): void {
    if (this.#isBurstDue) return;
    this.#isBurstDue = true;
    setImmediate(() => {
      this.#isBurstDue = false;
      if (this.#host !== null) this.#burst();
    });
  }

  #burst(): void {
    const devices = [...this.#devices.values()];
    const nowMs = this.#options.nowMonoMs();
    const busiest = Math.max(0, ...devices.map((device) => device.waiting));
    if (busiest > 0) {
      for (const device of devices) if (device.waiting > 0) device.verify();
      for (let next = earliest(devices); next !== undefined; next = earliest(devices)) next.takePacket();
      for (const device of devices) device.endBurst();
      this.#pause(this.#pace.next(busiest, nowMs - this.#lastBurstMs));
      this.#lastBurstMs = nowMs;
    }
    for (const [name, device] of this.#devices) {
      if (!device.isGone) continue;
      device.unplugged();
      device.close();
      this.#devices.delete(name);
      // A device may be gone and another one be there under its name before we hear of either.
      this.#onChange(name);
    }
  }

  #pause(ms: number): void {
    if (ms === 0) return;
    for (const device of this.#devices.values()) device.pause();
    this.#cancelPause();
    this.#cancelPause = this.#options.delay(ms, () => {
      for (const device of this.#devices.values()) device.resume();
    });
  }

  /** Why nothing can be seen; `null` when something can. */
  #problem(): Reason | null {
    if (this.#devices.size > 0) return null;
    if (this.#options.ask === null) return NO_BRIDGE;
    return this.#refused.size > 0 ? NO_PERMISSION : NO_DEVICE;
  }
}

/** The device with the earliest packet that waits. */
function earliest(devices: readonly InputDevice[]): InputDevice | undefined {
  let found: InputDevice | undefined;
  for (const device of devices)
    if (device.nextMs < (found?.nextMs ?? Number.POSITIVE_INFINITY)) found = device;
  return found;
}

const NO_PERMISSION: Reason = {
  code: 'no-permission',
  text: 'The input devices may not be opened by this account.',
  hint: 'sudo usermod -aG input "$USER" and log in again, or use the system service, which may open them',
};

const NO_DEVICE: Reason = {
  code: 'no-device',
  text: 'No keyboard, mouse or touchpad is connected to this seat.',
  hint: 'connect one; it is found by itself',
};

const NO_BRIDGE: Reason = {
  code: 'hook-not-loadable',
  text: 'Input devices cannot be asked what they are: koffi is missing on this machine.',
  hint: 'npm install again on this machine',
};
