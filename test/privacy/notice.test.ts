import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../src/core/policy.ts';
import { overlayPolicy, type PolicyPart } from '../../src/core/policy-lattice.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { makeNotice } from '../../src/privacy/notice.ts';
import { anyPolicy } from '../core/policy-arbitrary.ts';

/** The notice as one line of words, wherever it was broken. */
function words(part: PolicyPart): string {
  return makeNotice(overlayPolicy(DEFAULT_POLICY, part)).text.replaceAll(/\s+/g, ' ');
}

const LOCAL = { url: 'http://127.0.0.1:7717' };
const line = (length: number) =>
  fc.oneof(
    fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom('w', 'ö', ' ', '.') }),
    fc.constant('w'.repeat(length)),
    fc.constant('wörd wor '.repeat(length).slice(0, length)),
  );

/** The longest of everything that the policy file allows. */
const longest: fc.Arbitrary<Policy> = fc
  .tuple(line(40), line(40), line(80), line(40), line(40), fc.constantFrom('activity', 'shortcuts'))
  .map(([controller, contact, purpose, basis, readers, keys]) =>
    overlayPolicy(DEFAULT_POLICY, {
      capture: { keys, focusUnknown: 'record', mouseHz: 1000, hours: 'Mon-Wed 08:00-12:30;Thu 01:01-23:59' },
      notice: { controller, contact, purpose, basis, readers, serverRetentionMs: 365.5 * 86_400_000 },
      pause: { maxMs: 29 * 86_400_000 + 23 * 3_600_000 },
      spool: { limitBytes: 123_456_789, retentionMs: 31_500_000_000, keepSentMs: 31_500_000_000 },
      upload: {
        url: `https://${'collector.'.repeat(18)}com`,
        networks: ['wifi', 'ethernet', 'cellular'],
        isNetworksExplicit: true,
        ssids: ['office'],
        hours: 'Mon-Wed 08:00-12:30;Thu 01:01-23:59',
        holdBackMs: 29 * 86_400_000 + 23 * 3_600_000,
        dailyBudgetBytes: 1_234_567_891,
        monthlyBudgetBytes: 12_345_678_912,
        rateBytesPerSecond: 12_345_678,
      },
      limits: { cpuFraction: 0.1234, memoryBytes: 1_234_567_891 },
    }),
  );

