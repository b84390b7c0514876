import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import { enroll } from '../../src/collector/enroll-command.ts';
import { openIdentity } from '../../src/collector/identity-file.ts';
import { fingerprintOf, makeKeyPair } from '../../src/signing/ed25519.ts';
import { parseEnrolment } from '../../src/signing/enrolment.ts';
import { startCollector, temporaryFolder } from '../collector/support.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { makeCertificate } from '../upload/self-signed.ts';
import { run } from './run.ts';

/** A collector, and a token of it. Its clock is the machine's; that of `run` stands still in another month. */
async function collectorWithToken(options: Parameters<typeof startCollector>[1] = {}) {
  const collector = await startCollector(await temporaryFolder(), options);
  const { dataDir } = collector;
  let written = '';
  await enroll({
    devices: booksInFolder(dataDir, 'read-write', Date.now).devices,
    dataDir,
    collectorKey: async () => (await openIdentity(dataDir)).publicKey,
    wallMs: Date.now,
    write: (text) => (written += text),
    isJson: true,
  });
  const { token } = JSON.parse(written) as { token: string };
  return { ...collector, token };
}

describe('telemetryctl enroll', () => {
  it('makes the device’s key, whatever its clock says, and pins the collector’s', async () => {
    const { url, dataDir, token } = await collectorWithToken();
    const stateDir = tempFolder();
    const outcome = await run(['enroll', url, token, '--json'], { stateDir });
    expect(outcome).toMatchObject({ code: 0, err: '' });
    const file = join(stateDir, 'device-key.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const enrolment = parseEnrolment(JSON.parse(readFileSync(file, 'utf8')));
    const { publicKey } = await openIdentity(dataDir);
    expect(enrolment).toMatchObject({ url, collectorKey: publicKey, ca: null });
    expect(JSON.parse(outcome.out)).toEqual({
      schema: 1,
      url,
      device: enrolment.device,
      key: fingerprintOf(enrolment.keys.publicKey),
      collectorKey: fingerprintOf(publicKey),
    });
    expect(() => statSync(join(stateDir, 'device-key.pending.json'))).toThrow('ENOENT');
    const again = await run(['enroll', url, token], { stateDir: tempFolder() });
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('the token was used')]);
  });

  it('takes the token from a file, unless others can read that', async () => {
    const { url, token } = await collectorWithToken();
    const file = join(tempFolder(), 'token');
    writeFileSync(file, `${token}\n`);
    chmodSync(file, 0o644);
    const open = await run(['enroll', url, '--token-file', file], { stateDir: tempFolder() });
    expect([open.code, open.err]).toEqual([2, expect.stringMatching(/Others can read[^]*Try: chmod 600/)]);
    chmodSync(file, 0o400);
    const closed = await run(['enroll', url, '--token-file', file], { stateDir: tempFolder() });
    expect(closed).toMatchObject({ code: 0, err: '' });
  });

  it('trusts the certificate authority that it is given, and keeps it for the uploader', async () => {
    const folder = tempFolder();
    const { key, cert, certFile } = makeCertificate(folder);
    const tls = { key: Buffer.from(key), cert: Buffer.from(cert) };
    const { url, token } = await collectorWithToken({ tls, isEnrolmentRequired: true });
    expect(url).toMatch(/^https:/);
    const stateDir = tempFolder();
    const unknown = await run(['enroll', url, token], { stateDir });
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('self-signed')]);
    const known = await run(['enroll', url, token, '--ca', certFile], { stateDir });
    expect(known).toMatchObject({ code: 0, err: '' });
    const enrolment = parseEnrolment(JSON.parse(readFileSync(join(stateDir, 'device-key.json'), 'utf8')));
    expect(enrolment.ca).toBe(cert);
  });

  it('keeps nothing of a collector that is not the one that the token names', async () => {
    const { url, token } = await collectorWithToken();
    const [secret] = token.split('.');
    const other = `${secret ?? ''}.${fingerprintOf(makeKeyPair().publicKey)}`;
    const stateDir = tempFolder();
    const outcome = await run(['enroll', url, other], { stateDir });
    expect([outcome.code, outcome.err]).toEqual([
      1,
      expect.stringContaining('is not the collector that made'),
    ]);
    expect(() => statSync(join(stateDir, 'device-key.json'))).toThrow('ENOENT');
  });

  it('uses the key of a try whose answer was lost', async () => {
    const { url, token } = await collectorWithToken();
    const stateDir = tempFolder();
    await run(['enroll', url, token], { stateDir });
    const file = join(stateDir, 'device-key.json');
    const { device, keys } = parseEnrolment(JSON.parse(readFileSync(file, 'utf8')));
    writeFileSync(join(stateDir, 'device-key.pending.json'), JSON.stringify({ url, device, ...keys }));
    const again = await run(['enroll', url, token], { stateDir });
    expect(again).toMatchObject({ code: 0 });
    expect(parseEnrolment(JSON.parse(readFileSync(file, 'utf8'))).keys).toEqual(keys);
  });

  it.each([
    [
      ['enroll', 'http://collector.example.com', `${'a'.repeat(32)}.${'b'.repeat(43)}`],
      12,
      'neither https nor',
    ],
    [['enroll', 'http://127.0.0.1:9', 'short'], 2, 'no token'],
    [['enroll', 'http://127.0.0.1:9'], 2, 'A token is needed'],
    [['enroll', 'http://127.0.0.1:9', 'a', '--token-file', 'b'], 2, 'A token is needed'],
  ])('refuses %j', async (words, code, what) => {
    const outcome = await run(words, { stateDir: tempFolder() });
    expect([outcome.code, outcome.err]).toEqual([code, expect.stringContaining(what)]);
    expect(outcome.err).toContain('Try: ');
  });
});
