import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { CAPTURE_FLAGS } from '../src/daemon/programs.ts';
import { Desk, Program, until } from '../test/e2e/desk.ts';

/** Something that sees the input of a display, and runs. */
export interface Contender {
  readonly name: string;
  readonly pids: readonly number[];
  /** Events it has recorded, where it can say so. */
  count(): Promise<number | null>;
  stop(): Promise<void>;
}

export interface ContenderKind {
  readonly name: string;
  start(desk: Desk): Promise<Contender>;
}

const PYTHON = '/usr/bin/python3';
const PYNPUT = `
from pynput import keyboard, mouse
m = mouse.Listener(on_move=lambda *a: None, on_click=lambda *a: None, on_scroll=lambda *a: None)
k = keyboard.Listener(on_press=lambda *a: None, on_release=lambda *a: None)
m.start(); k.start(); m.wait(); k.wait()
print('ready', flush=True); m.join()
`;

/** The whole pipeline as it is shipped: the daemon, its capture process, a journal on disk every 5 s. */
export const pipeline: ContenderKind = {
  name: 'telemetryd, to the journal',
  start: async (desk) => {
    desk.writePolicy({
      capture: { focus_unknown: '"record"' },
      segment: { roll: '"15m"', flush: '"5s"' },
      upload: { url: '""', schedule: '"*/15 * * * *"' },
    });
    await desk.startDaemon();
    await desk.grant();
    const { daemon, capture } = await desk.status();
    return {
      name: pipeline.name,
      pids: [daemon.pid ?? 0, capture.pid ?? 0],
      count: async () => {
        const { recorded, thinned } = (await desk.status()).capture.events;
        return recorded + thinned;
      },
      stop: async () => {
        await desk.daemon?.stop();
        rmSync(desk.stateDir, { recursive: true, force: true });
      },
    };
  },
};

/** All that can run here, and why others cannot. */
export function contenders(): { kinds: readonly ContenderKind[]; missing: readonly string[] } {
  const kinds = [pipeline, alone('x11'), alone('uiohook')];
  const missing: string[] = [];
  const add = (name: string, isHere: boolean, command: readonly string[], isReady: RegExp): void => {
    if (isHere) kinds.push(program(name, command, isReady));
    else missing.push(`${name}: not installed on this machine`);
  };
  add('xinput test-xi2 --root', existsSync('/usr/bin/xinput'), ['xinput', 'test-xi2', '--root'], /./);
  const find = 'import importlib.util as u, sys; sys.exit(u.find_spec("pynput") is None)';
  const hasPynput = spawnSync(PYTHON, ['-c', find]).status === 0;
  add('pynput, empty listeners', hasPynput, [PYTHON, '-c', PYNPUT], /ready/);
  return { kinds, missing };
}

/** One back end with nothing behind it, bundled as the programs are. */
function alone(backend: string): ContenderKind {
  const name = `${backend} back end alone`;
  return {
    name,
    start: async (desk) => {
      const folder = mkdtempSync(join(import.meta.dirname, '../node_modules/.cache-bench-'));
      const outfile = join(folder, 'capture-alone.js');
      const entryPoints = [join(import.meta.dirname, 'capture-alone.ts')];
      const external = ['uiohook-napi'];
      await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', external });
      const command = [process.execPath, ...CAPTURE_FLAGS, outfile, backend];
      const started = await program(name, command, /ready/).start(desk);
      rmSync(folder, { recursive: true });
      return started;
    },
  };
}

function program(name: string, [file = '', ...args]: readonly string[], isReady: RegExp): ContenderKind {
  return {
    name,
    start: async (desk) => {
      const running = new Program(file, args, desk.display.env());
      // What it prints is thrown away like a peer's output into a file would be.
      await until(`${name} to be ready`, () => {
        if (!running.isRunning) throw new Error(`${name} ended: ${running.out}`);
        return isReady.test(running.out);
      });
      return {
        name,
        pids: [running.child.pid ?? 0],
        count: () => Promise.resolve(null),
        stop: async () => {
          await running.stop();
        },
      };
    },
  };
}
