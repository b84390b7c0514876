import { lstatSync, readlinkSync } from 'node:fs';

/** The machine's time zone (localtime(5)). */
const LOCALTIME = '/etc/localtime';

/**
 * Keeps `Date` to the machine's time zone. V8 reads it once; assigning `TZ`, and taking that back, makes it read again.
 * Where `TZ` is set it is somebody's choice and stays.
 */
export class TimeZone {
  readonly #isChosen = process.env['TZ'] !== undefined;
  #version = versionOf();

  /** To be called now and then: a look at one link. */
  refresh(): void {
    if (this.#isChosen) return;
    const version = versionOf();
    if (version === this.#version) return;
    this.#version = version;
    process.env['TZ'] = 'UTC';
    delete process.env['TZ'];
  }
}

/** Differs after the zone was set: a link to another file, or another file. */
function versionOf(): string {
  try {
    const { ino, mtimeMs } = lstatSync(LOCALTIME);
    return `${ino} ${mtimeMs} ${readlinkSync(LOCALTIME)}`;
  } catch {
    return ''; // no such file, or a plain one that was not changed since: UTC, or what it was
  }
}
