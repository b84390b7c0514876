import { closeSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { follow, get, post } from '../control/calls.ts';
import { locations, type Surroundings } from '../control/locations.ts';
import { TelemetryError } from '../core/errors.ts';
import { NODE_FLAGS, SAFE_FLAGS } from '../core/node-flags.ts';
import { ensureOwnerIdentity } from '../privacy/owner-identity.ts';
import { asksYes, type Terminal } from './consent-node.ts';
import { demonstrationPolicy } from './demonstration-policy.ts';
import { type DisplayEnvironment, startDisplay } from './display-node.ts';
import { commonEnvironment, daemonEnvironment, hasDisplay, placeOf } from './environment.ts';
import { freePort } from './free-port-node.ts';
import type { LiveStatus } from './live-status.ts';
import { type Program, startProgram } from './program-node.ts';
import { totalsIn } from './totals-node.ts';
import { farewell, howToConsent, introduction, type Setting, shellWord } from './words.ts';

/** What the demonstration needs of the process it runs in. */
export interface DemonstrationOptions {
  readonly around: Surroundings;
  /** The Node to run the programs on. */
  readonly node: string;
  readonly live: LiveStatus;
  /** Where consent is asked; `null` when nobody is there to answer. */
  readonly terminal: Terminal | null;
  /** Ends it all; aborted by ourselves, with a `TelemetryError`, when a program dies. */
  readonly ending: AbortController;
}

/** The collector's documented port. */
const COLLECTOR_PORT = 7717;
/** The daemon seals what it has within 2 s; it is killed only when something is badly wrong. */
const DAEMON_GRACE_MS = 10_000;
const GRACE_MS = 2000;
const DAEMON_READY_WITHIN_MS = 15_000;
/** A process that ends closes its sockets some milliseconds before it is gone. */
const EXIT_FOLLOWS_WITHIN_MS = 1000;

const LOG = 'demonstration.log';

/** A display if there is none, a collector and the daemon, with consent asked and the status shown. */
export class Demonstration {
  readonly #options: DemonstrationOptions;
  readonly #programs: Program[] = [];
  #logFd = -1;
  #setting: Setting | null = null;

  constructor(options: DemonstrationOptions) {
    this.#options = options;
  }

  /** Runs until `ending` is aborted. Rejects when something cannot be started. */
  async run(): Promise<void> {
    const { around, live } = this.#options;
    const { stateDir, runtimeDir, socketPath } = locations(around);
    await refuseSecondDaemon(socketPath);
    for (const folder of [stateDir, runtimeDir]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const logFile = join(stateDir, LOG);
    this.#logFd = openSync(logFile, 'w', 0o600);

    const ownDisplay = await this.#startOwnDisplay(runtimeDir);
    const collectorUrl = await this.#startCollector();
    const policyFile = join(stateDir, 'demonstration-policy.toml');
    writeFileSync(`${policyFile}.tmp`, demonstrationPolicy(collectorUrl), { mode: 0o600 });
    renameSync(`${policyFile}.tmp`, policyFile);
    const [place, bin] = [placeOf(around.env), binFolder(around.cwd)];
    const isWayland = (around.env['WAYLAND_DISPLAY'] ?? '') !== '';
    const setting = { stateDir, policyFile, logFile, collectorUrl, bin, place, isWayland, ownDisplay };
    const daemon = await this.#startDaemon(policyFile, socketPath, ownDisplay);
    this.#setting = setting;

    live.say(introduction(setting));
    await this.#consent(socketPath, setting);
    await this.#follow(socketPath, daemon);
  }

  /** Stops what was started, the daemon first; idempotent. Resolves with what to tell the person. */
  async stop(): Promise<string[]> {
    this.#options.ending.abort();
    for (const program of this.#programs.splice(0).reverse()) {
      await program.stop(program.name === 'telemetryd' ? DAEMON_GRACE_MS : GRACE_MS);
    }
    if (this.#logFd >= 0) closeSync(this.#logFd);
    this.#logFd = -1;
    return this.#setting === null ? [] : farewell(this.#setting, totalsIn(this.#setting.stateDir));
  }

  async #startOwnDisplay(folder: string): Promise<DisplayEnvironment | null> {
    const { env, platform } = this.#options.around;
    if (platform !== 'linux' || hasDisplay(env)) return null;
    const context = {
      folder,
      env: commonEnvironment(env),
      logFd: this.#logFd,
      signal: this.#options.ending.signal,
    };
    return startDisplay(context, (program) => this.#watch(program));
  }

  async #startCollector(): Promise<string> {
    const port = await freePort(COLLECTOR_PORT);
    const args = ['serve', '--listen', `127.0.0.1:${port}`, '--until-stdin-closes'];
    const collector = this.#start(
      'telemetry-collector',
      SAFE_FLAGS,
      args,
      commonEnvironment(this.#options.around.env),
      1,
    );
    const [, url] = await collector.line(/listening on (\S+)/, this.#options.ending.signal);
    return url ?? '';
  }

  async #startDaemon(
    policyFile: string,
    socketPath: string,
    display: DisplayEnvironment | null,
  ): Promise<Program> {
    const { around, ending } = this.#options;
    const env = { ...daemonEnvironment(around.env), ...display, TELEMETRYD_POLICY: policyFile };
    const daemon = this.#start('telemetryd', NODE_FLAGS, ['run', '--until-stdin-closes'], env);
    const giveUp = AbortSignal.timeout(DAEMON_READY_WITHIN_MS);
    while (!(await isDaemonRunning(socketPath))) {
      ending.signal.throwIfAborted();
      if (giveUp.aborted)
        throw new TelemetryError('failed', 'telemetryd did not start.', { hint: this.#logHint() });
      await delay(50);
    }
    return daemon;
  }

  #start(
    name: string,
    flags: readonly string[],
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    readsFrom?: 1,
  ): Program {
    const { node } = this.#options;
    const program = startProgram({
      name,
      file: node,
      args: [...flags, fileURLToPath(new URL(`./${name}.js`, import.meta.url)), ...args],
      env,
      logFd: this.#logFd,
      ...(readsFrom === undefined ? {} : { readsFrom }),
    });
    this.#watch(program);
    return program;
  }

  /** A program that ends by itself ends the demonstration. */
  #watch(program: Program): void {
    this.#programs.push(program);
    void program.ended.then((how) => {
      const hint = this.#logHint();
      this.#options.ending.abort(new TelemetryError('failed', `${program.name} ended: ${how}.`, { hint }));
    });
  }

  async #consent(socketPath: string, setting: Setting): Promise<void> {
    const { live, terminal, ending } = this.#options;
    const consent = await get(socketPath, 'consent');
    if (consent.state === 'granted') return;
    if (terminal !== null) {
      const notice = await get(socketPath, 'notice');
      live.say([
        '',
        ...notice.text.trimEnd().split('\n'),
        ...consent.changes.map((change) => `Changed: ${change}`),
        '',
      ]);
      if (await asksYes('Record on these terms?', terminal, ending.signal)) {
        const ownerRecipient = await ensureOwnerIdentity(locations(this.#options.around).identityPath);
        await post(socketPath, 'grant', { noticeId: notice.id, via: 'terminal', ownerRecipient });
        return;
      }
    }
    live.say(howToConsent(setting));
  }

  /** Shows the status until the end. The daemon's own end is told by how its process ended, not by its socket. */
  async #follow(socketPath: string, daemon: Program): Promise<void> {
    const { live, ending } = this.#options;
    try {
      await follow(socketPath, 'watch', (report) => live.show(report), ending.signal);
    } finally {
      const isOver = ending.signal.aborted
        ? Promise.resolve()
        : delay(EXIT_FOLLOWS_WITHIN_MS, undefined, { ref: false });
      await Promise.race([daemon.ended, isOver]);
      ending.signal.throwIfAborted();
    }
    throw new TelemetryError('failed', 'The daemon no longer says what it does.', { hint: this.#logHint() });
  }

  #logHint(): string {
    return `tail ${shellWord(join(locations(this.#options.around).stateDir, LOG))}`;
  }
}

async function refuseSecondDaemon(socketPath: string): Promise<void> {
  if (!(await isDaemonRunning(socketPath))) return;
  throw new TelemetryError('failed', `A daemon is already running here (${socketPath}).`, {
    hint: 'stop it first, or TELEMETRYD_STATE_DIR=/tmp/telemetryd-demo npm start',
  });
}

async function isDaemonRunning(socketPath: string): Promise<boolean> {
  try {
    await get(socketPath, 'status');
    return true;
  } catch (error) {
    if (error instanceof TelemetryError && error.code === 'daemon-down') return false;
    throw error;
  }
}

/** `bin` as one would type it here. */
function binFolder(cwd: string): string {
  const folder = fileURLToPath(new URL('../bin', import.meta.url));
  const short = relative(cwd, folder);
  return short.startsWith('..') ? folder : short;
}
