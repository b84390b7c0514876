import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendInfo } from '../../src/core/capture.ts';
import { keyCode } from '../../src/core/keys.ts';
import { type ModifierKnowledge, maskKey } from '../../src/core/masking.ts';

/** One call of the sink, or another thing a back end said, as `backend-child.ts` prints it. */
export type Said = readonly [what: string, ...rest: unknown[]];

/** One back end in a process of its own, with all it said. */
export class BackendRun {
  readonly said: Said[] = [];
  readonly #child: ChildProcess;
  #rest = '';

  constructor(name: string, display: string) {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, 'backend-child.ts'), name], {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', DISPLAY: display },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      this.said.push(...lines.map((line) => JSON.parse(line) as Said));
    });
  }

  async start(): Promise<this> {
    await this.until('ready');
    return this;
  }

  get info(): BackendInfo {
    return this.#first('ready')[1] as BackendInfo;
  }

  get knows(): ModifierKnowledge {
    return this.#first('ready')[2] as ModifierKnowledge;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it said from the `since`th thing on, of these kinds. */
  of(kinds: readonly string[], since = 0): Said[] {
    return this.said.slice(since).filter(([what]) => kinds.includes(what));
  }

  order(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Waits until it has said `what` `count` times. */
  async until(what: string, count = 1, timeoutMs = 20_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.of([what]).length < count) {
      if (performance.now() > deadline || this.#child.exitCode !== null) {
        throw new Error(`waited in vain for ${what}: ${JSON.stringify(this.said.slice(-20))}`);
      }
      await sleep(10);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.order('stop');
    await gone;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Events as lines that do not depend on the back end: no times, no numbers of its own. */
  linesOf(events: readonly Said[]): string[] {
    return events.map((said) => this.#line(said));
  }

  #line([what, , ...rest]: Said): string {
    if (what !== 'key') return [what, ...rest].join(' ');
    const [isDown, , id, mods] = rest as [boolean, number, number, number, boolean];
    // What a shortcut is depends on what a back end knows of Alt: both must say the same of the rest.
    const kept = maskKey('shortcuts', id, mods, false, this.knows);
    const name = kept === undefined ? 'nothing' : kept.isMasked ? 'text' : (keyCode(kept.a) ?? 'none');
    return `${isDown ? 'keydown' : 'keyup'} ${name}`;
  }

  #first(what: string): Said {
    const found = this.of([what])[0];
    if (found === undefined) throw new Error(`it never said ${what}`);
    return found;
  }
}
