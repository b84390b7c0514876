import { keyId } from '../../core/keys.ts';

/**
 * libuiohook's virtual key codes (`VC_*` in `uiohook.h`) to W3C codes. They are the scan codes of the PC keyboard's
 * set 1, with 0x0E00 or 0xE000 for its extended keys, 0xEE00 for the number pad with Num Lock off, and 0xFF00 for keys
 * of Sun keyboards.
 *
 * What is not here has no id and counts as text. Verified by pressing every X key code from 9 to 254 under Xvfb: all
 * arrive as listed but for those in {@link X11_CORRECTIONS} and those the hook has no code for (0): the key between left
 * Shift and Z, `IntlRo`, Japanese and Korean keys, `NumpadComma`, and media keys.
 */
const CODES: Readonly<Record<number, string>> = {
  0x0001: 'Escape',
  ...row(0x0002, [
    'Digit1',
    'Digit2',
    'Digit3',
    'Digit4',
    'Digit5',
    'Digit6',
    'Digit7',
    'Digit8',
    'Digit9',
    'Digit0',
  ]),
  ...row(0x000c, ['Minus', 'Equal', 'Backspace', 'Tab']),
  ...row(0x0010, letters('QWERTYUIOP')),
  ...row(0x001a, ['BracketLeft', 'BracketRight', 'Enter', 'ControlLeft']),
  ...row(0x001e, letters('ASDFGHJKL')),
  ...row(0x0027, ['Semicolon', 'Quote', 'Backquote', 'ShiftLeft', 'Backslash']),
  ...row(0x002c, letters('ZXCVBNM')),
  ...row(0x0033, [
    'Comma',
    'Period',
    'Slash',
    'ShiftRight',
    'NumpadMultiply',
    'AltLeft',
    'Space',
    'CapsLock',
  ]),
  ...row(0x003b, ['F1', 'F2', 'F3', 'F4', 'F5', 'F6', 'F7', 'F8', 'F9', 'F10', 'NumLock', 'ScrollLock']),
  ...numberPad(0x0000),
  ...row(0x0057, ['F11', 'F12']),
  ...row(0x005b, ['F13', 'F14', 'F15']),
  ...row(0x0063, ['F16', 'F17', 'F18', 'F19', 'F20', 'F21', 'F22', 'F23', 'F24']),
  0x0070: 'Lang3',
  0x0073: 'IntlRo',
  0x0079: 'Convert',
  0x007b: 'Lang4',
  0x007d: 'IntlYen',
  0x007e: 'NumpadComma',
  0x0e0d: 'NumpadEqual',
  0x0e1c: 'NumpadEnter',
  0x0e1d: 'ControlRight',
  0x0e35: 'NumpadDivide',
  0x0e37: 'PrintScreen',
  0x0e38: 'AltRight',
  0x0e45: 'Pause',
  0x0e46: 'IntlBackslash',
  0x0e47: 'Home',
  0x0e49: 'PageUp',
  0x0e4f: 'End',
  0x0e51: 'PageDown',
  0x0e52: 'Insert',
  0x0e53: 'Delete',
  0x0e5b: 'MetaLeft',
  0x0e5c: 'MetaRight',
  0x0e5d: 'ContextMenu',
  0xe010: 'MediaTrackPrevious',
  0xe019: 'MediaTrackNext',
  0xe020: 'AudioVolumeMute',
  0xe021: 'LaunchApp2',
  0xe022: 'MediaPlayPause',
  0xe024: 'MediaStop',
  0xe02c: 'Eject',
  0xe02e: 'AudioVolumeDown',
  0xe030: 'AudioVolumeUp',
  0xe032: 'BrowserHome',
  0xe048: 'ArrowUp',
  0xe04b: 'ArrowLeft',
  0xe04d: 'ArrowRight',
  0xe050: 'ArrowDown',
  0xe05e: 'Power',
  0xe05f: 'Sleep',
  0xe063: 'WakeUp',
  0xe065: 'BrowserSearch',
  0xe066: 'BrowserFavorites',
  0xe067: 'BrowserRefresh',
  0xe068: 'BrowserStop',
  0xe069: 'BrowserForward',
  0xe06a: 'BrowserBack',
  0xe06c: 'LaunchMail',
  0xe06d: 'MediaSelect',
  ...numberPad(0xee00),
  0xff74: 'Open',
  0xff75: 'Help',
  0xff76: 'Props',
  0xff79: 'Again',
  0xff7a: 'Undo',
  0xff7b: 'Cut',
  0xff7c: 'Copy',
  0xff7d: 'Paste',
  0xff7e: 'Find',
};

const IDS = new Map(Object.entries(CODES).map(([virtualCode, code]) => [Number(virtualCode), keyId(code)]));

/** Two rows of the hook's X11 table are off by some keys: what it calls mail and play are these two. */
const X11_CORRECTIONS = new Map([
  [0xe06c, keyId('BrowserBack')],
  [0xe022, keyId('BrowserForward')],
  // On X the key of code 226, which has no W3C code; on macOS it is what it says.
  [0x0e46, 0],
  // The scroll-down key of few keyboards, which has no W3C code.
  [0xe032, 0],
]);

/** The key id of a libuiohook code; 0 when it has none. `platform` as in `process.platform`. */
export function uiohookKeyId(virtualCode: number, platform: string): number {
  const corrected = platform === 'darwin' ? undefined : X11_CORRECTIONS.get(virtualCode);
  return corrected ?? IDS.get(virtualCode) ?? 0;
}

function numberPad(prefix: number): Record<number, string> {
  return row(0x0047 | prefix, [
    'Numpad7',
    'Numpad8',
    'Numpad9',
    'NumpadSubtract',
    'Numpad4',
    'Numpad5',
    'Numpad6',
    'NumpadAdd',
    'Numpad1',
    'Numpad2',
    'Numpad3',
    'Numpad0',
    'NumpadDecimal',
  ]);
}

function letters(text: string): string[] {
  return text.split('').map((letter) => `Key${letter}`);
}

function row(first: number, codes: readonly string[]): Record<number, string> {
  return Object.fromEntries(codes.map((code, index) => [first + index, code]));
}
