import { keyId } from '../../core/keys.ts';

/** Key codes of Linux (`linux/input-event-codes.h`) to W3C codes; those without one count as text. */
const CODES: Readonly<Record<number, string>> = {
  1: 'Escape',
  ...row(2, [
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
  ...row(12, ['Minus', 'Equal', 'Backspace', 'Tab']),
  ...row(16, letters('QWERTYUIOP')),
  ...row(26, ['BracketLeft', 'BracketRight', 'Enter', 'ControlLeft']),
  ...row(30, letters('ASDFGHJKL')),
  ...row(39, ['Semicolon', 'Quote', 'Backquote', 'ShiftLeft', 'Backslash']),
  ...row(44, letters('ZXCVBNM')),
  ...row(51, ['Comma', 'Period', 'Slash', 'ShiftRight', 'NumpadMultiply', 'AltLeft', 'Space', 'CapsLock']),
  ...row(59, ['F1', 'F2', 'F3', 'F4', 'F5', 'F6', 'F7', 'F8', 'F9', 'F10', 'NumLock', 'ScrollLock']),
  ...row(71, [
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
  ]),
  85: 'Lang5',
  ...row(86, [
    'IntlBackslash',
    'F11',
    'F12',
    'IntlRo',
    'Lang3',
    'Lang4',
    'Convert',
    'KanaMode',
    'NonConvert',
  ]),
  ...row(95, ['NumpadComma', 'NumpadEnter', 'ControlRight', 'NumpadDivide', 'PrintScreen', 'AltRight']),
  ...row(102, [
    'Home',
    'ArrowUp',
    'PageUp',
    'ArrowLeft',
    'ArrowRight',
    'End',
    'ArrowDown',
    'PageDown',
    'Insert',
    'Delete',
  ]),
  ...row(113, ['AudioVolumeMute', 'AudioVolumeDown', 'AudioVolumeUp', 'Power', 'NumpadEqual']),
  119: 'Pause',
  ...row(121, ['NumpadComma', 'Lang1', 'Lang2', 'IntlYen', 'MetaLeft', 'MetaRight', 'ContextMenu']),
  ...row(129, ['Again', 'Props', 'Undo']),
  ...row(133, ['Copy', 'Open', 'Paste', 'Find', 'Cut', 'Help']),
  140: 'LaunchApp2',
  142: 'Sleep',
  143: 'WakeUp',
  144: 'LaunchApp1',
  155: 'LaunchMail',
  156: 'BrowserFavorites',
  158: 'BrowserBack',
  159: 'BrowserForward',
  161: 'Eject',
  ...row(163, ['MediaTrackNext', 'MediaPlayPause', 'MediaTrackPrevious', 'MediaStop']),
  172: 'BrowserHome',
  173: 'BrowserRefresh',
  179: 'NumpadParenLeft',
  180: 'NumpadParenRight',
  ...row(183, ['F13', 'F14', 'F15', 'F16', 'F17', 'F18', 'F19', 'F20', 'F21', 'F22', 'F23', 'F24']),
  217: 'BrowserSearch',
  226: 'MediaSelect',
  0x161: 'Select',
  0x1d0: 'Fn',
};

const IDS = new Map(Object.entries(CODES).map(([evdevCode, code]) => [Number(evdevCode), keyId(code)]));

/** The key id of a Linux key code; 0 when it has none. */
export function evdevKeyId(evdevCode: number): number {
  return IDS.get(evdevCode) ?? 0;
}

function letters(text: string): string[] {
  return text.split('').map((letter) => `Key${letter}`);
}

function row(first: number, codes: readonly string[]): Record<number, string> {
  return Object.fromEntries(codes.map((code, index) => [first + index, code]));
}
