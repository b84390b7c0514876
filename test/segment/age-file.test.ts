import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateHybridIdentity, identityToRecipient } from 'age-encryption';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import {
  checkRecipient,
  decryptWith,
  encryptFor,
  newIdentity,
  recipientOf,
} from '../../src/segment/age-file.ts';
import { isAgeFile, recipientFingerprint } from '../../src/segment/age-recipient.ts';
import { PROGRAMS } from '../../src/setup/dist.mjs';

const folder = mkdtempSync(join(tmpdir(), 'age-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const owner = await newIdentity();
const team = await newIdentity();
const stranger = await newIdentity();
const content = new TextEncoder().encode('what was recorded');
const hasAge = spawnSync('age', ['--version']).status === 0;

async function failure(work: Promise<unknown>): Promise<TelemetryError> {
  const error: unknown = await work.then(
    () => expect.unreachable('it was read'),
    (reason: unknown) => reason,
  );
  if (error instanceof TelemetryError) return error;
  throw error;
}

function inFolder(name: string, bytes: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('an age file', () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 131_072, 200_001])(
    'gives back %i bytes to any of those it was made for',
    async (size) => {
      const bytes = new Uint8Array(size).map((_, at) => at % 251);
      const file = await encryptFor([owner.recipient, team.recipient], bytes);
      expect(isAgeFile(file)).toBe(true);
      expect(await decryptWith([owner.identity], file)).toEqual(bytes);
      expect(await decryptWith([stranger.identity, team.identity], file)).toEqual(bytes);
    },
  );

  it('is not opened by anyone else, who is told what to do', async () => {
    const file = await encryptFor([owner.recipient], content);
    for (const identities of [[], [stranger.identity], [stranger.identity, team.identity]]) {
      const error = await failure(decryptWith(identities, file));
      expect(error).toMatchObject({ code: 'not-permitted' });
      expect(error.hint).toContain('--identity FILE');
    }
  });

  it('is another one each time, and says nothing of what is in it', async () => {
    const files = await Promise.all([1, 2].map(() => encryptFor([owner.recipient], content)));
    expect(files[0]).not.toEqual(files[1]);
    expect(Buffer.from(files[0] ?? []).includes(Buffer.from(content).subarray(0, 8))).toBe(false);
  });

  it('is refused for nobody', async () => {
    expect(await failure(encryptFor([], content))).toMatchObject({ code: 'failed' });
  });

  it('is made once for a recipient that is named twice', async () => {
    const once = await encryptFor([owner.recipient], content);
    const twice = await encryptFor([owner.recipient, `${owner.recipient}\n`], content);
    expect(twice).toHaveLength(once.length);
  });

  it('may be for a post-quantum recipient', async () => {
    const identity = await generateHybridIdentity();
    const recipient = await identityToRecipient(identity);
    expect(await checkRecipient(recipient)).toBeUndefined();
    const file = await encryptFor([recipient, owner.recipient], content);
    expect(await decryptWith([identity], file)).toEqual(content);
    expect(await decryptWith([owner.identity], file)).toEqual(content);
  });
});

describe('the stock age command', () => {
  it('opens what we encrypt', async ({ skip }) => {
    if (!hasAge) return skip('no age command');
    const bytes = new Uint8Array(150_000).map((_, at) => at % 7);
    const file = inFolder('ours.age', await encryptFor([team.recipient, owner.recipient], bytes));
    const key = inFolder('key.txt', `# a comment\n${owner.identity}\n`);
    const ran = spawnSync('age', ['-d', '-i', key, file]);
    expect(ran.stderr.toString()).toBe('');
    expect(new Uint8Array(ran.stdout)).toEqual(bytes);
  });

  it('makes what we open', async ({ skip }) => {
    if (!hasAge) return skip('no age command');
    const plain = inFolder('plain', content);
    const file = join(folder, 'theirs.age');
    expect(spawnSync('age', ['-r', owner.recipient, '-r', team.recipient, '-o', file, plain]).status).toBe(0);
    expect(await decryptWith([owner.identity], readFileSync(file))).toEqual(content);
  });

  it('makes keys as we do', async ({ skip }) => {
    if (!hasAge) return skip('no age command');
    const key = inFolder('ours.txt', `${owner.identity}\n`);
    expect(spawnSync('age-keygen', ['-y', key]).stdout.toString().trim()).toBe(owner.recipient);
    const [, theirs = ''] = /^(AGE-SECRET-KEY-1.*)$/m.exec(spawnSync('age-keygen').stdout.toString()) ?? [];
    const file = await encryptFor([await recipientOf(theirs)], content);
    expect(await decryptWith([theirs], file)).toEqual(content);
  });
});

