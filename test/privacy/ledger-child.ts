// Appends entries as fast as it can and prints the number of each after it was recorded, until it is killed.
import { writeSync } from 'node:fs';
import { openLedger } from '../../src/privacy/ledger.ts';

const clock = { bootId: '', now: () => ({ wallMs: Date.now(), bootMs: 0, monoMs: 0 }) };
const ledger = openLedger(process.argv[2] ?? '', clock);
for (;;) {
  const { seq } = ledger.appendEntry({
    type: 'policy',
    policy: 'p'.repeat(64),
    source: '/etc/telemetryd/policy.toml',
  });
  writeSync(1, `${seq}\n`);
}
