/** What is known of a file or folder without opening it. */
export interface FileFacts {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  readonly size: number;
  readonly mode: number;
  readonly mtimeMs: number;
}

/**
 * The calls of a file system that the spool is built on, named and failing as those of `node:fs` do (errors with an
 * errno name as `code`), so that a disk which fails, or loses power, can stand in for a real one.
 */
export interface FileSystem {
  openSync(path: string, flags: number, mode?: number): number;
  closeSync(fd: number): void;
  readSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  ftruncateSync(fd: number, sizeBytes: number): void;
  fsyncSync(fd: number): void;
  fdatasyncSync(fd: number): void;
  fstatSync(fd: number): FileFacts;
  lstatSync(path: string, options: { readonly throwIfNoEntry: false }): FileFacts | undefined;
  readdirSync(folder: string): string[];
  /** The first folder that it had to make. */
  mkdirSync(folder: string, options: { readonly recursive: true; readonly mode: number }): string | undefined;
  chmodSync(path: string, mode: number): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
}
