import { randomUUID } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import type { ExemptionBook } from '../../src/collector/exemption-book.ts';
import { sealReason } from '../../src/privacy/exemption-reason.ts';
import { newIdentity } from '../../src/segment/age-file.ts';
import { exemptionContract, newAsk } from './exemption-contract.ts';
import {
  errorCode,
  COLLECTOR_PROGRAM as PROGRAM,
  runProgram,
  startCollector,
  temporaryFolder,
} from './support.ts';

const CANARY = 'canary: my doctor calls on Tuesdays';

async function opened(dataDir: string, wallMs: () => number): Promise<ExemptionBook> {
  const book = booksInFolder(dataDir, 'read-write', wallMs).exemptions;
  await book.start();
  onTestFinished(() => book.stop());
  return book;
}

describe('the exemption book in SQLite', () => {
  exemptionContract(async (wallMs) => opened(await temporaryFolder(), wallMs));

  it('lets nobody change or shorten the audit trail', async () => {
    const dataDir = await temporaryFolder();
    const book = await opened(dataDir, () => 1);
    await book.submit(newAsk());
    const file = join(dataDir, 'exemptions.sqlite');
    const db = new DatabaseSync(file);
    onTestFinished(() => db.close());
    expect(() => db.exec("UPDATE exemption_audit SET by = 'someone else'")).toThrow('only ever appended');
    expect(() => db.exec('DELETE FROM exemption_audit')).toThrow('only ever appended');
  });

  it('leaves nothing of an erased reason in its files, which only their owner can read', async () => {
    const dataDir = await temporaryFolder();
    const file = join(dataDir, 'exemptions.sqlite');
    let wallMs = 1;
    const book = await opened(dataDir, () => wallMs);
    const ask = newAsk({ reason: new TextEncoder().encode(CANARY) });
    await book.submit(ask);
    await book.decide(ask.id, { verdict: 'denied', by: 'Grace', reason: 'no canary either' });
    const bytes = () => readFileSync(file, 'latin1') + readFileSync(`${file}-wal`, 'latin1');
    expect(bytes()).toContain('canary: my doctor');
    wallMs += 31 * 86_400_000;
    await book.eraseOldReasons();
    expect(bytes()).not.toContain('canary');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('POST exemptions', () => {
  async function post(url: string, device: string, body: unknown) {
    const response = await fetch(`${url}/v1/devices/${device}/exemptions`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.text() };
  }
  const device = randomUUID();
  const asked = (fields: object = {}) => ({
    request: randomUUID(),
    scope: 'all',
    askedAt: '2026-11-24T14:00:00.000Z',
    until: '2026-12-01T14:00:00.000Z',
    ...fields,
  });

  it('keeps a request, says so, and later tells what became of it', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const body = asked();
    const first = await post(url, device, body);
    expect([first.status, JSON.parse(first.body)]).toEqual([
      201,
      { request: body.request, state: 'pending', by: '', reason: '', decidedAt: null },
    ]);
    expect((await post(url, device, body)).status).toBe(200);
    const by = ['--by', 'Ada Lovelace', '--data', dataDir];
    const denied = await runProgram(PROGRAM, [
      'exemptions',
      'deny',
      body.request,
      '--reason',
      'not now',
      ...by,
    ]);
    expect([denied.code, denied.stderr]).toEqual([0, '']);
    expect(JSON.parse((await post(url, device, body)).body)).toMatchObject({
      request: body.request,
      state: 'denied',
      by: 'Ada Lovelace',
      reason: 'not now',
    });
    const again = await runProgram(PROGRAM, ['exemptions', 'approve', body.request, ...by]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/is denied by Ada Lovelace .*; nothing was changed\nTry: .+\n$/);
    const back = await post(url, device, { ...body, withdrawn: true });
    expect(JSON.parse(back.body)).toMatchObject({ state: 'denied' });
  });

  it('refuses what is no request, and a reason that is not encrypted, with nothing kept', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const refused = [
      [device, 'hello', 400],
      [device, [], 400],
      ['laptop', asked(), 400],
      [device, asked({ request: 'x' }), 400],
      [device, asked({ scope: 'everything' }), 400],
      [device, asked({ until: 'tomorrow' }), 400],
      [device, asked({ reason: Buffer.from(CANARY).toString('base64') }), 400],
      [device, asked({ reason: 'x'.repeat(80_000) }), 400],
    ] as const;
    for (const [from, body, status] of refused) {
      const reply = await post(url, from, body);
      expect([reply.status, errorCode(reply) !== '']).toEqual([status, true]);
    }
    const list = await runProgram(PROGRAM, ['exemptions', 'list', '--data', dataDir]);
    expect(list.stdout).toBe('no requests\n');
  });

  it('answers 409 to another request of the same id', async () => {
    const { url } = await startCollector(await temporaryFolder());
    const body = asked();
    await post(url, device, body);
    expect((await post(url, randomUUID(), body)).status).toBe(409);
  });
});

describe('telemetry-collector exemptions', () => {
  it('shows a reason only to whoever has the key, and the trail to whoever asks', async () => {
    const dataDir = await temporaryFolder();
    const book = await opened(dataDir, Date.now);
    const deciders = await newIdentity();
    const keyFile = join(dataDir, 'deciders.txt');
    writeFileSync(keyFile, `${deciders.identity}\n`, { mode: 0o600 });
    const wrongKey = join(dataDir, 'wrong.txt');
    writeFileSync(wrongKey, `${(await newIdentity()).identity}\n`, { mode: 0o600 });
    const reason = Buffer.from(await sealReason([deciders.recipient], CANARY), 'base64');
    const { id, device } = newAsk();
    await book.submit(newAsk({ id, device, scope: 'app:Mail', reason }));
    const show = (...more: string[]) =>
      runProgram(PROGRAM, ['exemptions', 'show', id, '--data', dataDir, ...more]);

    const closed = await show();
    expect(closed.stdout).toContain('encrypted; --identity FILE opens it');
    expect(closed.stdout).not.toContain('canary');
    const open = await show('--identity', keyFile);
    expect([open.code, open.stderr]).toEqual([0, '']);
    expect(open.stdout).toContain(CANARY);
    for (const line of open.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const wrong = await show('--identity', wrongKey);
    expect([wrong.code, wrong.stdout]).toEqual([11, '']);
    expect(wrong.stderr).toMatch(/encrypted for others.*\nTry: .+\n$/);

    const approved = await runProgram(PROGRAM, [
      ...['exemptions', 'approve', id, '--by', 'Ada', '--json', '--data', dataDir],
    ]);
    expect(JSON.parse(approved.stdout)).toMatchObject({ schema: 1, id, state: 'approved', decidedBy: 'Ada' });
    expect(JSON.parse((await show('--json', '--identity', keyFile)).stdout)).toMatchObject({
      device,
      scope: 'app:Mail',
      reason: CANARY,
      audit: [
        { action: 'asked', by: 'person' },
        { action: 'approved', by: 'Ada' },
      ],
    });
    const list = await runProgram(PROGRAM, ['exemptions', 'list', '--state', 'approved', '--data', dataDir]);
    expect(list.stdout).toMatch(new RegExp(`^request .*\n${id}  approved  .*  app:Mail\n$`));
  });

  it.each([
    [['deny', randomUUID(), '--by', 'Ada'], 'a denial needs a reason'],
    [['approve', randomUUID()], '--by'],
    [['approve', randomUUID(), '--by', ' '], '--by needs text'],
    [['approve', 'x', '--by', 'Ada'], 'not the id of a request'],
    [['list', '--state', 'open'], 'is not a state'],
    [['deny', randomUUID(), '--by', 'Ada', '--reason', 'a\u001b[2J'], '--reason needs text'],
  ])('refuses %j with exit code 2 and something to try', async (words, what) => {
    const dataDir = await temporaryFolder();
    const { code, stdout, stderr } = await runProgram(PROGRAM, ['exemptions', ...words, '--data', dataDir]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(what);
    expect(stderr).toMatch(/Try: .+\n$/);
  });

  it('says that there is no such request, and reads a folder without any', async () => {
    const dataDir = await temporaryFolder();
    const missing = await runProgram(PROGRAM, ['exemptions', 'show', randomUUID(), '--data', dataDir]);
    expect([missing.code, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toMatch(/there is no request .*\nTry: .+\n$/);
    const list = await runProgram(PROGRAM, ['exemptions', 'list', '--json', '--data', dataDir]);
    expect(JSON.parse(list.stdout)).toEqual({ schema: 1, exemptions: [] });
  });
});
