import { arch, hostname, release, userInfo } from 'node:os';
import { VERSION } from '../../core/version.ts';
import type { Check } from '../doctor/check.ts';
import { examine, type Patient } from '../doctor/patient.ts';
import { runChecks } from '../doctor/run-checks.ts';
import { unitStates } from '../doctor/unit.ts';
import type { CliIo } from '../io.ts';
import { logPart, readLog } from './log-part.ts';
import { isOfPreferences, policyPart, problemPart } from './policy-part.ts';
import { readIfThere } from './read-if-there.ts';
import { type Redact, redactor } from './redact.ts';
import { statusPart } from './status-part.ts';
import type { ArchiveFile } from './tar.ts';

/** A file of a report, and what it is. */
export interface ReportFile extends ArchiveFile {
  readonly about: string;
}

/**
 * All files of a report. Each is made of what may be told, by name, and then goes through {@link redactor}; nothing of
 * the state folder's segments, ledger, keys or receipts is even opened for it. `logFile`: where else the log is.
 */
export async function gather(io: CliIo, logFile: string | null): Promise<ReportFile[]> {
  const patient = await examine(io);
  const checks = await runChecks(patient, false);
  const log = logPart(await readLog(patient, logFile));
  const files: ReportFile[] = [
    file('versions.json', 'of telemetryd, Node and the system', versions(io)),
    file('status.json', 'states and codes; no count and no time', statusPart(patient.heard)),
    file(
      'doctor.json',
      'what telemetryctl doctor finds',
      checks.map((check) => doctorPart(check, patient)),
    ),
    file('policy.json', 'the policy; no names in it', policyPart(patient)),
    file('units.json', 'what the service manager says', (await unitStates(patient)) ?? []),
    { name: 'log.txt', about: 'starts, ends and trouble, to the minute', content: log },
  ];
  const redact = redactor(namesOf(io));
  return [readme(files), ...files].map((each) => redacted(each, redact));
}

function redacted(each: ReportFile, redact: Redact): ReportFile {
  return { ...each, content: redact(each.content) };
}

function file(name: string, about: string, content: object): ReportFile {
  return { name, about, content: `${JSON.stringify(content, null, 2)}\n` };
}

function versions({ around }: CliIo): object {
  return {
    telemetryd: VERSION,
    node: process.version,
    platform: around.platform,
    arch: arch(),
    kernel: release(),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(readIfThere('/etc/os-release'))?.[1] ?? '',
    session: around.env['XDG_SESSION_TYPE'] ?? '',
    desktop: around.env['XDG_CURRENT_DESKTOP'] ?? '',
  };
}

/** A problem of the person's own preferences is not told in words here either. */
function doctorPart(check: Check, { policy, place, heard }: Patient): object {
  if (check.name !== 'policy') return check;
  const told = heard.kind === 'own' ? heard.status.policy.problems : [];
  const isTheirs = [...policy.problems, ...told].some((problem) =>
    isOfPreferences(problem, place.preferencesPath),
  );
  if (!isTheirs) return check;
  const { name, severity } = check;
  return {
    name,
    severity,
    problems: policy.problems.map((problem) => problemPart(problem, place.preferencesPath)),
  };
}

function readme(files: readonly ReportFile[]): ReportFile {
  const width = Math.max(...files.map(({ name }) => name.length));
  const content = `A report on telemetryd ${VERSION}, made by telemetryctl bugreport.

${files.map(({ name, about }) => `${name.padEnd(width)}  ${about}`).join('\n')}

${NEVER}
`;
  return { name: 'README.txt', about: 'this list', content };
}

/** What no report holds. */
export const NEVER = `Never in it: what was recorded, keys, window titles, names of applications, how much
or when somebody worked, names of accounts and machines, network names and
addresses, identities, keys and tokens. Names in paths are replaced.`;

function namesOf({ around }: CliIo): { user: string; home: string; hosts: string[] } {
  const full = hostname();
  return { user: userName(), home: around.home, hosts: [full, full.split('.', 1)[0] ?? ''] };
}

/** An account without an entry in passwd(5) has no name to take out. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
