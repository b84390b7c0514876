import { join } from 'node:path';
import { delayNode } from '../capture/delay-node.ts';
import { Bus } from '../conditions/dbus/bus.ts';
import { systemBusSockets } from '../conditions/dbus/bus-address.ts';
import { BusService } from '../conditions/dbus/bus-service.ts';
import { LOGIND } from '../conditions/lock-logind.ts';
import { seatHolder } from '../conditions/seat-logind.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { readStateFile, writeStateFile } from '../spool/state-file.ts';

/** `(uid_t) -1`: no account has it (chown(2)). Nobody can agree in its name, so nothing is captured. */
const NO_ONE = 2 ** 32 - 1;

/**
 * Whose the system service is: the person at the machine's seat, and when nobody is, still the last one, so that what is
 * theirs goes on (uploads, pauses, requests) while nothing is captured. It changes with the next person who comes.
 */
export class SeatPersons {
  readonly #file: string;
  readonly #bus: Bus;
  readonly #logind: BusService;
  #holder: number | null | undefined;
  #changed: () => void = () => undefined;

  constructor(stateDir: string, env: Readonly<Record<string, string | undefined>>) {
    this.#file = join(stateDir, 'last-person.json');
    this.#bus = new Bus(systemBusSockets(env), delayNode);
    this.#logind = new BusService(this.#bus, LOGIND, delayNode);
  }

  /** Begins to watch; gives the account of the last person, of whom it may turn out that somebody else has come. */
  start(): number {
    this.#logind.listen(() => this.#look());
    this.#bus.start();
    const read = readStateFile(this.#file, parseUid);
    return read.kind === 'ok' ? read.value : NO_ONE;
  }

  /** Resolves with who is at the seat once that is somebody else. */
  async otherThan(uid: number): Promise<number> {
    for (;;) {
      if (typeof this.#holder === 'number' && this.#holder !== uid) {
        writeStateFile(this.#file, { uid: this.#holder });
        return this.#holder;
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Where a person's things lie below a folder of the service; made when there is none. */
  folderOf(base: string, uid: number): string {
    const folder = join(base, uid === NO_ONE ? 'nobody' : `uid-${uid}`);
    ensureFolder(folder);
    return folder;
  }

  stop(): void {
    this.#bus.stop();
  }

  #look(): void {
    const holder =
      this.#logind.presence === 'present' ? this.#logind.look((view) => seatHolder(view)) : undefined;
    if (holder === this.#holder) return;
    this.#holder = holder;
    this.#changed();
  }
}

function parseUid(json: unknown): number {
  const uid = typeof json === 'object' && json !== null && 'uid' in json ? json.uid : null;
  if (typeof uid !== 'number' || !Number.isSafeInteger(uid) || uid < 0) throw new Error('no account');
  return uid;
}
