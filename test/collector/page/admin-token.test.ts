import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addAdmin, listAdmins, revokeAdmin } from '../../../src/collector/admin-command.ts';
import { booksInFolder } from '../../../src/collector/books.ts';
import { hashOfSecret } from '../../../src/collector/enrolment-token.ts';
import { temporaryFolder } from '../support.ts';

function desk(dataDir: string, isJson = false) {
  const written: string[] = [];
  const { admins } = booksInFolder(dataDir, 'read-write', () => Date.parse('2026-11-26T10:00:00Z'));
  return { admins, dataDir, isJson, write: (text: string) => void written.push(text), written };
}

describe('telemetry-collector admin-token', () => {
  it('makes a token that is shown once, of which only the hash is kept, until it is revoked', async () => {
    const dataDir = await temporaryFolder();
    const added = desk(dataDir, true);
    await addAdmin(' Ada Lovelace ', added);
    const { name, token } = JSON.parse(added.written.join('')) as { name: string; token: string };
    expect([name, token]).toEqual(['Ada Lovelace', expect.stringMatching(/^[\w-]{32}$/)]);
    const book = desk(dataDir).admins;
    await book.start();
    expect(await book.find(hashOfSecret(token))).toMatchObject({ name: 'Ada Lovelace' });
    await book.stop();
    expect((await readFile(join(dataDir, 'fleet.sqlite'))).includes(token)).toBe(false);
    await expect(addAdmin('Ada Lovelace', desk(dataDir))).rejects.toThrow('Ada Lovelace has a token');
    const listed = desk(dataDir);
    await listAdmins(listed);
    expect(listed.written).toEqual(['2026-11-26  Ada Lovelace\n']);
    await revokeAdmin('Ada Lovelace', desk(dataDir));
    await expect(revokeAdmin('Ada Lovelace', desk(dataDir))).rejects.toThrow('nobody has a token');
    const none = desk(dataDir);
    await listAdmins(none);
    expect(none.written).toEqual(['nobody has a token\n']);
  });

  it.each(['', ' ', 'x'.repeat(101), 'a\u001b[2J'])('refuses %j as a name', async (name) => {
    await expect(addAdmin(name, desk(await temporaryFolder()))).rejects.toThrow('a name is at most');
  });
});
