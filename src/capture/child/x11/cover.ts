import type { XConnection } from './x-connection.ts';
import { xRequest } from './x-request.ts';

/** So many windows from the top are looked at; what covers the screen is the uppermost or nearly so. */
const MAX_WINDOWS = 20;
const VIEWABLE = 2;
const INPUT_OUTPUT = 1;

/**
 * The window that covers the whole screen without a manager having a say, as screen lockers make it; 0 when there is
 * none. A keyboard that was grabbed before we came tells nobody, so this is how a lock that stands already is found.
 * The compositor's overlay, which belongs to the server, and frames of the window manager are none.
 */
export async function findCover(x: XConnection, managerWindow: number): Promise<number> {
  const { rootWindow, idMask, screen } = x.setup;
  const tree = await x.ask(xRequest(15, 0, [rootWindow]));
  if (tree === null) return 0;
  const count = tree.readUInt16LE(16);
  const clientOf = (id: number): number => id & 0x1fffffff & ~idMask;
  for (let index = count - 1; index >= Math.max(0, count - MAX_WINDOWS); index--) {
    const window = tree.readUInt32LE(32 + 4 * index);
    const [attributes, geometry] = await Promise.all([
      x.ask(xRequest(3, 0, [window])),
      x.ask(xRequest(14, 0, [window])),
    ]);
    if (attributes === null || geometry === null) continue;
    const isSeen = attributes[26] === VIEWABLE && attributes.readUInt16LE(12) === INPUT_OUTPUT;
    const isServers = clientOf(window) === 0;
    if (!isSeen || isServers) continue;
    const isUnmanaged = attributes[27] === 1 && clientOf(window) !== clientOf(managerWindow);
    if (!isUnmanaged) return 0;
    const isWhole =
      geometry.readInt16LE(12) <= 0 &&
      geometry.readInt16LE(14) <= 0 &&
      geometry.readInt16LE(12) + geometry.readUInt16LE(16) >= screen.width &&
      geometry.readInt16LE(14) + geometry.readUInt16LE(18) >= screen.height;
    if (isWhole) return window;
  }
  return 0;
}
