import { constants } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { FileFacts, FileSystem } from '../../src/spool/file-system.ts';

const { O_CREAT, O_EXCL, O_DIRECTORY } = constants;

/** A file or folder itself, whatever names it has. */
interface Inode {
  readonly isFolder: boolean;
  content: Uint8Array;
  /** What is on the platter for certain. */
  durable: Uint8Array;
  /** What the file was after each write since the last sync, oldest first: any of it may have reached the platter. */
  unsynced: Uint8Array[];
  /** The kernel gave up writing some of it: no later sync makes it durable. */
  isGivenUp?: boolean;
  mode: number;
  mtimeMs: number;
}

/** One change of names that happens whole or not at all (a rename is two of them), durable once a folder is synced. */
interface NameChange {
  readonly folders: readonly string[];
  readonly names: readonly (readonly [path: string, inode: Inode | null])[];
}

/** What the power cut leaves of all that was not synced; `random` decides for each write and name on its own. */
export type Leftovers = 'nothing' | 'everything' | 'random';

/** The machine lost power: every call fails from here to {@link MemoryDisk.reboot}. */
class PowerCut extends Error {}

/**
 * A file system in memory that keeps no more than it has to when power is cut: of a file's writes since its last sync
 * any number, the last in part or as zeros; of the names made, changed and removed since their folder was synced any
 * selection. It can also be told to refuse calls as a full or failing disk does.
 */
export class MemoryDisk implements FileSystem {
  /** Returns an errno name to make a call fail, `null` to let it through. */
  refuse: (call: keyof FileSystem, path: string) => string | null = () => null;
  /** What the disk says it has synced and has not: the tests must find that out. */
  ignoredSyncs: 'none' | 'files' | 'folders' = 'none';
  /** Power goes after so many more calls that change something. */
  callsToPowerCut = Infinity;
  isOff = false;
  /** After so many more calls that change something, all of them fail with EIO. */
  callsToRefusal = Infinity;
  #names = new Map<string, Inode>([['/', folder()]]);
  #durableNames = new Map(this.#names);
  #changes: NameChange[] = [];
  readonly #open = new Map<number, { readonly path: string; readonly inode: Inode }>();
  #nextFd = 3;
  #nowMs = 1_780_000_000_000;

  /** Starts anew with what a power cut left. `seed` decides what that is. */
  reboot(leftovers: Leftovers, seed: number): void {
    const random = generator(seed);
    const isKept = () => leftovers === 'everything' || (leftovers === 'random' && random() < 0.5);
    for (const change of this.#changes) if (isKept()) rename(this.#durableNames, change);
    this.#names = new Map(
      [...this.#durableNames].filter(([path]) => path === '/' || this.#durableNames.has(dirname(path))),
    );
    for (const inode of new Set(this.#names.values())) {
      inode.content =
        leftovers === 'random' ? someOf(inode, random) : isKept() ? inode.content : inode.durable;
      inode.durable = inode.content;
      inode.unsynced = [];
    }
    this.#durableNames = new Map(this.#names);
    this.#changes = [];
    this.#restart();
  }

  /** Starts anew after the process was killed: the kernel has all that was written. */
  kill(): void {
    this.#restart();
  }

  #restart(): void {
    this.#open.clear();
    this.isOff = false;
    this.callsToPowerCut = Infinity;
  }

  /** After a failed sync: readers see what was written, and the kernel will not write it again. */
  forgetUnsynced(path: string): void {
    this.#mustFind(path).isGivenUp = true;
  }

  /** The bytes of a file as they are. */
  bytes(path: string): Uint8Array {
    return this.#mustFind(path).content;
  }

  openSync(path: string, flags: number, mode = 0o666): number {
    this.#call('openSync', path, (flags & O_CREAT) !== 0);
    let inode = this.#names.get(path);
    if (inode === undefined) {
      if ((flags & O_CREAT) === 0) throw failure('ENOENT', path);
      this.#mustFind(dirname(path));
      inode = { ...folder(), isFolder: false, mode };
      this.#change([dirname(path)], [[path, inode]]);
    } else if ((flags & O_EXCL) !== 0) throw failure('EEXIST', path);
    else if ((flags & O_DIRECTORY) !== 0 && !inode.isFolder) throw failure('ENOTDIR', path);
    this.#open.set(this.#nextFd, { path, inode });
    return this.#nextFd++;
  }

  closeSync(fd: number): void {
    if (!this.isOff) this.#call('closeSync', this.#opened(fd).path, false);
    this.#open.delete(fd);
  }

  readSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
    const { path, inode } = this.#opened(fd);
    this.#call('readSync', path, false);
    const found = inode.content.subarray(position, position + length);
    bytes.set(found, offset);
    return found.length;
  }

