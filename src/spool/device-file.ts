import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';
import { isUuid, type RandomBytes, randomUuid } from './identifiers.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

interface DeviceState {
  readonly device: string;
  readonly nextSequence: number;
}

/**
 * Opens `device.json`, creating it with a new random pseudonym when there is none. A damaged file gets a new pseudonym
 * too (`origin` is `replaced`, the old file is kept): going on under the old one could repeat a sequence number.
 */
export function openDevice(
  stateDir: string,
  randomBytes: RandomBytes,
  files: FileSystem = fileSystemNode,
): Device {
  const path = join(stateDir, 'device.json');
  const read = readStateFile(path, parseDevice, files);
  if (read.kind === 'ok') return new Device(path, read.value, 'existing', files);
  const state = { device: randomUuid(randomBytes), nextSequence: 1 };
  writeStateFile(path, state, files);
  return new Device(path, state, read.kind === 'missing' ? 'new' : 'replaced', files);
}

/** This device's (and user's) pseudonym and the numbering of its segments. */
export class Device {
  /** A random UUID. */
  readonly pseudonym: string;
  readonly origin: 'existing' | 'new' | 'replaced';
  readonly #path: string;
  readonly #files: FileSystem;
  #nextSequence: number;

  constructor(path: string, state: DeviceState, origin: Device['origin'], files: FileSystem) {
    this.#path = path;
    this.#files = files;
    this.pseudonym = state.device;
    this.#nextSequence = state.nextSequence;
    this.origin = origin;
  }

  /**
   * The next segment's number. The file says so before the number is used: after a crash it is skipped, never used
   * twice. A skipped number reads as a lost segment, so take one only for a segment that is about to hold something.
   */
  takeSequence(): number {
    const sequence = this.#nextSequence;
    writeStateFile(this.#path, { device: this.pseudonym, nextSequence: sequence + 1 }, this.#files);
    this.#nextSequence = sequence + 1;
    return sequence;
  }
}

function parseDevice(json: unknown): DeviceState {
  if (typeof json !== 'object' || json === null || !('device' in json) || !('nextSequence' in json)) {
    throw new Error('not a device file');
  }
  const { device, nextSequence } = json;
  if (typeof device !== 'string' || !isUuid(device)) throw new Error('no pseudonym');
  if (typeof nextSequence !== 'number' || !Number.isSafeInteger(nextSequence) || nextSequence < 1) {
    throw new Error('no sequence number');
  }
  return { device, nextSequence };
}
