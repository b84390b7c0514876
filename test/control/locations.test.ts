import { describe, expect, it } from 'vitest';
import { candidates, locations, type Surroundings } from '../../src/control/locations.ts';

function around(env: Surroundings['env'] = {}, more: Partial<Surroundings> = {}): Surroundings {
  return { env, uid: 1000, platform: 'linux', home: '/home/ada', cwd: '/work/dir', ...more };
}

describe('where a daemon keeps its things', () => {
  it('is in the XDG folders for one user', () => {
    expect(locations(around({ XDG_RUNTIME_DIR: '/run/user/1000' }))).toEqual({
      kind: 'user',
      stateDir: '/home/ada/.local/state/telemetryd',
      runtimeDir: '/run/user/1000/telemetryd',
      socketPath: '/run/user/1000/telemetryd/control.sock',
      policyPaths: ['/home/ada/.config/telemetryd/policy.toml', '/etc/telemetryd/policy.toml'],
      preferencesPath: '/home/ada/.config/telemetryd/preferences.toml',
      identityPath: '/home/ada/.config/telemetryd/identity.txt',
    });
    expect(locations(around({ XDG_STATE_HOME: '/s', XDG_CONFIG_HOME: '/c' }))).toMatchObject({
      stateDir: '/s/telemetryd',
      socketPath: '/s/telemetryd/run/control.sock',
      preferencesPath: '/c/telemetryd/preferences.toml',
    });
  });

  it('ignores relative paths in XDG variables, and empty ones anywhere', () => {
    const env = {
      XDG_STATE_HOME: 'state',
      XDG_RUNTIME_DIR: '',
      TELEMETRYD_STATE_DIR: '',
      TELEMETRYD_POLICY: '',
    };
    expect(locations(around(env))).toEqual(locations(around()));
  });

  it('is in Application Support on a Mac', () => {
    expect(locations(around({}, { platform: 'darwin', home: '/Users/ada' }))).toMatchObject({
      stateDir: '/Users/ada/Library/Application Support/telemetryd',
      socketPath: '/Users/ada/Library/Application Support/telemetryd/run/control.sock',
    });
  });

  it('is in the system folders for root', () => {
    expect(locations(around({}, { uid: 0, home: '/root' }))).toEqual({
      kind: 'system',
      stateDir: '/var/lib/telemetryd',
      runtimeDir: '/run/telemetryd',
      socketPath: '/run/telemetryd/control.sock',
      policyPaths: ['/etc/telemetryd/policy.toml'],
      preferencesPath: null,
      identityPath: '/root/.config/telemetryd/identity.txt',
    });
  });

  it('follows the environment before anything else, relative to where one is', () => {
    expect(locations(around({ TELEMETRYD_STATE_DIR: 'here', TELEMETRYD_POLICY: 'p.toml' }))).toMatchObject({
      kind: 'environment',
      stateDir: '/work/dir/here',
      socketPath: '/work/dir/here/run/control.sock',
      policyPaths: ['/work/dir/p.toml'],
    });
    expect(locations(around({ TELEMETRYD_SOCKET: '/s/c.sock' }))).toMatchObject({
      kind: 'environment',
      stateDir: '/home/ada/.local/state/telemetryd',
      socketPath: '/s/c.sock',
    });
    expect(
      locations(around({ TELEMETRYD_STATE_DIR: '/d', XDG_RUNTIME_DIR: '/run/user/1000' }, { uid: 0 })),
    ).toMatchObject({
      stateDir: '/d',
      socketPath: '/d/run/control.sock',
    });
  });

  it('refuses a socket path that the system would cut, and says what to do', () => {
    const room = 107 - '/run/control.sock'.length;
    const fits = `/${'x'.repeat(room - 1)}`;
    expect(locations(around({ TELEMETRYD_STATE_DIR: fits })).socketPath).toHaveLength(107);
    expect(() => locations(around({ TELEMETRYD_STATE_DIR: `${fits}x` }))).toThrow(
      'has 108 bytes and the system takes 107',
    );
    expect(() => locations(around({ TELEMETRYD_STATE_DIR: `${fits.slice(0, -1)}é` }))).toThrow('108 bytes');
    expect(() => locations(around({ TELEMETRYD_STATE_DIR: fits }, { platform: 'darwin' }))).toThrow(
      'takes 103',
    );
  });
});

describe('where telemetryctl looks for a daemon', () => {
  it('is the user first and the system second', () => {
    expect(candidates(around()).map(({ kind }) => kind)).toEqual(['user', 'system']);
  });

  it('is one place alone when the environment names it', () => {
    expect(candidates(around({ TELEMETRYD_STATE_DIR: '/d' })).map(({ kind }) => kind)).toEqual([
      'environment',
    ]);
    expect(candidates(around({ TELEMETRYD_POLICY: '/p' })).map(({ kind }) => kind)).toEqual([
      'user',
      'system',
    ]);
  });
});
