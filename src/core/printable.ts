/**
 * Text from files and other processes as it may go to a terminal: control characters, which could move the cursor or
 * set a title, are shown as `?`.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
