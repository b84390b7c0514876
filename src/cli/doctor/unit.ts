import type { CliIo } from '../io.ts';
import { programOutput } from '../program-output.ts';
import { type Check, failed, ok, skipped, warn } from './check.ts';
import type { Patient } from './patient.ts';

/** A service manager answers at once, or is stuck. */
const ANSWER_MS = 3000;

/** What a service manager says of one unit. */
export interface UnitState {
  readonly manager: 'systemd, user' | 'systemd, system' | 'launchd';
  readonly unit: string;
  /** `active`, `failed`, … as the manager says it; `not-found` when it has no such unit. */
  readonly state: string;
  /** How it ended last, where the manager tells. */
  readonly result: string;
  /** Whether it starts by itself. */
  readonly isEnabled: boolean | null;
}

const SYSTEMD_UNITS = [
  'telemetryd.service',
  'telemetryd-uploader.path',
  'telemetryd-uploader.service',
] as const;
const LAUNCHD_JOBS = ['com.telemetryd.daemon', 'com.telemetryd.uploader'] as const;

/** The units of telemetryd that the service managers of this machine know; `null`: there is no manager to ask. */
export async function unitStates({ io }: Pick<Patient, 'io'>): Promise<UnitState[] | null> {
  const { platform } = io.around;
  if (platform === 'darwin') {
    const jobs = await Promise.all(LAUNCHD_JOBS.map((job) => launchdJob(job, io)));
    return jobs.filter((job) => job !== null);
  }
  if (platform !== 'linux') return null;
  const asked = await Promise.all([systemdUnits('user', io), systemdUnits('system', io)]);
  const found = asked.filter((units) => units !== null);
  return found.length === 0 ? null : found.flat();
}

/** Whether a service manager runs the daemon, and has not given up on it. */
export async function unit(patient: Patient): Promise<Check> {
  const states = await unitStates(patient);
  if (states === null) return skipped('unit', 'There is no service manager here to ask.');
  const known = states.filter(({ state }) => state !== 'not-found');
  const broken = known.find(({ state }) => state === 'failed');
  if (broken !== undefined) {
    const { manager, unit: name, result } = broken;
    const result_ = result === '' || result === 'success' ? '' : ` (${result})`;
    return failed('unit', `${name} has failed${result_}.`, restartOf(manager, name));
  }
  const daemon = known.find(
    ({ unit: name }) => name === 'telemetryd.service' || name === 'com.telemetryd.daemon',
  );
  const { heard } = patient;
  if (daemon === undefined)
    return skipped(
      'unit',
      'No service manager knows telemetryd: it is run by hand, if at all.',
      'install its unit, so that it starts at login',
    );
  if (daemon.state !== 'active')
    return heard.kind === 'down'
      ? failed('unit', `${daemon.unit} is ${daemon.state}.`, restartOf(daemon.manager, daemon.unit))
      : warn(
          'unit',
          `${daemon.unit} is ${daemon.state}: what runs was started by hand.`,
          'stop that one, then start the unit',
        );
  if (daemon.isEnabled === false)
    return warn('unit', `${daemon.unit} is active, but does not start by itself.`, enableOf(daemon));
  const others = known
    .filter((found) => found !== daemon && found.state === 'active')
    .map(({ unit: name }) => name);
  return ok('unit', `${[daemon.unit, ...others].join(', ')}: active (${daemon.manager}).`);
}

function restartOf(manager: UnitState['manager'], name: string): string {
  switch (manager) {
    case 'launchd':
      return `launchctl kickstart -k gui/$UID/${name}`;
    case 'systemd, user':
      return `journalctl --user -u ${name}; then systemctl --user restart ${name}`;
    case 'systemd, system':
      return `journalctl -u ${name}; then sudo systemctl restart ${name}`;
  }
}

function enableOf({ manager, unit: name }: UnitState): string {
  return manager === 'systemd, user' ? `systemctl --user enable ${name}` : `sudo systemctl enable ${name}`;
}

async function systemdUnits(which: 'user' | 'system', io: CliIo): Promise<UnitState[] | null> {
  const properties = 'Id,LoadState,ActiveState,Result,UnitFileState';
  const args = [`--${which}`, 'show', `--property=${properties}`, ...SYSTEMD_UNITS];
  const text = await programOutput('systemctl', args, io, { timeoutMs: ANSWER_MS });
  return text === null ? null : text.split(/\n\n+/).flatMap((block) => systemdUnit(block, which));
}

/** One block of `systemctl show`: `Name=value` lines. */
function systemdUnit(block: string, which: 'user' | 'system'): UnitState[] {
  const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
  const unitName = field('Id');
  const [load, file] = [field('LoadState'), field('UnitFileState')];
  if (unitName === '') return [];
  const state = load === 'not-found' ? 'not-found' : load === 'masked' ? 'masked' : field('ActiveState');
  const isEnabled = file === '' ? null : file.startsWith('enabled') || file === 'static' || file === 'alias';
  return [{ manager: `systemd, ${which}`, unit: unitName, state, result: field('Result'), isEnabled }];
}

/** launchctl(1) says of its output that it is no interface; `state` and the last exit code have been there since 10.10. */
async function launchdJob(job: string, io: CliIo): Promise<UnitState | null> {
  const args = ['print', `gui/${io.around.uid}/${job}`];
  const text = await programOutput('launchctl', args, io, { timeoutMs: ANSWER_MS });
  if (text === null) return null;
  const state = /^\tstate = (.+)$/m.exec(text)?.[1] ?? '';
  const exit = /^\tlast exit code = (\d+)/m.exec(text)?.[1] ?? '0';
  const words = state === 'running' ? 'active' : exit === '0' ? 'inactive' : 'failed';
  return {
    manager: 'launchd',
    unit: job,
    state: words,
    result: exit === '0' ? '' : `exit code ${exit}`,
    isEnabled: null,
  };
}
