/** What became of a message: it is on the desktop, it waits for one, or there is none to show it on. */
export type Shown = 'shown' | 'waiting' | 'no-desktop';

/** Tells the person something on their desktop. */
export interface Notifier {
  /** Shows a message in place of the last one; `told` is called whenever what became of it changes. */
  notify(summary: string, body: string, told: (shown: Shown) => void): void;
  /** Takes back a message that still waits: it is not true any more. */
  withdraw(): void;
}
