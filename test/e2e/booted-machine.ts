import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const REPO = fileURLToPath(new URL('../..', import.meta.url));

/** Debian's sign that sessions are told to logind. */
const PAM_MODULE = '/usr/share/pam-configs/systemd';

/** What a command printed and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Boots a systemd on a copy of this machine: its root folder under an overlay in memory, so that nothing of what happens
 * in there outlasts it. No service of this machine is enabled in it, it has no Node and no npm, only a loopback network,
 * and the checkout at `/checkout`, to read.
 *
 * `$1` is the folder to mount at, `$2` the name of its control groups, `$3` the checkout. Version 1 control groups are
 * given to containers to read only, so those that limits need are made writable before systemd starts.
 */
const BOOT = `set -e
awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | while read -r hierarchy; do
  if mkdir "$hierarchy/$2" 2>/dev/null; then echo $$ >"$hierarchy/$2/cgroup.procs" 2>/dev/null || true; fi
done
mount -t tmpfs -o size=4g tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
rm -rf etc/systemd/system/*.wants etc/rc?.d etc/init.d usr/bin/node usr/local/bin/node usr/bin/npm usr/local/bin/npm
mkdir checkout
exec systemd-nspawn --register=no --keep-unit --quiet --directory=. --machine=telemetryd-test --console=pipe \\
  --link-journal=no --private-network --bind-ro="$3:/checkout" --kill-signal=SIGRTMIN+3 /bin/sh -c '
  for kind in memory pids cpu blkio devices; do
    mount -o remount,bind,rw "/sys/fs/cgroup/$kind" 2>/dev/null || true
  done
  exec /lib/systemd/systemd --show-status=no'`;

/** Why no systemd can be booted here; `null`: it can be tried. */
export function whyNotBoot(): string | null {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'only root can boot one';
  for (const file of ['/usr/bin/systemd-nspawn', '/lib/systemd/systemd', '/usr/bin/dpkg-deb', PAM_MODULE])
    if (!existsSync(file)) return `${file} is missing`;
  const overlay = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']);
  return overlay.status === 0 ? null : 'mounts are not allowed here';
}

/** A booted systemd; {@link stop} takes all of it away. */
export class BootedMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'telemetryd-machine-'));
  readonly #groups = `telemetryd-test-${process.pid}`;
  #nspawn: ChildProcess | null = null;
  #init = 0;

  async start(): Promise<void> {
    const console = openSync(join(this.#folder, '..', `${this.#groups}.log`), 'w');
    const args = ['--mount', '--propagation', 'private', 'sh', '-c', BOOT, 'sh'];
    this.#nspawn = spawn('unshare', [...args, this.#folder, this.#groups, REPO], {
      stdio: ['ignore', console, console],
    });
    const { pid = 0 } = this.#nspawn;
    await waitFor('systemd to start', () => {
      if (this.#nspawn?.exitCode !== null) throw new Error(`it did not: ${this.#consoleText()}`);
      this.#init = childOf(pid);
      return this.#init !== 0 && readFileSync(`/proc/${this.#init}/comm`, 'utf8') === 'systemd\n';
    });
    await waitFor('systemd to be up', async () => {
      const { stdout } = await this.run('systemctl', 'is-system-running');
      return /^(running|degraded)/.test(stdout);
    });
  }

  /** Runs a program in there as root, with input on its standard input; never throws for how it ends. */
  run(program: string, ...args: readonly string[]): Promise<Ran> {
    return this.#run([program, ...args], '');
  }

  /** Runs a script of the shell as root; throws with what it said unless it ends well. */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.#run(['sh', '-ec', script], '');
    if (code === 0) return stdout;
    throw new Error(`${script}\n… ended with ${code}: ${stdout}${stderr}`);
  }

  /** Runs a program as an ordinary user, as from a terminal of theirs. */
  as(user: string, program: string, ...args: readonly string[]): Promise<Ran> {
    return this.run('runuser', '-u', user, '--', program, ...args);
  }

  async write(file: string, content: Uint8Array | string): Promise<void> {
    const { code, stderr } = await this.#run(['sh', '-c', `cat >"$1"`, 'sh', file], content);
    if (code !== 0) throw new Error(stderr);
  }

  /** A property of a unit, as systemd has it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.run('systemctl', 'show', '--value', '-p', name, unit)).stdout.trim();
  }

  async stop(): Promise<void> {
    const nspawn = this.#nspawn;
    if (nspawn !== null && nspawn.exitCode === null) {
      const gone = new Promise((resolve) => nspawn.once('exit', resolve));
      // The first process of a namespace takes all others with it.
      if (this.#init !== 0) process.kill(this.#init, 'SIGKILL');
      else nspawn.kill('SIGKILL');
      await gone;
    }
    rmdirSync(this.#folder);
    for (const hierarchy of hierarchies()) removeGroups(join(hierarchy, this.#groups));
  }

  #run(command: readonly string[], input: Uint8Array | string): Promise<Ran> {
    const namespaces = ['-t', String(this.#init), '-m', '-u', '-i', '-n', '-p', '-C'];
    return new Promise((resolve) => {
      const child = execFile(
        'nsenter',
        [...namespaces, ...command],
        { maxBuffer: 64 * 1024 * 1024, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' } },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, stdout, stderr });
        },
      );
      child.stdin?.on('error', () => undefined).end(input);
    });
  }

  #consoleText(): string {
    return readFileSync(join(this.#folder, '..', `${this.#groups}.log`), 'utf8').slice(-2000);
  }
}

/** Waits until something is true, at most two minutes: a bound for what hangs, not for what is slow. */
export async function waitFor(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    // What is looked at costs a start of Node, on a machine that has better things to do.
    await sleep(200);
  }
}

/** The first child of a process; 0 while it has none. */
function childOf(parent: number): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [, , ppid] = readFileSync(`/proc/${name}/stat`, 'latin1')
        .replace(/\(.*\)/s, 'x')
        .split(' ')
        .slice(1);
      if (Number(ppid) === parent) return Number(name);
    } catch {
      // It has just ended.
    }
  }
  return 0;
}

function hierarchies(): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, place = '', type = '']) => (/^cgroup2?$/.test(type) ? [place] : []));
}

/** A group can be removed once it has no groups in it; the kernel's files in it are no matter. */
function removeGroups(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroups(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch {
    // Its last process is on its way out: an empty group costs nothing.
  }
}
