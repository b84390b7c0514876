import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { CaptureChild } from '../../src/capture/child-process.ts';
import { delayNode } from '../../src/capture/delay-node.ts';
import type { BackendInfo, CaptureConfig, ChildMessage } from '../../src/core/capture.ts';
import type { Reason } from '../../src/core/collection.ts';
import { KIND, KIND_NAMES, unpackKeyDetail } from '../../src/core/events.ts';
import { keyCode } from '../../src/core/keys.ts';
import { CONFIG } from './child-config.ts';

/** Builds the child as `dist/` will hold it, inside the repository so that the native package resolves. */
export async function buildChild(): Promise<{ entryFile: string; remove: () => Promise<void> }> {
  const folder = join(
    import.meta.dirname,
    '../../node_modules/.cache',
    `capture-test-${process.pid}-${Date.now()}`,
  );
  const entryFile = join(folder, 'capture-child.js');
  await build({
    entryPoints: [join(import.meta.dirname, '../../src/capture/child/entry.ts')],
    outfile: entryFile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['uiohook-napi'],
    logLevel: 'error',
  });
  return { entryFile, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** One event as a test reads it. */
export interface Seen {
  readonly t: number;
  readonly kind: string;
  readonly x: number;
  readonly y: number;
  readonly a: number;
  readonly b: number;
  /** W3C code, or the class of a masked key; empty for pointer events. */
  readonly key: string;
  readonly isRepeat: boolean;
}

/** A capture child under test, with all it said. */
export class TestChild {
  readonly messages: ChildMessage[] = [];
  readonly exit = Promise.withResolvers<Reason>();
  readonly child: CaptureChild;
  isGone = false;

  constructor(entryFile: string, env: Record<string, string>, execPath = process.execPath) {
    this.child = new CaptureChild({
      execPath,
      flags: ['--disable-sigusr1'],
      entryFile,
      env: { PATH: '/usr/bin:/bin', HOME: tmpdir(), ...env },
      delay: delayNode,
      onMessage: (message) => this.messages.push(message),
      onExit: (reason) => {
        this.isGone = true;
        this.exit.resolve(reason);
      },
    });
  }

  get info(): BackendInfo | undefined {
    return this.messages.find((message) => message.type === 'ready')?.info;
  }

  get events(): Seen[] {
    return this.messages.flatMap((message) => {
      if (message.type !== 'batch') return [];
      const { count, t, kind, x, y, a, b } = message.columns;
      return Array.from({ length: count }, (_, i) => {
        const isKey = (kind[i] ?? 0) >= KIND.keydown;
        const detail = unpackKeyDetail(b[i] ?? 0);
        return {
          t: t[i] ?? 0,
          kind: KIND_NAMES[kind[i] ?? 0] ?? '',
          x: x[i] ?? 0,
          y: y[i] ?? 0,
          a: a[i] ?? 0,
          b: b[i] ?? 0,
          key: isKey ? (keyCode(a[i] ?? 0) ?? detail.keyClass) : '',
          isRepeat: isKey && detail.isRepeat,
        };
      });
    });
  }

  async start(config: CaptureConfig = CONFIG): Promise<this> {
    this.child.start(config);
    await this.until(() => this.info !== undefined || this.isGone);
    return this;
  }

  async until(isDone: () => boolean, timeoutMs = 10_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!isDone()) {
      if (performance.now() > deadline) throw new Error(`waited in vain; stderr: ${this.child.stderrTail}`);
      await sleep(10);
    }
  }
}

/** A temporary folder outside the repository. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'capture-test-'));
}

/** Whether a process runs; one that is dead and not yet reaped does not. */
export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
