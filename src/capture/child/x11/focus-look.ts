import { type KnownWindow, readWindow } from './window-facts.ts';
import type { XConnection } from './x-connection.ts';
import { EVENT_MASK, getInputFocus, getProperty } from './x-core.ts';
import { xRequest } from './x-request.ts';

/** What one look at the desktop found. Windows are 0 where there is none. */
export interface FocusLook {
  readonly found: Found;
  readonly active: number;
  /** The window manager's own window. */
  readonly manager: number;
  /** The window that has the keyboard, or 1: the one under the pointer. */
  readonly inputFocus: number;
}

/**
 * `no-manager`: no window manager tells what is in use. `unsettled`: what it tells and where the keyboard is do not
 * agree, as on every switch for some milliseconds. `none`: no window is in use, and the keyboard is with none.
 */
export type Found =
  | { readonly kind: 'window'; readonly window: KnownWindow }
  | { readonly kind: 'no-manager' | 'unsettled' | 'none' | 'unclear' };

/** Asks for a window's events, before anything of it is read: a change after that is heard. */
export type Watch = (window: number, mask: number) => void;

/** `None` and `PointerRoot` of `GetInputFocus`. */
const POINTER_ROOT = 1;
/** Windows within windows: toolkits nest a handful. */
const MAX_DEPTH = 32;
const MAX_SUPPORTED_BYTES = 64 * 1024;

const { propertyChange, focusChange, structureNotify } = EVENT_MASK;

/** Looks once at what is in use. */
export async function lookAtFocus(x: XConnection, hostname: string, watch: Watch): Promise<FocusLook> {
  const { rootWindow: root } = x.setup;
  watch(root, propertyChange | focusChange);
  const inputFocus = (await getInputFocus(x)) ?? 0;
  const hasWindow = inputFocus > POINTER_ROOT && inputFocus !== root;
  if (hasWindow) watch(inputFocus, focusChange);
  const manager = (await readManager(x, watch)) ?? 0;
  if (manager === 0) return { found: { kind: 'no-manager' }, active: 0, manager, inputFocus };
  const active = (await readNumbers(x, root, '_NET_ACTIVE_WINDOW'))[0] ?? 0;
  const isNowhere = !hasWindow || isSameClient(x, inputFocus, manager);
  if (active === 0) return { found: { kind: isNowhere ? 'none' : 'unsettled' }, active, manager, inputFocus };
  watch(active, propertyChange | focusChange);
  // Openbox goes on naming the last window after its end.
  if (isNowhere && (await x.ask(xRequest(14, 0, [active]))) === null)
    return { found: { kind: 'none' }, active, manager, inputFocus };
  const [isInside, window] = await Promise.all([
    hasWindow && isWithin(x, inputFocus, active),
    readWindow(x, active, hostname),
  ]);
  const found: Found = !isInside
    ? { kind: 'unsettled' }
    : window === null
      ? { kind: 'unclear' }
      : { kind: 'window', window };
  return { found, active, manager, inputFocus };
}

/** The manager's own window, if it lives and tells the active window (EWMH, `_NET_SUPPORTING_WM_CHECK`); else `null`. */
async function readManager(x: XConnection, watch: Watch): Promise<number | null> {
  const { rootWindow: root } = x.setup;
  const [manager = 0] = await readNumbers(x, root, '_NET_SUPPORTING_WM_CHECK');
  if (manager === 0) return null;
  watch(manager, propertyChange | structureNotify);
  const [own, supported, active] = await Promise.all([
    readNumbers(x, manager, '_NET_SUPPORTING_WM_CHECK'),
    readNumbers(x, root, '_NET_SUPPORTED'),
    x.atom('_NET_ACTIVE_WINDOW'),
  ]);
  return own[0] === manager && supported.includes(active) ? manager : null;
}

async function readNumbers(x: XConnection, window: number, name: string): Promise<number[]> {
  const property = await getProperty(x, window, await x.atom(name), MAX_SUPPORTED_BYTES);
  if (property?.format !== 32) return [];
  const { value } = property;
  return Array.from({ length: Math.floor(value.length / 4) }, (_, index) => value.readUInt32LE(4 * index));
}

async function isWithin(x: XConnection, window: number, outer: number): Promise<boolean> {
  let inner = window;
  for (let depth = 0; depth < MAX_DEPTH && inner !== 0; depth++) {
    if (inner === outer) return true;
    const reply = await x.ask(xRequest(15, 0, [inner]));
    inner = reply?.readUInt32LE(12) ?? 0;
  }
  return false;
}

/** Window managers keep the keyboard in a window of their own while no other has it. */
function isSameClient(x: XConnection, a: number, b: number): boolean {
  return (a & ~x.setup.idMask) === (b & ~x.setup.idMask);
}
