import type { KeyClass } from './events.ts';

/**
 * Key ids of the segment format: the position in this list plus one; 0 means masked. Append only, never reorder.
 * Names are W3C UI Events `code` values (https://www.w3.org/TR/uievents-code/): a key's place on the keyboard,
 * whatever the layout prints on it.
 */
export const KEY_CODES: readonly string[] = [
  // 1-26 letters, 27-36 digits: type text.
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('').map((letter) => `Key${letter}`),
  ...'0123456789'.split('').map((digit) => `Digit${digit}`),
  // 37-52 other keys that type text.
  'Backquote',
  'Minus',
  'Equal',
  'BracketLeft',
  'BracketRight',
  'Backslash',
  'Semicolon',
  'Quote',
  'Comma',
  'Period',
  'Slash',
  'Space',
  'IntlBackslash',
  'IntlRo',
  'IntlYen',
  'IntlHash',
  // 53-57 editing.
  'Enter',
  'Tab',
  'Backspace',
  'Delete',
  'Insert',
  // 58-65 navigation.
  'ArrowLeft',
  'ArrowRight',
  'ArrowUp',
  'ArrowDown',
  'Home',
  'End',
  'PageUp',
  'PageDown',
  // 66-94 function keys.
  'Escape',
  ...Array.from({ length: 24 }, (_, i) => `F${i + 1}`),
  'PrintScreen',
  'ScrollLock',
  'Pause',
  'ContextMenu',
  // 95-105 modifiers.
  'ShiftLeft',
  'ShiftRight',
  'ControlLeft',
  'ControlRight',
  'AltLeft',
  'AltRight',
  'MetaLeft',
  'MetaRight',
  'CapsLock',
  'NumLock',
  'Fn',
  // 106- number pad.
  'Numpad0',
  'Numpad1',
  'Numpad2',
  'Numpad3',
  'Numpad4',
  'Numpad5',
  'Numpad6',
  'Numpad7',
  'Numpad8',
  'Numpad9',
  'NumpadAdd',
  'NumpadSubtract',
  'NumpadMultiply',
  'NumpadDivide',
  'NumpadDecimal',
  'NumpadEnter',
  'NumpadEqual',
  'NumpadComma',
  'NumpadParenLeft',
  'NumpadParenRight',
  // Input methods.
  'Convert',
  'NonConvert',
  'KanaMode',
  'Lang1',
  'Lang2',
  'Lang3',
  'Lang4',
  'Lang5',
  // Media and system keys.
  'AudioVolumeMute',
  'AudioVolumeDown',
  'AudioVolumeUp',
  'MediaPlayPause',
  'MediaStop',
  'MediaTrackNext',
  'MediaTrackPrevious',
  'MediaSelect',
  'BrowserBack',
  'BrowserForward',
  'BrowserRefresh',
  'BrowserStop',
  'BrowserSearch',
  'BrowserFavorites',
  'BrowserHome',
  'LaunchMail',
  'LaunchApp1',
  'LaunchApp2',
  'Power',
  'Sleep',
  'WakeUp',
  'Eject',
  'Help',
  'Undo',
  'Cut',
  'Copy',
  'Paste',
  'Find',
  'Again',
  'Props',
  'Select',
  'Open',
];

const IDS = new Map<string, number>(KEY_CODES.map((code, index) => [code, index + 1]));

/** The id of a W3C code, 0 when the list does not have it. */
export function keyId(code: string): number {
  return IDS.get(code) ?? 0;
}

/** The W3C code of an id, `undefined` for 0 and for ids of a newer version. */
export function keyCode(id: number): string | undefined {
  return KEY_CODES[id - 1];
}

const EDIT = new Set(['Enter', 'Tab', 'Backspace', 'Delete', 'Insert']);
const NAVIGATION = new Set([
  'ArrowLeft',
  'ArrowRight',
  'ArrowUp',
  'ArrowDown',
  'Home',
  'End',
  'PageUp',
  'PageDown',
]);
const FUNCTION =
  /^(F\d+|Escape|PrintScreen|ScrollLock|Pause|ContextMenu|Audio.*|Media.*|Browser.*|Launch.*|Power|Sleep|WakeUp|Eject|Help|Undo|Cut|Copy|Paste|Find|Again|Props|Select|Open)$/;
const MODIFIER = /^(Shift|Control|Alt|Meta)(Left|Right)$|^(CapsLock|NumLock|Fn)$/;

/**
 * The class of a key by its place alone. Whatever types text or could (number pad, input methods, unknown keys) is
 * `text`: in doubt a key is text, since text is what gets masked.
 */
export function keyClassOf(id: number): KeyClass {
  return CLASSES[id] ?? 'text';
}

const CLASSES: readonly KeyClass[] = ['text', ...KEY_CODES.map(classOfCode)];

function classOfCode(code: string): KeyClass {
  if (EDIT.has(code)) return 'edit';
  if (NAVIGATION.has(code)) return 'navigation';
  if (MODIFIER.test(code)) return 'modifier';
  if (FUNCTION.test(code)) return 'function';
  return 'text';
}