  /** Everything here appends or writes a new file from its start. */
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number): number {
    const { path, inode } = this.#opened(fd);
    this.#call('writeSync', path, true);
    this.#setContent(inode, Buffer.concat([inode.content, bytes.subarray(offset, offset + length)]));
    return length;
  }

  ftruncateSync(fd: number, sizeBytes: number): void {
    const { path, inode } = this.#opened(fd);
    this.#call('ftruncateSync', path, true);
    this.#setContent(inode, inode.content.slice(0, sizeBytes));
  }

  fsyncSync(fd: number): void {
    const { path, inode } = this.#opened(fd);
    this.#call('fsyncSync', path, true);
    this.#sync(path, inode);
  }

  fdatasyncSync(fd: number): void {
    const { path, inode } = this.#opened(fd);
    this.#call('fdatasyncSync', path, true);
    this.#sync(path, inode);
  }

  fstatSync(fd: number): FileFacts {
    return factsOf(this.#opened(fd).inode);
  }

  lstatSync(path: string): FileFacts | undefined {
    this.#call('lstatSync', path, false);
    const inode = this.#names.get(path);
    return inode === undefined ? undefined : factsOf(inode);
  }

  readdirSync(path: string): string[] {
    this.#call('readdirSync', path, false);
    this.#mustFind(path);
    return [...this.#names.keys()].flatMap((name) =>
      name !== '/' && dirname(name) === path ? [basename(name)] : [],
    );
  }

  mkdirSync(path: string): string | undefined {
    this.#call('mkdirSync', path, true);
    if (this.#names.has(path)) return undefined;
    const first = this.mkdirSync(dirname(path));
    this.#change([dirname(path)], [[path, folder()]]);
    return first ?? path;
  }

  chmodSync(path: string, mode: number): void {
    this.#mustFind(path).mode = mode;
  }

  renameSync(from: string, to: string): void {
    this.#call('renameSync', from, true);
    const inode = this.#mustFind(from);
    this.#mustFind(dirname(to));
    this.#change(
      [dirname(from), dirname(to)],
      [
        [from, null],
        [to, inode],
      ],
    );
  }

  unlinkSync(path: string): void {
    this.#call('unlinkSync', path, true);
    this.#mustFind(path);
    this.#change([dirname(path)], [[path, null]]);
  }

  #call(call: keyof FileSystem, path: string, isChange: boolean): void {
    if (isChange && this.callsToPowerCut-- <= 0) this.isOff = true;
    if (this.isOff) throw new PowerCut('no power');
    if (isChange && this.callsToRefusal-- <= 0) throw failure('EIO', path);
    const errno = this.refuse(call, path);
    if (errno !== null) throw failure(errno, path);
  }

  #change(folders: NameChange['folders'], names: NameChange['names']): void {
    const change = { folders, names };
    rename(this.#names, change);
    this.#changes.push(change);
  }

  #setContent(inode: Inode, content: Uint8Array): void {
    inode.content = content;
    inode.unsynced.push(content);
    inode.mtimeMs = this.#nowMs++;
  }

  #sync(path: string, inode: Inode): void {
    if (this.ignoredSyncs === (inode.isFolder ? 'folders' : 'files')) return;
    if (inode.isGivenUp !== true) inode.durable = inode.content;
    inode.unsynced = [];
    const isOf = (change: NameChange) => change.folders.includes(path);
    for (const change of this.#changes) if (isOf(change)) rename(this.#durableNames, change);
    this.#changes = this.#changes.filter((change) => !isOf(change));
  }

  #opened(fd: number) {
    if (this.isOff) throw new PowerCut('no power');
    const found = this.#open.get(fd);
    if (found === undefined) throw failure('EBADF', String(fd));
    return found;
  }

  #mustFind(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw failure('ENOENT', path);
    return inode;
  }
}

function folder(): Inode {
  const nothing = new Uint8Array();
  return { isFolder: true, content: nothing, durable: nothing, unsynced: [], mode: 0o700, mtimeMs: 0 };
}

function rename(names: Map<string, Inode>, change: NameChange): void {
  for (const [path, inode] of change.names) {
    if (inode === null) names.delete(path);
    else names.set(path, inode);
  }
}

/** The file after some of its writes; the next one arrived in part, or as the zeros of blocks not yet written. */
function someOf({ durable, unsynced }: Inode, random: () => number): Uint8Array {
  const whole = Math.floor(random() * (unsynced.length + 1));
  const before = unsynced[whole - 1] ?? durable;
  const next = unsynced[whole];
  if (next === undefined || next.length <= before.length || random() < 0.3) return before;
  const part = next.slice(0, before.length + Math.floor(random() * (next.length - before.length + 1)));
  return random() < 0.5 ? part : Buffer.concat([part, new Uint8Array(next.length - part.length)]);
}

function factsOf({ isFolder, content, mode, mtimeMs }: Inode): FileFacts {
  return {
    isFile: () => !isFolder,
    isDirectory: () => isFolder,
    isSymbolicLink: () => false,
    size: content.length,
    mode,
    mtimeMs,
  };
}

function failure(errno: string, path: string): Error {
  return Object.assign(new Error(`${errno}: ${path}`), { code: errno });
}

/** Numbers from 0 to 1, the same for the same seed (Mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
