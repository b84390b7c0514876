import { messageOf } from '../../core/errors.ts';
import { backend } from './backend.ts';
import { CHECK_NAMES, type Check, type CheckName, failed } from './check.ts';
import { clock } from './clock.ts';
import { askCollector, type Collector, collector } from './collector.ts';
import { network, power } from './conditions.ts';
import { consent } from './consent.ts';
import { daemon, socket } from './daemon.ts';
import { display, permissions } from './display.ts';
import { enrolment } from './enrolment.ts';
import type { Patient } from './patient.ts';
import { policy } from './policy.ts';
import { diskSpace, stateFolder } from './state-folder.ts';
import { unit } from './unit.ts';

/** What a check may look at: the patient, and what the collector said. */
type Look = (patient: Patient, collector: Collector) => Check | Promise<Check>;

const LOOKS: Readonly<Record<CheckName, Look>> = {
  daemon,
  socket,
  unit,
  policy,
  consent,
  display,
  permissions,
  backend,
  'state-folder': stateFolder,
  'disk-space': diskSpace,
  clock,
  power,
  network,
  enrolment,
  collector,
};

/**
 * Looks at everything. With `isOnline` the collector is asked although the gate is closed; see {@link askCollector}. Never
 * rejects: a check that breaks has failed.
 */
export async function runChecks(patient: Patient, isOnline: boolean): Promise<Check[]> {
  const answer = await askCollector(patient, isOnline);
  return await Promise.all(
    CHECK_NAMES.map(async (name) => {
      try {
        return await LOOKS[name](patient, answer);
      } catch (error) {
        return failed(name, `It could not be looked at: ${messageOf(error)}.`, 'telemetryctl bugreport');
      }
    }),
  );
}
