/** One document whose last field is a list, an item a line, written as it is read. */
export async function writeDocument(
  head: object,
  list: string,
  items: AsyncIterable<object>,
  write: (text: string) => void,
): Promise<void> {
  write(`${JSON.stringify(head).slice(0, -1)},${JSON.stringify(list)}:[`);
  let separator = '';
  for await (const item of items) {
    write(`${separator}\n${JSON.stringify(item)}`);
    separator = ',';
  }
  write('\n]}\n');
}
