const CODES = { green: 32, yellow: 33, red: 31 } as const;

/** Colours of the terminal's own palette; each stands beside a word that says the same. */
export type Colour = keyof typeof CODES;

/** Colours text where colour is wanted. */
export function paint(text: string, colour: Colour, hasColour: boolean): string {
  return hasColour ? `\u001b[${CODES[colour]}m${text}\u001b[39m` : text;
}
