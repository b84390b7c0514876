import { describe, expect, test } from 'vitest';
import type { PolicyProblem } from '../../src/core/policy.ts';
import type { PolicyPart } from '../../src/core/policy-lattice.ts';
import { parsePolicyFile } from '../../src/policy/parse-file.ts';

function problemsOf(text: string): readonly PolicyProblem[] {
  const parsed = parsePolicyFile('p.toml', text);
  return parsed.kind === 'refused' ? parsed.problems : [];
}

function partOf(text: string): PolicyPart | readonly PolicyProblem[] {
  const parsed = parsePolicyFile('p.toml', text);
  return parsed.kind === 'ok' ? parsed.part : parsed.problems;
}

describe('values of a policy file', () => {
  const values: [line: string, part: PolicyPart][] = [
    ['capture.keys = "activity"', { capture: { keys: 'activity' } }],
    ['capture.mouse_hz = 1000', { capture: { mouseHz: 1000 } }],
    ['capture.backend = "replay"', { capture: { backend: 'replay' } }],
    ['capture.hours = "Mon-Fri 08:00-18:00"', { capture: { hours: 'Mon-Fri 08:00-18:00' } }],
    ['capture.focus_unknown = "record"', { capture: { focusUnknown: 'record' } }],
    ['capture.keys = "full"', { capture: { keys: 'full' } }],
    ['capture.full_apps = ["Blender"]', { capture: { fullApps: ['Blender'] } }],
    ['notice.controller = "Example GmbH & Co. KG"', { notice: { controller: 'Example GmbH & Co. KG' } }],
    ['notice.server_retention = "365d"', { notice: { serverRetentionMs: 31_536_000_000 } }],
    ['exclude.titles = []', { exclude: { titles: [] } }],
    ['pause.max = "1h30m"', { pause: { maxMs: 5_400_000 } }],
    ['segment.roll = "20s"', { segment: { rollMs: 20_000 } }],
    ['segment.flush = "1500ms"', { segment: { flushMs: 1500 } }],
    ['spool.limit = "64MiB"', { spool: { limitBytes: 67_108_864 } }],
    ['spool.keep_sent = "0s"', { spool: { keepSentMs: 0 } }],
    ['upload.url = ""', { upload: { url: '' } }],
    [
      'upload.url = "https://c.example.com/telemetry/"',
      { upload: { url: 'https://c.example.com/telemetry' } },
    ],
    ['upload.url = "http://127.0.0.1:7717"', { upload: { url: 'http://127.0.0.1:7717' } }],
    ['upload.url = "http://[::1]:7717"', { upload: { url: 'http://[::1]:7717' } }],
    ['upload.networks = ["ethernet"]', { upload: { networks: ['ethernet'], isNetworksExplicit: true } }],
    ['upload.networks = []', { upload: { networks: [], isNetworksExplicit: true } }],
    ['upload.metered = true', { upload: { metered: true } }],
    ['upload.hold_back = "0s"', { upload: { holdBackMs: 0 } }],
    ['upload.daily_budget = "1.5MB"', { upload: { dailyBudgetBytes: 1_500_000 } }],
    ['upload.rate = "256KiB/s"', { upload: { rateBytesPerSecond: 262_144 } }],
    ['upload.schedule = " 0  9-17 * * mon-fri "', { upload: { schedule: '0 9-17 * * mon-fri' } }],
    ['upload.hours = "never"', { upload: { hours: 'never' } }],
    ['exemptions.while_pending = "pause"', { exemptions: { whilePending: 'pause' } }],
    [
      `exemptions.recipients = ["age1${'q'.repeat(58)}"]`,
      { exemptions: { recipients: [`age1${'q'.repeat(58)}`] } },
    ],
    ['limits.cpu = "0.5%"', { limits: { cpuFraction: 0.005 } }],
    ['limits.memory = "1GB"', { limits: { memoryBytes: 1_000_000_000 } }],
  ];
  test.each(values)('%s', (line, part) => {
    expect(partOf(line)).toEqual(part);
  });

  test('an empty file says nothing', () => {
    expect(partOf('')).toEqual({});
    expect(partOf('# nothing\n[capture]\n')).toEqual({});
  });
});

