import type { Health } from '../../core/health.ts';

/** What a collector is told of the program here, in words: all of it. */
export function healthWords({ version, backend, codes }: Health): string {
  const faults = codes.length === 0 ? 'no faults' : `faults: ${codes.join(', ')}`;
  return `telemetryd ${version}, captures by ${backend}, ${faults}`;
}
