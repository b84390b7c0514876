import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exemptionPage, exemptionWords } from '../../src/cli/text/exemption-page.ts';
import { statusPage } from '../../src/cli/text/status-page.ts';
import { explain, whyPage } from '../../src/cli/text/why.ts';
import { spanArgument } from '../../src/cli/until-argument.ts';
import type { ExemptRequest } from '../../src/control/protocol.ts';
import { requestExemption } from '../../src/core/exemption.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { openReason, sealReason } from '../../src/privacy/exemption-reason.ts';
import { ensureOwnerIdentity, readOwnerIdentities } from '../../src/privacy/owner-identity.ts';
import { newIdentity } from '../../src/segment/age-file.ts';
import { writeExemptions } from '../../src/spool/exemptions-file.ts';
import { APPROVED, CAPTURING, DENIED, handlers, PENDING } from '../control/reports.ts';
import { startServer, temporaryFolder } from '../control/sockets.ts';
import { NOW, run } from './run.ts';

process.env['TZ'] = 'UTC';
const DAY_MS = 86_400_000;
const CANARY = 'canary: my doctor calls on Tuesdays';

/** A daemon that writes down what it is asked, under a policy with these deciders. */
async function daemon(recipients: readonly string[] = []) {
  const stateDir = temporaryFolder();
  const asked: ExemptRequest[] = [];
  const { path: socket } = await startServer(
    handlers({
      policy: () => ({
        policy: { ...DEFAULT_POLICY, exemptions: { whilePending: 'withhold', recipients } },
        id: '5e6f',
        source: 'defaults',
        origins: {},
        problems: [],
      }),
      exempt: (request) => {
        asked.push(request);
        return { ...PENDING, scope: request.scope };
      },
    }),
  );
  return { asked, given: { stateDir, env: { TELEMETRYD_SOCKET: socket } } };
}

describe('exempt request', () => {
  it('takes its answers as options and never waits for one without a terminal', async () => {
    const { asked, given } = await daemon();
    const full = await run(
      ['exempt', 'request', '--scope', 'app:Signal', '--until', '2026-12-24 18:00'],
      given,
    );
    expect([full.code, full.asked]).toEqual([0, []]);
    await run(['exempt', 'request'], given);
    expect(asked).toEqual([
      { scope: 'app:Signal', durationMs: Date.parse('2026-12-24T18:00:00Z') - NOW.wallMs },
      { scope: 'all', durationMs: 7 * DAY_MS },
    ]);
  });

  it('asks on a terminal for what is missing, and for nothing with --yes', async () => {
    const { recipient } = await newIdentity();
    const { asked, given } = await daemon([recipient]);
    const answers = ['', 'hours:Mon-Fri 12:00-13:00', '30d'];
    const dialogue = await run(['exempt', 'request'], { ...given, answers });
    expect(dialogue.asked).toHaveLength(3);
    expect(dialogue.asked[0]).toMatch(
      /^Why\? You need not say; only whoever has [0-9a-f-]{19} can read it\./,
    );
    expect(
      (await run(['exempt', 'request', '--reason', 'x', '--for', '1d'], { ...given, answers: [''] })).asked,
    ).toEqual(['From what? all, app:NAME or hours:SPEC [all] ']);
    expect((await run(['exempt', 'request', '--yes'], { ...given, answers })).asked).toEqual([]);
    expect(asked.map(({ scope, durationMs }) => [scope, durationMs / DAY_MS])).toEqual([
      ['hours:Mon-Fri 12:00-13:00', 30],
      ['all', 1],
      ['all', 7],
    ]);
  });

  it('encrypts the reason for those who decide, and for its author, before anyone else sees it', async () => {
    const deciders = await newIdentity();
    const { asked, given } = await daemon([deciders.recipient]);
    const configDir = join(given.stateDir, 'config');
    const identityFile = join(configDir, 'telemetryd/identity.txt');
    const own = { ...given, env: { ...given.env, XDG_CONFIG_HOME: configDir } };
    await ensureOwnerIdentity(identityFile);
    const { code, err } = await run(['exempt', 'request', '--reason', CANARY], own);
    expect([code, err]).toEqual([0, '']);
    const sealed = Buffer.from(asked[0]?.reason ?? '', 'base64');
    expect(sealed.toString('latin1')).not.toContain('canary');
    for (const identities of [[deciders.identity], readOwnerIdentities(identityFile) ?? []])
      expect(await openReason(identities, sealed)).toBe(CANARY);
  });

  it('keeps and sends no reason that nobody could read, and says so', async () => {
    const { asked, given } = await daemon();
    const { code, err } = await run(['exempt', 'request', '--reason', CANARY], given);
    expect(code).toBe(0);
    expect(err).toMatch(/names nobody who could read a reason .*\nso yours is neither kept nor sent/);
    expect(asked).toEqual([{ scope: 'all', durationMs: 7 * DAY_MS }]);
  });

  it.each([
    [['--scope', 'everything'], 'not what one can be exempt from'],
    [['--for', '30s'], 'too short'],
    [['--for', '400d'], 'too long'],
    [['--for', 'ever'], 'is not a duration'],
    [['--until', '2026-11-24 13:59'], 'is past'],
    [['--until', '2026-02-31'], 'is not a day'],
    [['--for', '1d', '--until', '2026-12-24'], 'the same thing twice'],
    [['--reason', 'x'.repeat(1001)], 'at most 1000 characters'],
  ])('refuses %j with exit code 2, and asks nothing of the daemon', async (words, what) => {
    const { asked, given } = await daemon();
    const { code, err } = await run(['exempt', 'request', ...words], given);
    expect(code).toBe(2);
    expect(err).toContain(what);
    expect(err).toMatch(/\nTry: .+\n$/);
    expect(asked).toEqual([]);
  });

  it('needs the daemon', async () => {
    const { code } = await run(['exempt', 'request'], { stateDir: temporaryFolder() });
    expect(code).toBe(10);
  });
});