describe('a torn or forged age file', () => {
  it('is one clear error wherever it is cut off', async () => {
    const file = await encryptFor([owner.recipient], content);
    for (let size = 0; size < file.length; size++) {
      const error = await failure(decryptWith([owner.identity], file.subarray(0, size)));
      expect({ size, code: error.code }).toEqual({ size, code: 'bad-segment' });
    }
  });

  it('is one clear error whichever byte of it was changed', async () => {
    const file = await encryptFor([owner.recipient], content);
    const headerEnd = file.length - content.length - 32;
    for (let at = 0; at < file.length; at++) {
      const changed = file.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      const { code } = await failure(decryptWith([owner.identity], changed));
      // What is wrong in the part for one recipient looks like a file for others.
      expect(at < headerEnd ? ['bad-segment', 'not-permitted'] : ['bad-segment']).toContain(code);
    }
  });

  it('is an error when its last chunk is missing or something follows it', async () => {
    const file = await encryptFor([owner.recipient], new Uint8Array(2 * 65_536 + 10));
    const cut = file.subarray(0, file.length - 26);
    for (const wrong of [cut, Buffer.concat([file, file.subarray(-26)]), Buffer.concat([file, content])]) {
      expect(await failure(decryptWith([owner.identity], wrong))).toMatchObject({ code: 'bad-segment' });
    }
  });

  it('cannot have a header without end, or of more recipients than a reader has time for', async () => {
    const start = 'age-encryption.org/v1\n';
    const stanza = `-> X25519 ${'A'.repeat(42)}Q\n${'A'.repeat(43)}\n`;
    for (const text of [start + 'x'.repeat(5_000_000), start + stanza.repeat(50_000), start]) {
      const startedMs = performance.now();
      const error = await failure(decryptWith([owner.identity], Buffer.from(text)));
      expect(error).toMatchObject({ code: 'bad-segment' });
      expect(performance.now() - startedMs).toBeLessThan(1000);
    }
  });

  it('is not decrypted beyond the limit', async () => {
    const file = await encryptFor([owner.recipient], new Uint8Array(1000));
    expect(await decryptWith([owner.identity], file, { maxBytes: 1000 })).toHaveLength(1000);
    expect(await failure(decryptWith([owner.identity], file, { maxBytes: 999 }))).toMatchObject({
      code: 'bad-segment',
    });
  });
});

describe('keys', () => {
  it('are checked as recipients: form, checksum, and whether anything can be encrypted for them', async () => {
    expect(await checkRecipient(owner.recipient)).toBeUndefined();
    const zeros = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z';
    for (const wrong of [
      '',
      'age1',
      'age1abc',
      `${owner.recipient.slice(0, -1)}x`,
      zeros,
      'ssh-ed25519 AAAA',
    ]) {
      expect(await checkRecipient(wrong)).toContain('not an age recipient');
    }
    expect(await checkRecipient(owner.identity)).toContain('a secret key');
  });

  it('are never repeated in an error, whole or in part', async () => {
    const file = await encryptFor([owner.recipient], content);
    const mistyped = `${owner.identity.slice(0, -3)}QQQ`;
    for (const wrong of [
      mistyped,
      owner.identity.toLowerCase(),
      'AGE-SECRET-KEY-1',
      'AGE-PLUGIN-YUBIKEY-1Q',
    ]) {
      const errors = [await failure(decryptWith([wrong], file)), await failure(recipientOf(wrong))];
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'usage' });
        const all = `${error.message} ${error.hint} ${String(error.cause)}`;
        expect(all.toUpperCase()).not.toContain(owner.identity.slice(16, 30));
      }
    }
  });

  it('have a short fingerprint, the same however the key is written', () => {
    const fingerprint = recipientFingerprint(owner.recipient);
    expect(fingerprint).toMatch(/^[0-9a-f]{4}(-[0-9a-f]{4}){3}$/);
    expect(recipientFingerprint(` ${owner.recipient.toUpperCase()}\n`)).toBe(fingerprint);
    expect(recipientFingerprint(team.recipient)).not.toBe(fingerprint);
  });
});

describe('the age library', () => {
  async function sourcesOf(program: string): Promise<string[]> {
    const { metafile } = await build({
      absWorkingDir: join(import.meta.dirname, '../..'),
      entryPoints: [PROGRAMS[program] ?? ''],
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['uiohook-napi', 'fastify', 'msgpackr-extract'],
      outdir: folder,
      metafile: true,
      write: false,
      logLevel: 'error',
    });
    return Object.keys(metafile.inputs);
  }
  const LARGE = /node_modules\/(age-encryption|@noble|hyparquet)/;

  it.each(['telemetryd', 'capture-child', 'telemetry-uploader', 'telemetry-collector'])(
    'is in nothing that %s loads, and neither is the Parquet writer',
    async (program) => {
      expect((await sourcesOf(program)).filter((source) => LARGE.test(source))).toEqual([]);
    },
  );

  it('is in the library and in telemetryctl', async () => {
    for (const program of ['segment', 'telemetryctl']) {
      expect((await sourcesOf(program)).some((source) => LARGE.test(source))).toBe(true);
    }
  });
});
