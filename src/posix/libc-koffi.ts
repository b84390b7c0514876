import type { LibraryHandle } from 'koffi';
import { messageOf } from '../core/errors.ts';

/** What a C function answered, and `errno` when that says that it failed. */
export interface LibcAnswer {
  readonly value: number;
  readonly errno: number;
}

/** A C library in this process: the one bridge to what Node does not offer. Calls block, so only quick ones go here. */
export interface Libc {
  /** `declaration` is the function's C prototype (koffi.dev); pointers are byte arrays that it reads and writes. */
  call(declaration: string, ...args: readonly (number | Uint8Array)[]): LibcAnswer;
}

/** The bridge, or why it cannot be had. */
export type OpenedLibc =
  | { readonly libc: Libc; readonly problem: null }
  | { readonly libc: null; readonly problem: string };

/** Of koffi only what is used here. */
interface NativeKoffi {
  load(path: string | null): LibraryHandle;
  errno(): number;
}

/**
 * Opens the bridge to the C library, or to the library at `path`; call it once in a process, where it is first needed.
 * Of koffi only the native part is loaded, for glibc or else for musl, without the JavaScript that finds it: 0.4 MB of
 * private memory against 0.9 (RssAnon, Node 24, x64).
 */
export function openLibc(path: string | null = null): OpenedLibc {
  // Not imported: as an ES module `node:module` costs another 0.2 MB.
  const load = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  const { platform, arch } = process;
  let problem = '';
  for (const variant of [platform, 'musl']) {
    try {
      const koffi = load(`@koromix/koffi-${platform}-${arch}/${variant}_${arch}/koffi.node`) as NativeKoffi;
      return { libc: new KoffiLibc(koffi, path), problem: null };
    } catch (error) {
      problem ||= messageOf(error).split('\n')[0] ?? '';
    }
  }
  return { libc: null, problem };
}

class KoffiLibc implements Libc {
  readonly #koffi: NativeKoffi;
  readonly #library: LibraryHandle;
  readonly #functions = new Map<string, (...args: unknown[]) => number>();

  constructor(koffi: NativeKoffi, path: string | null) {
    this.#koffi = koffi;
    this.#library = koffi.load(path);
  }

  call(declaration: string, ...args: readonly (number | Uint8Array)[]): LibcAnswer {
    const value = this.#function(declaration)(...args);
    return { value, errno: this.#koffi.errno() };
  }

  #function(declaration: string): (...args: unknown[]) => number {
    let found = this.#functions.get(declaration);
    if (found === undefined) {
      found = this.#library.func(declaration) as (...args: unknown[]) => number;
      this.#functions.set(declaration, found);
    }
    return found;
  }
}