describe('exempt list, show and withdraw', () => {
  it('show what the daemon has; --refresh asks the collector first', async () => {
    const { given } = await daemon();
    const list = await run(['exempt', 'list'], given);
    expect(list.out).toBe(`${PENDING.id}  pending    until 2026-12-01 13:30  all\n`);
    const refreshed = await run(['exempt', 'list', '--refresh', '--json'], given);
    expect(JSON.parse(refreshed.out)).toEqual({ schema: 1, exemptions: [{ ...APPROVED, hasReason: false }] });
    const shown = await run(['exempt', 'show', PENDING.id, '--json'], given);
    expect(JSON.parse(shown.out)).toEqual({ schema: 1, ...PENDING, reason: null });
    const missing = await run(['exempt', 'show', 'x'], given);
    expect([missing.code, missing.err]).toEqual([
      1,
      expect.stringContaining('Try: telemetryctl exempt list'),
    ]);
    const withdrawn = await run(['exempt', 'withdraw', PENDING.id, '--json'], given);
    expect(JSON.parse(withdrawn.out)).toMatchObject({ id: PENDING.id, state: 'withdrawn' });
  });

  it('work on the files of a daemon that is down, reason included, and change nothing', async () => {
    const stateDir = temporaryFolder();
    const configDir = join(stateDir, 'config');
    const recipient = await ensureOwnerIdentity(join(configDir, 'telemetryd/identity.txt'));
    const clock = {
      now: () => ({ ...NOW, wallMs: NOW.wallMs - DAY_MS, bootMs: NOW.bootMs - DAY_MS }),
      bootId: 'this-boot',
    };
    const reason = await sealReason([recipient], CANARY);
    const asked = {
      id: PENDING.id,
      scope: 'all',
      destination: 'http://127.0.0.1:7717',
      durationMs: 3 * DAY_MS,
      reason,
    };
    writeExemptions(stateDir, [requestExemption(asked, { clock, nextSequence: 1 })]);
    const given = { stateDir, env: { XDG_CONFIG_HOME: configDir } };
    const list = await run(['exempt', 'list'], given);
    expect([list.code, list.out]).toEqual([0, `${PENDING.id}  queued     until 2026-11-26 14:00  all\n`]);
    expect((await run(['exempt', 'show', PENDING.id], given)).out).toContain(CANARY);
    const status = await run(['status', '--json'], given);
    expect(JSON.parse(status.out)).toMatchObject({ exemptions: [{ id: PENDING.id, state: 'queued' }] });
    expect((await run(['exempt', 'withdraw', PENDING.id], given)).code).toBe(10);
    // A key that does not open it: the rest is shown all the same.
    const other = await run(['exempt', 'show', PENDING.id], { stateDir });
    expect([other.code, other.err]).toEqual([0, expect.stringContaining('your reason cannot be shown')]);
    expect(readFileSync(join(stateDir, 'exemptions.json'), 'utf8')).toContain(reason);
    writeFileSync(join(stateDir, 'exemptions.json'), '{');
    expect((await run(['exempt', 'list'], given)).out).toBe('You asked for no exemption.\n');
    expect(existsSync(join(stateDir, 'exemptions.json.corrupt-1'))).toBe(false);
  });
});

