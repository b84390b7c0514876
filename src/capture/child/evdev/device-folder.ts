import { closeSync, constants, openSync, readdirSync, readFileSync, statSync, watch } from 'node:fs';
import path from 'node:path';

/** Where devices appear, and what is known of them. */
export interface DevicePlaces {
  /** Real: `/dev/input`. */
  readonly deviceDir: string;
  /** udev's records of devices, one file for each number; real: `/run/udev/data`. */
  readonly udevDir: string;
  /** The seat whose devices are the person's; `XDG_SEAT`. */
  readonly seat: string;
}

/** Seats without a name of their own are this one (sd-login(3)). */
export const DEFAULT_SEAT = 'seat0';

const EVENT_NODE = /^event\d+$/;

/** The folder of input devices. */
export class DeviceFolder {
  readonly #places: DevicePlaces;

  constructor(places: DevicePlaces) {
    this.#places = places;
  }

  /** Names of all event devices there are. */
  names(): string[] {
    try {
      return readdirSync(this.#places.deviceDir).filter((name) => EVENT_NODE.test(name));
    } catch {
      return [];
    }
  }

  /** Whether the device is at the person's seat. Devices of another seat are another person's. */
  isOurs(name: string): boolean {
    return this.#seatOf(name) === this.#places.seat;
  }

  exists(name: string): boolean {
    return statSync(this.#path(name), { throwIfNoEntry: false }) !== undefined;
  }

  /** Opens for reading, without blocking; the descriptor, or the error's code (`EACCES`). */
  open(name: string): { readonly fd: number } | { readonly fd: null; readonly code: string } {
    try {
      return { fd: openSync(this.#path(name), constants.O_RDONLY | constants.O_NONBLOCK) };
    } catch (error) {
      return { fd: null, code: error instanceof Error && 'code' in error ? String(error.code) : 'unknown' };
    }
  }

  close(fd: number): void {
    closeSync(fd);
  }

  /** Calls `changed` with the name of a device that appeared, went or got other rights. Gives what ends it. */
  watch(changed: (name: string) => void): () => void {
    try {
      const watcher = watch(this.#places.deviceDir, { persistent: false }, (_, name) => {
        if (name !== null && EVENT_NODE.test(name)) changed(name);
      });
      watcher.on('error', () => watcher.close());
      return () => watcher.close();
    } catch {
      return () => undefined;
    }
  }

  /** `E:ID_SEAT=` of the device's record; none means the default seat. */
  #seatOf(name: string): string {
    try {
      const { rdev } = statSync(this.#path(name));
      // makedev(3): the low eight bits of the minor number, twelve of the major, then the rest of the minor.
      const major = (rdev >>> 8) & 0xfff;
      const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
      const record = readFileSync(path.join(this.#places.udevDir, `c${major}:${minor}`), 'utf8');
      return /^E:ID_SEAT=(.+)$/m.exec(record)?.[1] ?? DEFAULT_SEAT;
    } catch {
      return DEFAULT_SEAT;
    }
  }

  #path(name: string): string {
    return path.join(this.#places.deviceDir, name);
  }
}
