/**
 * What a device tells its collector of the program on it, so that whoever runs the fleet can see that it works:
 * `POST /v1/devices/{device}/health`. Of the program alone: no time, no count, nothing of the person.
 */
export interface Health {
  readonly version: string;
  readonly backend: string;
  /** Sorted, each once; only of {@link HEALTH_CODES}. */
  readonly codes: readonly string[];
}

/** What a collector was last told of the program here, and on which day. */
export interface ToldHealth extends Health {
  readonly destination: string;
  /** `2026-03-31`, UTC. */
  readonly day: string;
}

/**
 * The faults that may be told, an allow list: a code that is not here never leaves the device, and a collector that is
 * sent one does not keep it. Each names something that somebody must mend, and is the same whoever sits at the machine.
 *
 * Left out on purpose, because they tell what the person did or where they are: consent, pauses, exemptions and locks; the
 * application in use (`focus-…`, `full-unavailable`); a display that is missing or went (someone signed out); a capture
 * process that was ended from outside; the processor's time, which grows with use; power, network, Wi-Fi names, budgets
 * and hours. So are codes that only a device which cannot send has (`not-enrolled`, `unauthorised`): nobody would hear.
 */
export const HEALTH_CODES: ReadonlySet<string> = new Set([
  // The capture process does not start, or not for long.
  'backend-unavailable',
  'bad-message',
  'child-exited',
  'hook-crashed',
  'hook-failed',
  'hook-not-loadable',
  'native-library-missing',
  'no-device',
  'no-permission',
  'not-startable',
  'out-of-memory',
  'start-timeout',
  'tap-dead',
  // The service is not set up as it should be.
  'lock-unknown',
  'memory-readable',
  'no-policy',
  'over-memory-limit',
  'policy-refused',
  // Files.
  'quarantined',
  'storage',
  'too-large',
]);

/** Ways of capture that may be told; `unknown` where none has started yet, and for what a later version tells. */
const HEALTH_BACKENDS: ReadonlySet<string> = new Set(['x11', 'evdev', 'uiohook', 'unknown']);

/** In place of a code that whoever reads does not know: the device is newer. */
export const UNKNOWN_CODE = 'unknown-code';

/** The words for a program with these faults. */
export function healthOf(version: string, backend: string | null, codes: Iterable<string>): Health {
  const told = [...new Set(codes)].filter((code) => HEALTH_CODES.has(code)).sort();
  return { version, backend: HEALTH_BACKENDS.has(backend ?? '') ? (backend ?? '') : 'unknown', codes: told };
}

/** Where it is posted, below the collector's address. */
export function healthPath(device: string): string {
  return `/v1/devices/${device}/health`;
}

/** The form of what is posted. */
export const HEALTH_FORM = {
  version: /^\d{1,6}\.\d{1,6}\.\d{1,6}(?:[-+][0-9A-Za-z.+-]{1,32})?$/,
  backend: /^[a-z][a-z0-9-]{0,39}$/,
  code: /^[a-z][a-z-]{0,39}$/,
  /** Some more than there are. */
  maxCodes: 32,
} as const;

/**
 * Reads what was posted; `null` for anything but these three fields in their form. What is well formed and not known
 * here comes of a later version: it is kept as `unknown`, never as it came, so that the allow list holds on both sides.
 */
export function parseHealth(json: Readonly<Record<string, unknown>>): Health | null {
  const { version, backend, codes, ...others } = json;
  if (Object.keys(others).length > 0) return null;
  if (typeof version !== 'string' || !HEALTH_FORM.version.test(version)) return null;
  if (typeof backend !== 'string' || !HEALTH_FORM.backend.test(backend)) return null;
  if (!Array.isArray(codes) || codes.length > HEALTH_FORM.maxCodes) return null;
  const words = codes.filter(
    (code): code is string => typeof code === 'string' && HEALTH_FORM.code.test(code),
  );
  if (words.length < codes.length) return null;
  const known = words.map((code) => (HEALTH_CODES.has(code) ? code : UNKNOWN_CODE));
  return {
    version,
    backend: HEALTH_BACKENDS.has(backend) ? backend : 'unknown',
    codes: [...new Set(known)].sort(),
  };
}