describe('an exemption in words', () => {
  const expired = { ...APPROVED, state: 'expired', until: '2026-11-24T13:50:00.000Z' } as const;
  const undecided = { ...PENDING, state: 'expired' } as const;
  it.each([
    ['pending', PENDING, CANARY],
    ['approved', { ...APPROVED, scope: 'hours:Mon-Fri 12:00-13:00' }, null],
    ['denied', DENIED, null],
    ['of an application', { ...PENDING, scope: 'app:Signal', state: 'queued' as const }, null],
    ['expired', expired, null],
    ['expired undecided', undecided, null],
  ])('that is %s reads well in 80 columns', async (name, view, reason) => {
    const page = exemptionPage(view, reason, NOW.wallMs);
    for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    await expect(page).toMatchFileSnapshot(`golden/exemption-${name.replaceAll(' ', '-')}.txt`);
  });

  it('stands in status and why until it is no news any more', async () => {
    const old = { ...DENIED, decidedAt: '2026-11-01T00:00:00.000Z', releaseAt: null };
    const report = {
      ...CAPTURING,
      exemptions: [DENIED, APPROVED, old, { ...PENDING, state: 'withdrawn' as const }],
    };
    const plain = { nowMs: NOW.wallMs, hasColour: false };
    const pages = `${statusPage(report, plain)}\n${whyPage(report, NOW.wallMs)}`;
    for (const line of pages.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    await expect(pages).toMatchFileSnapshot('golden/exemptions-in-status-and-why.txt');
    expect(explain(report, NOW.wallMs).exemptions).toEqual([DENIED, APPROVED]);
    expect(exemptionWords({ ...DENIED, decisionReason: 'a\u001b[2J' }, NOW.wallMs)).not.toContain('\u001b');
  });
});

describe('a moment to come', () => {
  it.each([
    ['2026-11-24', '2026-11-25T00:00:00.000Z'],
    ['2026-12-24', '2026-12-25T00:00:00.000Z'],
    ['2026-12-24 18:00', '2026-12-24T18:00:00.000Z'],
    ['2026-12-24T18:00', '2026-12-24T18:00:00.000Z'],
    ['2026-12-24T18:00:00+02:00', '2026-12-24T16:00:00.000Z'],
    ['2d', '2026-11-26T14:00:00.500Z'],
  ])('%s is until %s', (text, iso) => {
    expect(new Date(NOW.wallMs + spanArgument(text, NOW.wallMs)).toISOString()).toBe(iso);
  });

  it.each([
    '',
    'soon',
    '2026-13-01',
    '2026-11-31',
    '2026-12-24 25:00',
    '2026-12-24 24:30',
    '24.12.2026',
    '0s',
  ])('%j is none', (text) => expect(() => spanArgument(text, NOW.wallMs)).toThrow('is not a day'));
});
