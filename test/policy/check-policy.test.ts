import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkPolicy } from '../../src/policy/check-policy.ts';
import { tempFolder } from './temp-folder.ts';

function check(content: string, mode = 0o644) {
  const file = join(tempFolder(), 'policy.toml');
  writeFileSync(file, content);
  chmodSync(file, mode);
  const { text, ...rest } = checkPolicy(file);
  return { ...rest, text: text.replaceAll(file, 'policy.toml') };
}

describe('check-policy', () => {
  test('prints every problem with its place and what to do, and exits 12', () => {
    const { exitCode, text, json } = check('[pause]\nmax = "10m"\n[upload]\nurll = ""\n');
    expect(exitCode).toBe(12);
    expect(text).toBe(
      'policy.toml:2:7: error: pause.max must be at least 30m: a policy can take away no pause of up to half an hour\n' +
        '  Try: pause.max = "30m" or more\n' +
        'policy.toml:4:1: error: upload.urll is not a known name\n' +
        '  Try: url\n' +
        'policy.toml is refused: 2 errors.\n',
    );
    expect(json).toMatchObject({ schema: 1, valid: false, policy: null, problems: [{}, {}] });
  });

  test('prints what is in force and where it comes from, and exits 0', () => {
    const { exitCode, text, json } = check('[capture]\nkeys = "off"\n');
    expect(exitCode).toBe(0);
    expect(text).toMatch(/^policy\.toml is valid \(policy [0-9a-f]{16}\)\. In force with it alone:\n/);
    expect(text).toContain('\n  policy      capture.keys = "off"\n');
    expect(text).toContain('\n  default     capture.mouse_hz = 125\n');
    expect(json).toMatchObject({ schema: 1, valid: true, problems: [] });
  });

  test('judges a work copy by what it says, and warns that its mode would not do', () => {
    const { exitCode, text } = check('', 0o666);
    expect(exitCode).toBe(0);
    expect(text).toContain(
      'notice: the file can be changed by others than its owner; the daemon refuses it like this\n  Note: chmod go-w',
    );
  });

  test('reads the drop-ins of a policy.toml as the daemon does, and names their places', () => {
    const folder = tempFolder();
    const file = join(folder, 'policy.toml');
    mkdirSync(join(folder, 'policy.d'));
    writeFileSync(file, '[capture]\nkeys = "activity"\nmouse_hz = 60\n');
    writeFileSync(join(folder, 'policy.d/10-site.toml'), '[capture]\nkeys = "off"\n');
    writeFileSync(join(folder, 'policy.d/20-team.toml'), '[pause]\nmax = "1h"\n');
    const good = checkPolicy(file);
    expect(good.exitCode).toBe(0);
    expect(good.text).toContain('In force with it and its 2 drop-ins:\n');
    expect(good.text).toContain('policy      capture.keys = "off"\n');
    expect(good.text).toContain('policy      capture.mouse_hz = 60\n');
    writeFileSync(join(folder, 'policy.d/20-team.toml'), '\n[pause]\nmax = "1m"\n');
    const bad = checkPolicy(file);
    expect(bad.exitCode).toBe(12);
    expect(bad.text).toContain(
      `${join(folder, 'policy.d/20-team.toml')}:3:7: error: pause.max must be at least 30m`,
    );
    // A drop-in by itself is checked by itself.
    expect(checkPolicy(join(folder, 'policy.d/10-site.toml')).text).toContain('In force with it alone:');
  });

  test('fails on a file that is not there', () => {
    const { exitCode, text } = checkPolicy(join(tempFolder(), 'none.toml'));
    expect(exitCode).toBe(12);
    expect(text).toMatch(/none\.toml: error: does not exist\n {2}Try: /);
  });
});
