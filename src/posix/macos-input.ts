import type { Libc, OpenedLibc } from './libc-koffi.ts';

const FRAMEWORKS = '/System/Library/Frameworks';
/** Brings CoreGraphics with it. */
const APPLICATION_SERVICES = `${FRAMEWORKS}/ApplicationServices.framework/ApplicationServices`;
const CARBON = `${FRAMEWORKS}/Carbon.framework/Carbon`;

/** `AXUIElement.h`; a `Boolean` is one byte. */
const IS_TRUSTED = 'uint8_t AXIsProcessTrusted()';
/** `CGEventSource.h` */
const IDLE_SECONDS = 'double CGEventSourceSecondsSinceLastEventType(int32_t stateID, uint32_t eventType)';
/** `CarbonEventsCore.h` */
const IS_SECURE = 'uint8_t IsSecureEventInputEnabled()';

/** `kCGEventSourceStateHIDSystemState`: what the hardware did, not what programs posted. */
const HARDWARE = 1;
/** `kCGAnyInputEventType` of `CGEventTypes.h` */
const ANY_INPUT = 0xffffffff;

/** What macOS says of input. Quick to ask, and no input passes through here. */
export interface MacosInput {
  /** Whether the person has allowed this program to see input (Accessibility). */
  isTrusted(): boolean;
  /** Whether a program has asked macOS to keep what is typed from all others, as password fields do. */
  isSecureInput(): boolean;
  /** Since the last input of any kind, by the hardware. */
  idleMs(): number;
}

/** Opens the frameworks that tell; `null` where they cannot be had. */
export function openMacosInput(open: (path: string) => OpenedLibc): MacosInput | null {
  const { libc: services } = open(APPLICATION_SERVICES);
  const { libc: carbon } = open(CARBON);
  if (services === null || carbon === null) return null;
  const ask = (library: Libc, declaration: string, ...args: readonly number[]): number =>
    library.call(declaration, ...args).value;
  return {
    isTrusted: () => ask(services, IS_TRUSTED) !== 0,
    isSecureInput: () => ask(carbon, IS_SECURE) !== 0,
    idleMs: () => ask(services, IDLE_SECONDS, HARDWARE, ANY_INPUT) * 1000,
  };
}
