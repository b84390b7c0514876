import { randomUUID } from 'node:crypto';
import { type Books, booksInFolder } from '../../../src/collector/books.ts';
import { hashOfSecret } from '../../../src/collector/enrolment-token.ts';
import type { ServeOptions } from '../../../src/collector/serve-command.ts';
import { type RunningCollector, startCollector, temporaryFolder } from '../support.ts';

/** Ada's token. */
export const TOKEN = 'a-token-that-is-right';
/** What nobody wants to see run. */
export const HOSTILE = '<script>document.title="run"</script><b onclick=x>\'"&';
/** Of the request that waits. */
export const REQUEST = '0197f3a0-5c1e-7d4a-9b6f-2f1d8c3e4a5b';

/** A collector with its page, somebody who may sign in, and whatever `fill` puts into its books before. */
export async function startPage(
  fill: (books: Books) => Promise<void> = () => Promise.resolve(),
  page: NonNullable<ServeOptions['page']> = { listen: { host: '127.0.0.1', port: 0 }, tls: null },
): Promise<RunningCollector> {
  const dataDir = await temporaryFolder();
  const books = booksInFolder(dataDir, 'read-write', Date.now);
  const { catalog, devices, exemptions, health, admins } = books;
  const opened = [catalog, devices, exemptions, health, admins];
  for (const book of opened) await book.start();
  await admins.add('Ada Lovelace', hashOfSecret(TOKEN));
  const waiting = {
    id: REQUEST,
    device: randomUUID(),
    scope: `app:${HOSTILE}`,
    reason: Buffer.from('sealed'),
  };
  await exemptions.submit({ ...waiting, askedAtMs: Date.now(), untilMs: Date.now() + 86_400_000 });
  await fill(books);
  for (const book of opened) await book.stop();
  return startCollector(dataDir, { page });
}
