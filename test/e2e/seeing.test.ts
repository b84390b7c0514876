import { execFile } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GENESIS, type LedgerFact, linkEntry } from '../../src/privacy/ledger-entry.ts';
import { Desk, until } from './desk.ts';

/** What was typed; none of its letters may show anywhere. */
const CANARY = 'zanzibar';

describe('seeing everything', () => {
  const desk = new Desk();

  beforeAll(async () => {
    await desk.startRecording({ segment: { roll: '"3s"' } });
  });

  afterAll(async () => {
    await desk.close();
  });

  it('shows what was just typed and clicked as a timeline, and of the text no letter', async () => {
    await desk.display.input(
      'mousemove 100 100',
      'mousemove 300 200',
      'click 1',
      `type ${CANARY}`,
      'key ctrl+c',
    );
    const page = await until('it to be in the timeline', async () => {
      const { stdout } = await desk.ctl('inspect', '--since', '10m');
      return /by name: .*Ctrl\+C 1/.test(stdout) && stdout;
    });
    expect(page).toMatch(new RegExp(`${CANARY.length} presses? kept as a class alone: .*\\btext`));
    expect(page).toMatch(/^ {2}\d\d:\d\d:\d\d +#+ /m);
    expect(page.toLowerCase()).not.toContain(CANARY);
    await desk.sendAll();
    // The same from what was sent and kept.
    expect(await desk.ok('inspect', '--since', '10m')).toMatch(/sent and kept for you[^]*Ctrl\+C 1/);
  });

  it('fits a prompt, and pauses until a time of day', async () => {
    expect(await desk.ok('status', '--short')).toBe('capturing\n');
    const soon = new Date(Date.now() + 20 * 60_000);
    const time = [soon.getHours(), soon.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
    expect(await desk.ok('pause', '--until', time)).toContain(`Paused until ${time}`);
    expect(await desk.ok('status', '--short')).toMatch(/^paused \d+ min\n$/);
    expect((await desk.status()).collection.until).toMatch(/:00\.\d{3}Z$/);
    const late = new Date(Date.now() - 60_000);
    const gone = [late.getHours(), late.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
    const refused = await desk.ctl('pause', '--until', gone);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('30m');
    await desk.ok('resume');
    await desk.waitFor('capture to go on', ({ collection }) => collection.state === 'capturing');
    // Who resumes by hand need not be told. No desktop here: status says what a notification would.
    expect((await desk.status()).announcement).toMatchObject({ what: 'began', shown: 'no-desktop' });
    await desk.ok('pause', '1s');
    await desk.waitFor(
      'to be told that the pause has ended',
      ({ announcement }) => announcement?.what === 'resumed',
    );
  });

  it('is a page of one file that names what was kept', async () => {
    const file = (await desk.ok('report', '--since', '1d')).trim();
    const page = readFileSync(file, 'utf8');
    expect(page).toMatch(/Every name that was kept:<\/b> .*Ctrl\+C \(1\)/);
    expect(page).toContain('class="s-capturing"');
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|https?:\/\/(?!127\.0\.0\.1)/);
    expect(page.toLowerCase()).not.toContain(CANARY);
  });

  it('finds out when the whole record is rewritten, though its chain is sound', async () => {
    await desk.daemon?.stop();
    expect(await desk.ok('log', 'verify')).toMatch(/^Intact/);
    const file = path.join(desk.stateDir, 'ledger.jsonl');
    const entries = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LedgerFact & { at: string });
    let prev = GENESIS;
    const forged = entries
      .filter(({ type }) => type !== 'consent')
      .map((entry, index) => {
        const { at, ...fact } = Object.fromEntries(
          Object.entries(entry).filter(([name]) => !['seq', 'prev', 'hash'].includes(name)),
        ) as LedgerFact & { at: string };
        const forgery = linkEntry(fact, index + 1, at, prev);
        prev = forgery.hash;
        return `${JSON.stringify(forgery)}\n`;
      });
    renameSync(file, `${file}.true`);
    writeFileSync(file, forged.join(''), { mode: 0o600 });
    const verified = await desk.ctl('log', 'verify', '--json');
    expect(verified.code).toBe(1);
    const { brokenAt, missingHeads } = JSON.parse(verified.stdout) as {
      brokenAt: null;
      missingHeads: object[];
    };
    expect(brokenAt).toBeNull();
    expect(missingHeads.length).toBeGreaterThan(0);
    // The collector has one too, for when nothing here tells any more.
    const listed = JSON.parse(await collectorList(desk)) as { segments: { ledgerHead: string }[] };
    const head = listed.segments.at(-1)?.ledgerHead ?? '';
    expect((await desk.ctl('log', 'verify', '--head', head, '--json')).stdout).toContain(head);
  });
});

async function collectorList(desk: Desk): Promise<string> {
  const program = path.join(import.meta.dirname, '../../bin/telemetry-collector');
  return (await promisify(execFile)(program, ['ls', '--json', '--data', desk.dataDir])).stdout;
}
