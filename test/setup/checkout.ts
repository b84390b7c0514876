import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The repository that the tests run in. */
export const REPO = fileURLToPath(new URL('../..', import.meta.url));

/** npm's own list of what it installed, written last. */
const INSTALLED = '.package-lock.json';

/** What became of a program. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A small checkout in a temporary folder whose path has a space: the real set-up, bins and package files, one tiny source
 * file per program, and a folder of stand-in commands that write down how they were called.
 */
export class Checkout {
  readonly root: string;
  readonly commands: string;
  readonly #calls: string;

  /** `node` is what the machine has by that name, if anything. */
  constructor(node = process.execPath) {
    const folder = mkdtempSync(join(tmpdir(), 'telemetryd setup '));
    chmodSync(folder, 0o755);
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    this.root = join(folder, 'my checkout');
    this.commands = join(folder, 'commands');
    this.#calls = join(folder, 'calls');
    for (const part of ['package.json', 'package-lock.json', 'bin', 'src/setup']) {
      cpSync(join(REPO, part), join(this.root, part), { recursive: true });
    }
    mkdirSync(this.commands);
    for (const name of ['env', 'sh', 'readlink', 'cat', 'touch', 'ln'])
      this.link(name, join('/usr/bin', name));
    if (node !== '') this.link('node', node);
  }

  /** Gives each program a source file that prints its name, the flags of Node and `code`'s output. */
  withPrograms(programs: Readonly<Record<string, string>>, code = ''): this {
    for (const [name, file] of Object.entries(programs)) {
      mkdirSync(join(this.root, file, '..'), { recursive: true });
      writeFileSync(join(this.root, file), `${code}\nconsole.log('${name}', process.execArgv.join(' '));\n`);
    }
    return this;
  }

  withPackages(): this {
    // Not one link to the folder: a test that goes wrong must not remove anything from the real one.
    const [from, to] = [join(REPO, 'node_modules'), join(this.root, 'node_modules')];
    mkdirSync(to);
    for (const name of readdirSync(from)) symlinkSync(join(from, name), join(to, name));
    rmSync(join(to, INSTALLED));
    cpSync(join(from, INSTALLED), join(to, INSTALLED));
    return this;
  }

  /** A stand-in for a command of the machine; `$REPO` and `$CHECKOUT` are known to it. */
  command(name: string, script = ''): this {
    const file = join(this.commands, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >>'${this.#calls}'\n${script}\n`);
    chmodSync(file, 0o755);
    return this;
  }

  link(name: string, target: string): void {
    if (existsSync(target)) symlinkSync(target, join(this.commands, name));
  }

  /** How the stand-ins were called, in order. */
  calls(): string[] {
    return existsSync(this.#calls) ? readFileSync(this.#calls, 'utf8').trimEnd().split('\n') : [];
  }

  /**
   * Runs a program with only the stand-ins in its path, in a folder that has nothing to do with the checkout; as another
   * account when root gives a `uid`.
   */
  run(
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    uid = process.getuid?.() ?? 0,
  ): Promise<Ran> {
    const known = { PATH: this.commands, HOME: this.root, REPO, CHECKOUT: this.root };
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child = spawn(file, args, { cwd: '/', env: { ...known, ...env }, stdio: [...stdio], uid });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (bytes: Buffer) => {
        text[name] += bytes.toString('utf8');
      });
    }
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, ...text }));
    });
  }
}
