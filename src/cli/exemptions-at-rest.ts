import type { ExemptionsReply } from '../control/protocol.ts';
import { restoreExemption, stepExemption } from '../core/exemption.ts';
import { exemptionView } from '../core/exemption-view.ts';
import { parseExemptions } from '../spool/exemptions-file.ts';
import type { CliIo } from './io.ts';
import { decoded } from './state-files.ts';

/** The exemptions of a daemon that is down, from the file it left, as of now. Only reads. */
export function exemptionsAtRest(stateDir: string, { clock }: CliIo): ExemptionsReply {
  const now = clock.now();
  const saved = decoded(stateDir, 'exemptions.json', parseExemptions) ?? [];
  return {
    exemptions: saved.map((exemption) => {
      // Nothing is recorded while the daemon is down, so no number of a segment matters.
      const moment = { clock, nextSequence: 0 };
      const asOfNow = stepExemption(restoreExemption(exemption, clock), { type: 'tick' }, moment);
      return { view: exemptionView(asOfNow, now), reason: asOfNow.reason };
    }),
  };
}
