import type { Screen } from '../../../core/capture.ts';
import type { XConnection, XExtension } from './x-connection.ts';
import { xRequest } from './x-request.ts';

/** Minor opcodes (RandR protocol 1.5). */
const REQUEST = { queryVersion: 0, selectInput: 4, getCrtcInfo: 20, getScreenResourcesCurrent: 25 } as const;
/** `RRScreenChangeNotifyMask` and `RRCrtcChangeNotifyMask`. */
const CHANGES = 1 | 2;
/** Rotations by a quarter turn, left and right: width and height of the mode change places. */
const QUARTER_TURNS = 2 | 8;
const MODE_BYTES = 32;
const GET_GEOMETRY = 14;

/** The monitors of an X display, now and whenever they change. */
export class XScreens {
  readonly #x: XConnection;
  #extension: XExtension | null = null;

  constructor(x: XConnection) {
    this.#x = x;
  }

  /** Has the server tell changes; without RandR 1.3 there are none to tell. */
  async watch(): Promise<void> {
    const extension = await this.#x.extension('RANDR');
    if (extension === null) return;
    // Servers hide from a client what is newer than what it asked for.
    const version = await this.#x.ask(xRequest(extension.majorOpcode, REQUEST.queryVersion, [1, 5]));
    if (version === null || version.readUInt32LE(8) !== 1 || version.readUInt32LE(12) < 3) return;
    this.#extension = extension;
    const { rootWindow } = this.#x.setup;
    this.#x.send(xRequest(extension.majorOpcode, REQUEST.selectInput, [rootWindow, CHANGES]));
  }

  /** The stamp of a change when the event of this type tells one, else `null`. */
  changeOf(type: number, bytes: Buffer, offset: number): number | null {
    const first = this.#extension?.firstEvent;
    if (first === undefined) return null;
    // RRScreenChangeNotify, or RRNotify with subcode 0 (a CRTC); both have their stamp at the same place.
    if (type !== first && !(type === first + 1 && bytes[offset + 1] === 0)) return null;
    return bytes.readUInt32LE(offset + 4);
  }

  /** What there is now; the whole X screen where the server does not tell monitors apart. */
  async read(): Promise<readonly Screen[]> {
    const monitors = this.#extension === null ? [] : await this.#monitors(this.#extension);
    return monitors.length > 0 ? monitors : [await this.#wholeScreen()];
  }

  async #monitors({ majorOpcode }: XExtension): Promise<readonly Screen[]> {
    const resources = await this.#x.ask(
      xRequest(majorOpcode, REQUEST.getScreenResourcesCurrent, [this.#x.setup.rootWindow]),
    );
    if (resources === null) return [];
    const stamp = resources.readUInt32LE(12);
    const crtcs = resources.readUInt16LE(16);
    const outputs = resources.readUInt16LE(18);
    const sizes = modeSizes(resources, 32 + 4 * (crtcs + outputs), resources.readUInt16LE(20));
    const replies = await Promise.all(
      Array.from({ length: crtcs }, (_, index) =>
        this.#x.ask(
          xRequest(majorOpcode, REQUEST.getCrtcInfo, [resources.readUInt32LE(32 + 4 * index), stamp]),
        ),
      ),
    );
    const screens = replies.flatMap((reply) => (reply === null ? [] : screenOf(reply, sizes)));
    // Two that show the same are one screen.
    return screens.filter(
      (screen, index) => screens.findIndex((other) => isSamePlace(screen, other)) === index,
    );
  }

  async #wholeScreen(): Promise<Screen> {
    const { rootWindow, screen } = this.#x.setup;
    const reply = await this.#x.ask(xRequest(GET_GEOMETRY, 0, [rootWindow]));
    if (reply === null) return screen;
    return { ...screen, width: reply.readUInt16LE(16), height: reply.readUInt16LE(18) };
  }
}

function modeSizes(resources: Buffer, offset: number, count: number): Map<number, { w: number; h: number }> {
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const at = offset + MODE_BYTES * index;
      return [
        resources.readUInt32LE(at),
        { w: resources.readUInt16LE(at + 4), h: resources.readUInt16LE(at + 6) },
      ];
    }),
  );
}

/** One CRTC as a screen; none when it shows nothing. */
function screenOf(reply: Buffer, sizes: ReadonlyMap<number, { w: number; h: number }>): Screen[] {
  const mode = sizes.get(reply.readUInt32LE(20));
  const [width, height] = [reply.readUInt16LE(16), reply.readUInt16LE(18)];
  if (mode === undefined || width === 0 || height === 0) return [];
  const isTurned = (reply.readUInt16LE(24) & QUARTER_TURNS) !== 0;
  // A transform (`xrandr --scale`) makes the desktop larger or smaller than the mode that shows it.
  const scale = (isTurned ? mode.h : mode.w) / width;
  return [{ x: reply.readInt16LE(12), y: reply.readInt16LE(14), width, height, scale: rounded(scale) }];
}

function rounded(scale: number): number {
  return Math.round(scale * 1000) / 1000;
}

function isSamePlace(a: Screen, b: Screen): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