describe('values that are refused, with place and reason', () => {
  const refused: [line: string, text: RegExp, hint: RegExp][] = [
    [
      'capture.keys = "shortcut"',
      /must be one of "off", .*did you mean "shortcuts"\?/,
      /"shortcuts", the default/,
    ],
    ['capture.keys = 3', /^capture\.keys must be one of/, /./],
    ['capture.mouse_hz = 0', /whole number from 1 to 1000/, /mouse_hz = 125/],
    ['capture.mouse_hz = 1001', /no mouse reports more/, /./],
    ['capture.mouse_hz = 12.5', /whole number/, /./],
    ['capture.mouse_hz = nan', /whole number/, /./],
    ['capture.mouse_hz = inf', /whole number/, /./],
    ['capture.mouse_hz = "125"', /whole number/, /./],
    ['capture.mouse_hz = 9007199254740993', /lossless/, /./],
    ['capture.backend = "wayland"', /must be one of/, /./],
    ['capture.hours = "9 to 5"', /must be hours such as/, /./],
    ['capture.hours = "Mon-Fri 08:00-25:00"', /must be hours such as/, /./],
    ['notice.purpose = "two\\nlines"', /one line without control/, /./],
    ['notice.contact = "\\u001b[2J"', /one line without control/, /./],
    ['notice.controller = "a\\u202eb"', /invisible/, /./],
    [`notice.purpose = "${'x'.repeat(81)}"`, /at most 80 characters/, /./],
    ['encrypt.recipients = ["age1…"]', /^encrypt\.recipients\[0\] must be an age recipient/, /./],
    ['encrypt.recipients = "age1qqqq"', /must be a list of age recipients/, /./],
    ['exclude.apps = ["a", ""]', /^exclude\.apps\[1\] must not be empty/, /./],
    ['exclude.apps = "a"', /must be a list of names/, /./],
    ['pause.max = "29m"', /at least 30m: a policy can take away no pause/, /pause\.max = "30m" or more/],
    ['pause.max = "31d"', /at most 30d/, /./],
    ['pause.max = "half an hour"', /a length of time in quotes.*not "half an hour"/, /"30m", the default/],
    ['pause.max = 1800', /a length of time in quotes/, /./],
    ['pause.max = 2025-01-01', /a length of time in quotes/, /./],
    ['segment.flush = "5"', /a length of time/, /./],
    ['spool.limit = "512mb"', /a size in quotes.*not "512mb"/, /"512MB", the default/],
    ['spool.limit = "512KB"', /at least 1MB/, /./],
    ['upload.url = "http://example.com"', /must be https/, /"https:\/\/example\.com"/],
    ['upload.url = "http://127.0.0.1.example.com"', /must be https/, /./],
    ['upload.url = "ftp://example.com"', /must be an address/, /./],
    ['upload.url = "collector.example.com"', /must be an address/, /./],
    ['upload.url = "https://me:secret@example.com"', /user name or password/, /./],
    ['upload.url = "https://example.com/?q=1"', /no \? or # part/, /./],
    ['upload.networks = ["wifi", "lan"]', /^upload\.networks\[1\] must be one of/, /./],
    ['upload.networks = "wifi"', /must be a list such as/, /./],
    ['upload.metered = "no"', /true or false, without quotes/, /./],
    ['upload.rate = "256KB"', /a rate in quotes/, /./],
    ['upload.rate = "1B/s"', /at least 1KB\/s/, /./],
    ['upload.schedule = "sometimes"', /cron expression of five fields/, /./],
    ['upload.schedule = "61 * * * *"', /cron expression of five fields/, /./],
    ['upload.schedule = "* * * * * * *"', /five fields/, /./],
    ['limits.cpu = "1"', /a share in quotes/, /./],
    ['limits.cpu = "101%"', /at most 100%/, /./],
    ['capture = 5', /^capture must be a table$/, /^\[capture\] on a line/],
    ['[[capture]]', /^capture must be a table$/, /./],
  ];
  test.each(refused)('%s', (line, text, hint) => {
    const [first, ...more] = problemsOf(line);
    expect(first?.text).toMatch(text);
    expect(first?.hint).toMatch(hint);
    expect(first?.severity).toBe('error');
    expect(first?.where).toMatch(/^p\.toml:1:\d+$/);
    expect(more).toEqual([]);
  });
});

describe('names that are not known', () => {
  const unknown: [text: string, name: string, hint: string][] = [
    ['[capture]\nmouse-hz = 3', 'capture.mouse-hz', 'mouse_hz'],
    ['[capture]\nmouseHz = 3', 'capture.mouseHz', 'mouse_hz'],
    ['[capture]\nky = "off"', 'capture.ky', 'keys'],
    ['[captrue]\nkeys = "off"', 'captrue', '[capture]'],
    ['\nkeys = "off"', 'keys', 'It belongs under [capture].'],
    ['[capture]\nhold_back = "1m"', 'capture.hold_back', 'It belongs under [upload].'],
    ['[capture]\nholdback = "1m"', 'capture.holdback', 'hold_back under [upload]'],
    ['[pause]\nfrequency = 1', 'pause.frequency', '[pause] has max.'],
    [
      '[capture]\n"a\\u001bb" = 1',
      'capture."a\\u001bb"',
      '[capture] has keys, mouse_hz, backend, hours, focus_unknown, full_apps.',
    ],
  ];
  test.each(unknown)('%j', (text, name, hint) => {
    const [first] = problemsOf(text);
    expect(first?.text).toBe(`${name} is not a known name`);
    expect(first?.hint).toBe(hint);
  });

  test('do not become part of any object’s prototype', () => {
    for (const text of [
      '__proto__ = 1',
      '[__proto__]\na = 1',
      '[constructor]\na = 1',
      '[capture.__proto__]\nkeys = "full"',
    ]) {
      expect(problemsOf(text)).toHaveLength(1);
    }
  });
});

describe('places of problems', () => {
  const places: [text: string, where: string][] = [
    ['[capture]\n  keys = "x"', 'p.toml:2:10'],
    ['capture.keys = "x"', 'p.toml:1:16'],
    ['capture . "keys"= "x"', 'p.toml:1:19'],
    ['capture = { keys = "x" }', 'p.toml:1:20'],
    ['capture = { mouse_hz = 3, keys = "x" }', 'p.toml:1:34'],
    ['["capture"]\n\'keys\' = "x" # keys', 'p.toml:2:10'],
    ['# [capture]\n# keys = 1\n[capture]\nkeys = "x"', 'p.toml:4:8'],
    ['[upload]\nnetworks = [\n  "wifi", # fine\n  "lan",\n]', 'p.toml:4:3'],
    ['[upload]\n  nonsense.deep = 1', 'p.toml:2:3'],
    ['upload = { nonsense = 1 }', 'p.toml:1:12'],
    ['[nonsense.deep]', 'p.toml:1:2'],
    ['[capture]\r\nkeys = "x"\r\n', 'p.toml:2:8'],
    ['[capture]\nkeys = off', 'p.toml:2:8'],
    ['[capture]\nkeys = "off"\nkeys = "off"', 'p.toml:3:1'],
    ['[capture]\nkeys = "off', 'p.toml:2:8'],
  ];
  test.each(places)('%j', (text, where) => {
    expect(problemsOf(text)[0]?.where).toBe(where);
  });

  test('all problems of a file are told, in its order', () => {
    const problems = problemsOf('[upload]\nrate = 1\nx = 2\n[capture]\nkeys = 1\n');
    expect(problems.map(({ where }) => where)).toEqual(['p.toml:2:8', 'p.toml:3:1', 'p.toml:5:8']);
  });

  test('a file with thousands of mistakes is told fifty of them', () => {
    const problems = problemsOf(
      `exclude.apps = [${'1,'.repeat(150)}]\n${Array.from({ length: 5000 }, (_, i) => `x${i} = 1`).join('\n')}`,
    );
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)?.text).toMatch(/^there are \d+ more problems$/);
  });

  test('nesting without end is refused', () => {
    expect(problemsOf(`a = ${'['.repeat(5000)}${']'.repeat(5000)}`)).toHaveLength(1);
  });
});
