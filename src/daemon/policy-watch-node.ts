import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { dropInFolder, type PolicyPaths } from '../policy/policy-outcome.ts';

/** Whoever deploys a policy writes several files, and an editor writes one in several steps. */
const SETTLE_MS = 500;

/** Tells when the files of the policy may have changed. The kernel reports it: nothing is polled. */
export class PolicyWatch {
  readonly #paths: PolicyPaths;
  readonly #changed: () => void;
  /** By folder. One that does not exist is tried again when another one's files changed. */
  readonly #watchers = new Map<string, FSWatcher>();
  #settling: NodeJS.Timeout | undefined;

  constructor(paths: PolicyPaths, changed: () => void) {
    this.#paths = paths;
    this.#changed = changed;
  }

  start(): void {
    const { policyFile, preferencesFile } = this.#paths;
    const dropIns = dropInFolder(policyFile);
    this.#follow(dirname(policyFile), (name) => name === basename(policyFile) || name === 'policy.d');
    if (dropIns !== null) this.#follow(dropIns, (name) => name.endsWith('.toml'));
    if (preferencesFile !== null)
      this.#follow(dirname(preferencesFile), (name) => name === basename(preferencesFile));
  }

  stop(): void {
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #follow(folder: string, isOurs: (name: string) => boolean): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name !== null && isOurs(name)) this.#settle();
      });
      watcher.on('error', () => this.#forget(folder));
      this.#watchers.set(folder, watcher);
    } catch {
      // No such folder yet, or no watches left: `telemetryctl policy reload`, a signal or a restart still reads the files.
    }
  }

  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      // A folder that was replaced is another one to the kernel.
      for (const folder of [...this.#watchers.keys()]) this.#forget(folder);
      this.start();
      this.#changed();
    }, SETTLE_MS);
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}
