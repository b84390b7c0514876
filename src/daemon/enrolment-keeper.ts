import { join } from 'node:path';
import type { Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { ENROLMENT_FILE, isEnrolledAt, parseEnrolment } from '../signing/enrolment.ts';
import { readStateFile } from '../spool/state-file.ts';

/** What enrolment with a collector gives: whom to believe, and where the uploader finds what it signs with. */
export interface Pinned {
  readonly collectorKey: string;
  readonly deviceKeyFile: string;
}

interface Known extends Pinned {
  readonly url: string;
  readonly device: string;
  readonly enrolledAt: string;
}

/** Knows with which collector this device is enrolled. The private key stays in its file: the uploader reads it. */
export class EnrolmentKeeper {
  readonly #stateDir: string;
  readonly #log: Log;
  #known: Known | null = null;

  constructor(stateDir: string, log: Log) {
    this.#stateDir = stateDir;
    this.#log = log;
  }

  /** Reads the file anew; whether anything is different. */
  reload(): boolean {
    const before = JSON.stringify(this.#known);
    this.#known = this.#read();
    return JSON.stringify(this.#known) !== before;
  }

  /** The enrolment with the collector at `url` as this device; `null` without one. */
  at(url: string, device: string): Pinned | null {
    const known = this.#known;
    return known !== null && known.device === device && isEnrolledAt(known, url) ? known : null;
  }

  #read(): Known | null {
    const deviceKeyFile = join(this.#stateDir, ENROLMENT_FILE);
    try {
      const read = readStateFile(deviceKeyFile, parseEnrolment);
      if (read.kind === 'corrupt')
        this.#log.error(
          { event: 'device-key-damaged', reason: read.reason, keptAs: read.keptAs },
          'the device’s key is damaged',
        );
      if (read.kind !== 'ok') return null;
      const { url, device, collectorKey, enrolledAt } = read.value;
      return { url, device, collectorKey, enrolledAt, deviceKeyFile };
    } catch (error) {
      this.#log.error(
        { event: 'device-key-unreadable', err: messageOf(error) },
        'the device’s key cannot be read',
      );
      return null;
    }
  }
}

/** What a round says of it. */
export function deviceKeyOf(pinned: Pinned | null): { readonly deviceKeyFile?: string } {
  return pinned === null ? {} : { deviceKeyFile: pinned.deviceKeyFile };
}
