import type { StatusReport } from '../../core/status.ts';
import { type Check, failed, ok, skipped, warn } from './check.ts';
import type { Patient } from './patient.ts';

/** Whether what reads the input runs and is alive. */
export function backend({ heard }: Patient): Check {
  if (heard.kind === 'down' || heard.kind === 'silent')
    return skipped('backend', 'Only a running daemon can tell.', 'start the daemon first');
  const { state } = heard.status.collection;
  if (heard.kind === 'restricted') {
    if (state === 'blocked')
      return failed(
        'backend',
        'Capture is blocked; only the person is told why.',
        'have them run telemetryctl doctor',
      );
    return skipped('backend', `The state is ${state}; more is for the person alone.`);
  }
  return judged(heard.status);
}

function judged({ collection, capture }: StatusReport): Check {
  const [first] = collection.reasons;
  switch (collection.state) {
    case 'blocked':
      return failed('backend', first?.text ?? 'Capture is blocked.', first?.hint ?? 'telemetryctl why');
    case 'capturing': {
      const why = capture.backendWhy === '' ? '' : `, because ${capture.backendWhy}`;
      if (!capture.alive) return failed('backend', 'The capture process is gone.', 'telemetryctl why');
      if (first !== undefined) return warn('backend', `${capture.backend} runs. ${first.text}`, first.hint);
      return ok('backend', `${capture.backend} runs and answers${why}.`);
    }
    case 'paused':
    case 'exempt':
    case 'awaiting-consent':
    case 'locked':
    case 'stopped':
      return skipped(
        'backend',
        `Nothing is recorded now (${collection.state}), so no capture process exists.`,
      );
  }
}
