import { dirname } from 'node:path';
import { messageOf, TelemetryError } from '../../core/errors.ts';
import { VERSION } from '../../core/version.ts';
import { type Check, failed, ok, skipped, warn } from './check.ts';
import { look } from './look.ts';
import type { Patient } from './patient.ts';

/** How a daemon is started here. */
function startOf({ io, place }: Patient): string {
  if (io.around.platform === 'darwin')
    return 'launchctl kickstart gui/$UID/com.telemetryd.daemon, or telemetryd run';
  if (place.kind === 'system') return 'sudo systemctl start telemetryd.service';
  return 'systemctl --user start telemetryd.service, or telemetryd run';
}

/** Whether a daemon runs, answers, and is of this version. */
export function daemon(patient: Patient): Check {
  const { heard } = patient;
  switch (heard.kind) {
    case 'down':
      return failed('daemon', 'It is not running; nothing is recorded.', startOf(patient));
    case 'silent': {
      const hint = heard.error instanceof TelemetryError ? heard.error.hint : '';
      return failed('daemon', messageOf(heard.error), hint);
    }
    case 'own':
    case 'restricted': {
      const { version } = heard.status.daemon;
      const whose = heard.kind === 'own' ? `, ${MODES[heard.status.daemon.mode]}` : ', for somebody else';
      if (version !== VERSION)
        return warn(
          'daemon',
          `Version ${version} is running, and this command is ${VERSION}.`,
          'restart the daemon, so that it is the one that is installed',
        );
      return ok('daemon', `Version ${version} is running${whose}.`);
    }
  }
}

const MODES = {
  user: 'as a service of yours',
  system: 'as the system’s service',
  foreground: 'in the foreground',
} as const;

/** Whether the control socket is one, answers, and cannot be replaced by others. */
export function socket(patient: Patient): Check {
  const { heard, place } = patient;
  const { socketPath } = place;
  const stats = look(socketPath);
  if (stats === 'closed')
    return skipped('socket', `Its folder ${dirname(socketPath)} is closed to this account.`);
  if (stats === undefined) {
    if (heard.kind !== 'down')
      return failed('socket', `${socketPath} is gone though a daemon answered.`, 'restart the daemon');
    return skipped('socket', `There is none at ${socketPath}, as without a daemon.`);
  }
  if (!stats.isSocket())
    return failed(
      'socket',
      `${socketPath} is not a socket and is in the way of one.`,
      `mv ${socketPath} ${socketPath}.old`,
    );
  const folder = dirname(socketPath);
  const around = look(folder);
  if (typeof around === 'object' && (around.mode & 0o022) !== 0 && (around.mode & 0o1000) === 0)
    return failed(
      'socket',
      `Others can replace what is in ${folder}, the socket too.`,
      `chmod go-w ${folder}`,
    );
  if (heard.kind === 'down')
    return failed(
      'socket',
      `Nobody listens at ${socketPath}; a daemon that died left it.`,
      `${startOf(patient)}; it takes the place over`,
    );
  if (heard.kind === 'silent')
    return failed('socket', `${socketPath} (uid ${stats.uid}) gave no usable answer.`, 'restart the daemon');
  return ok('socket', `${socketPath} answers.`);
}