describe('the notice', () => {
  test('fits one screen of 24 lines by 80 columns, whatever the policy says', () => {
    fc.assert(
      fc.property(fc.oneof(anyPolicy, longest), (policy) => {
        const lines = makeNotice(policy).text.trimEnd().split('\n');
        expect(lines.length).toBeLessThanOrEqual(24);
        for (const text of lines) expect(text.length).toBeLessThanOrEqual(80);
      }),
    );
  });

  test('reads well', () => {
    const policy = overlayPolicy(DEFAULT_POLICY, {
      capture: { focusUnknown: 'record' },
      notice: {
        controller: 'Example Corp',
        contact: 'privacy@example.com',
        purpose: 'training computer-use agents',
        basis: 'consent',
        readers: 'the agents data team',
        serverRetentionMs: 365 * 86_400_000,
      },
      upload: { ...LOCAL, networks: ['wifi', 'ethernet'], isNetworksExplicit: true },
    });
    expect(makeNotice(policy).text).toMatchInlineSnapshot(`
      "What telemetryd records on this computer, by the policy in force

      RECORDED  Mouse position (at most 125 a second), buttons and wheel. Keys:
                shortcuts (Ctrl, Alt, Meta), Enter, Tab, arrows, F1 and the like by
                name; of typed text only that a key was pressed, never which; password
                fields included. Also where the application in use is not known.
      NEVER     Screen, sound, camera, clipboard, files, window titles, names of
                applications; nothing at all while paused, locked or without your
                agreement. Nor in 25 applications and 10 window titles that the policy
                names, where the one in use is known.
      WHY       training computer-use agents. Basis: consent. Responsible: Example
                Corp (privacy@example.com).
      WHERE TO  A collector on this computer, http://127.0.0.1:7717; on AC power, over
                Wi-Fi or Ethernet, 10m after recording at the earliest.
      WHO READS Encrypted: you alone can open the files, with your own key. Meant for:
                the agents data team. The collector sees sizes, version, faults.
      HOW LONG  Here 7d unsent, 7d once sent, 512MB at most. At the collector: 365d; a
                purge erases it there too.
      COST      Sends at most 20MB a day, 300MB a month, 256KB a second. Aims at 1% of
                a processor core and 160MB of memory (above, it records less).

      telemetryctl pause 30m      up to 30m     resume  go on          why     state
                   exempt request not for days  exclude not in an app  report  as page
                   consent revoke stop for good purge   remove it      inspect read it
      "
    `);
  });

  test('has an id that changes with the policy, and only with it', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (a, b) => {
        expect(makeNotice(a).id).toMatch(/^[0-9a-f]{16}$/);
        const isEqual = JSON.stringify(a) === JSON.stringify(b);
        expect(makeNotice(a).id === makeNotice(b).id).toBe(isEqual);
        expect(makeNotice(a)).toEqual(makeNotice(JSON.parse(JSON.stringify(a)) as Policy));
      }),
    );
  });

  const statements: [name: string, part: PolicyPart, says: RegExp[], saysNot: RegExp[]][] = [
    [
      'no keys at all',
      { capture: { keys: 'off', focusUnknown: 'record' } },
      [/No keys\./],
      [/password/, /shortcuts/],
    ],
    [
      'no keys where the application is not known',
      {},
      [/by name/, /No keys where the application in use is not known\./],
      [/Also where/],
    ],
    [
      'every key in named applications, and that nothing else has it',
      { capture: { keys: 'full', fullApps: ['XTerm', 'Code'] } },
      [/EVERY KEY YOU TYPE, BY NAME, in XTerm, Code \(/, /never which/],
      [],
    ],
    [
      'how much is left out',
      { exclude: { apps: ['A'], titles: ['x', 'y'] } },
      [/Nor in 1 application and 2 window titles that the policy names/],
      [],
    ],
    ['nothing of what is not left out', { exclude: { apps: [], titles: [] } }, [/NEVER/], [/Nor in/]],
    [
      'the kind of key',
      { capture: { keys: 'activity', focusUnknown: 'record' } },
      [/only that one of a kind/, /password fields included/],
      [/by name/],
    ],
    [
      'shortcuts',
      { capture: { keys: 'shortcuts', focusUnknown: 'record' } },
      [/shortcuts .* by name/, /never which/, /password fields included/],
      [],
    ],
    [
      'nothing where the application must be known',
      { capture: { focusUnknown: 'block' } },
      [/Mouse position/, /Nothing where the application in use is not known\./],
      [/Also where/],
    ],
    [
      'who else can open the files',
      { encrypt: { recipients: ['age1x', 'age1y', 'age1z'] } },
      [
        /you, with your own key, and whoever has 3 keys of the policy \([0-9a-f-]{19}, [0-9a-f-]{19} and 1 more\)/,
      ],
      [/you alone/],
    ],
    ['the mouse rate', { capture: { mouseHz: 17 } }, [/at most 17 a second/], []],
    ['the hours', { capture: { hours: 'Mon-Fri 08:00-18:00' } }, [/Only at Mon-Fri 08:00-18:00/], []],
    ['that nothing leaves', {}, [/WHERE TO Nowhere/], [/collector/, /a month/]],
    [
      'a collector here',
      { upload: LOCAL },
      [/on this computer, http:\/\/127\.0\.0\.1:7717; on AC power, 10m after/],
      [/Wi-Fi/, /cannot send/],
    ],
    [
      'a collector elsewhere',
      { upload: { url: 'https://c.example.com' } },
      [/c\.example\.com; on AC power, over Wi-Fi, 10m/],
      [],
    ],
    [
      'any power and no hold-back',
      { upload: { ...LOCAL, power: 'any', holdBackMs: 0 } },
      [/on any power, at once/],
      [/AC/],
    ],
    [
      'no network',
      { upload: { ...LOCAL, networks: [], isNetworksExplicit: true } },
      [/over no network at all/],
      [],
    ],
    ['no promise of the collector', { upload: LOCAL }, [/At the collector: not stated/], []],
    [
      'a promise of the collector',
      { upload: LOCAL, notice: { serverRetentionMs: 86_400_000 } },
      [/At the collector: 1d/],
      [],
    ],
    [
      'times here',
      { upload: LOCAL, spool: { retentionMs: 3_600_000, keepSentMs: 0 } },
      [/Here 1h unsent, gone from here once sent/],
      [],
    ],
    [
      'what it sends',
      { upload: { ...LOCAL, dailyBudgetBytes: 5_000_000 } },
      [/at most 5MB a day, 300MB a month, 256KB a second/],
      [],
    ],
    ['how long a pause may be', { pause: { maxMs: 7_200_000 } }, [/pause 30m up to 2h/], []],
    ['that no purpose is given', {}, [/The policy gives no purpose\. Responsible: nobody named\./], []],
  ];
  test.each(statements)('says %s', (_, part, says, saysNot) => {
    const text = words(part);
    for (const pattern of says) expect(text).toMatch(pattern);
    for (const pattern of saysNot) expect(text).not.toMatch(pattern);
  });

  test('names every control', () => {
    for (const control of [
      'pause',
      'resume',
      'exempt request',
      'exclude',
      'report',
      'consent revoke',
      'why',
      'inspect',
      'purge',
    ]) {
      expect(words({})).toContain(control);
    }
  });
});
