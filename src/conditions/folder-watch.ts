import { type FSWatcher, statSync, watch } from 'node:fs';

/**
 * Watches a set of ordinary folders, not recursively, and calls `changed` when an entry of one changes. It works on
 * folders that stand for a machine; sysfs itself raises no such events (sysfs(5), inotify(7)).
 */
export class FolderWatch {
  readonly #changed: () => void;
  readonly #watchers = new Map<string, { readonly inode: number; readonly watcher: FSWatcher }>();

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches exactly these folders from now on; those that do not exist or may not be watched are left out. */
  update(folders: readonly string[]): void {
    const inodes = new Map<string, number>();
    for (const folder of folders) {
      const inode = inodeOf(folder);
      if (inode !== undefined) inodes.set(folder, inode);
    }
    for (const [folder, { inode, watcher }] of this.#watchers) {
      // A folder that was removed and made again under its old name is another one to inotify.
      if (inodes.get(folder) === inode) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const [folder, inode] of inodes) this.#add(folder, inode);
  }

  close(): void {
    this.update([]);
  }

  #add(folder: string, inode: number): void {
    if (this.#watchers.has(folder)) return;
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, { persistent: false }, () => this.#changed());
    } catch {
      return; // not readable for us, gone meanwhile, or no inotify watch left: it is read at the moments that matter
    }
    // The folder went away; whoever reads next finds that out.
    watcher.on('error', () => {
      watcher.close();
      if (this.#watchers.get(folder)?.watcher === watcher) this.#watchers.delete(folder);
    });
    this.#watchers.set(folder, { inode, watcher });
  }
}

function inodeOf(folder: string): number | undefined {
  try {
    return statSync(folder).ino;
  } catch {
    return undefined;
  }
}
