import type { WindowFacts } from '../../../core/window-match.ts';
import { processNames } from '../process-names.ts';
import type { XConnection } from './x-connection.ts';
import { getProperty, type XProperty } from './x-core.ts';
import { xRequest } from './x-request.ts';

/** No honest title is longer; one that is has an end that was not read, where browsers say that a window is private. */
const MAX_TITLE_BYTES = 16 * 1024;
const MAX_CLASS_BYTES = 1024;
/** `QueryClientIds` of the X-Resource extension, version 1.2, and its mask for process ids. */
const QUERY_CLIENT_IDS = 4;
const LOCAL_CLIENT_PID = 2;

/** What a window says of itself, and which process made it. */
export interface KnownWindow {
  readonly facts: WindowFacts;
  readonly pid: number;
}

/** All that is to be known of a window; `null` when some of it is not to be had. */
export async function readWindow(
  x: XConnection,
  window: number,
  hostname: string,
): Promise<KnownWindow | null> {
  const [ownNames, titles, pid] = await Promise.all([
    readClass(x, window),
    readTitles(x, window),
    readPid(x, window, hostname),
  ]);
  if (ownNames === null || titles === null || pid === null) return null;
  const programNames = processNames(pid);
  if (programNames.length === 0) return null;
  return { facts: { names: [...ownNames, ...programNames], titles }, pid };
}

/** The title in the forms of EWMH and ICCCM; `null` when one of them could not be read whole. */
export async function readTitles(x: XConnection, window: number): Promise<string[] | null> {
  const names = await Promise.all([x.atom('_NET_WM_NAME'), x.atom('WM_NAME')]);
  const titles = await Promise.all(names.map((name) => getProperty(x, window, name, MAX_TITLE_BYTES + 4)));
  if (titles.some((title) => title !== null && title.value.length > MAX_TITLE_BYTES)) return null;
  const utf8 = await x.atom('UTF8_STRING');
  return titles.flatMap((title) => (title === null ? [] : [decode(title, utf8)]));
}

/** ICCCM's `STRING` is Latin-1; the characters of `COMPOUND_TEXT` that matter here are the same. */
function decode({ type, value }: XProperty, utf8: number): string {
  return new TextDecoder(type === utf8 ? 'utf-8' : 'latin1').decode(value);
}

/** `WM_CLASS`: instance and class, each ended by a zero byte; `null` when there is none. */
async function readClass(x: XConnection, window: number): Promise<string[] | null> {
  const property = await getProperty(x, window, await x.atom('WM_CLASS'), MAX_CLASS_BYTES);
  const names = (property?.value.toString('latin1') ?? '').split('\0').filter((name) => name !== '');
  return names.length === 0 ? null : names;
}

/**
 * The process behind a window: as the server knows it from the socket, which no client can state wrongly and which holds
 * in containers too. A server without that is asked for what the window states, if it is a window of this machine.
 */
async function readPid(x: XConnection, window: number, hostname: string): Promise<number | null> {
  const extension = await x.extension('X-Resource');
  if (extension !== null) {
    const reply = await x.ask(
      xRequest(extension.majorOpcode, QUERY_CLIENT_IDS, [1, window, LOCAL_CLIENT_PID]),
    );
    // Behind the head: the client and mask of each answer, its length in bytes, its value.
    if (reply !== null && reply.length >= 48 && reply.readUInt32LE(8) > 0 && reply.readUInt32LE(40) === 4)
      return reply.readUInt32LE(44);
  }
  const [pidName, machineName] = await Promise.all([x.atom('_NET_WM_PID'), x.atom('WM_CLIENT_MACHINE')]);
  const [pid, machine] = await Promise.all([
    getProperty(x, window, pidName, 4),
    getProperty(x, window, machineName, MAX_CLASS_BYTES),
  ]);
  if (pid?.format !== 32 || pid.value.length < 4) return null;
  return machine?.value.toString('latin1').replace(/\0$/, '') === hostname ? pid.value.readUInt32LE(0) : null;
}
