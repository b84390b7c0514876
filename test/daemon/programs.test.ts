import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { NODE_FLAGS } from '../../src/core/node-flags.ts';
import {
  captureEnvironment,
  helperEnvironment,
  type Program,
  programPath,
} from '../../src/daemon/programs.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));

/** Every name of the type, checked by the compiler: a name more or less is an error here. */
const PROGRAMS = Object.keys({
  'capture-child': true,
  'telemetry-uploader': true,
  'policy-loader': true,
  'segment-sealer': true,
} satisfies Record<Program, true>) as Program[];

const HOSTILE = {
  PATH: '/usr/bin',
  HOME: '/home/ada',
  LANG: 'C.UTF-8',
  NODE_OPTIONS: '--require /tmp/evil.js',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  NODE_EXTRA_CA_CERTS: '/tmp/ca.pem',
  NODE_V8_COVERAGE: '/tmp',
  SSLKEYLOGFILE: '/tmp/keys',
  LD_PRELOAD: '/tmp/evil.so',
  HTTPS_PROXY: 'http://evil.example',
  DISPLAY: ':0',
  XAUTHORITY: '/home/ada/.Xauthority',
  WAYLAND_DISPLAY: 'wayland-0',
  XDG_SEAT: 'seat0',
  XDG_SESSION_TYPE: 'x11',
  XDG_RUNTIME_DIR: '/run/user/1000',
  SECRET: 'of the person',
};

it.each(PROGRAMS)('finds %s beside the daemon’s own bundle', (program) => {
  const name = programPath(program).split('/').at(-1) ?? '';
  expect(name).toBe(`${program}.js`);
  expect(existsSync(join(DIST, name))).toBe(true);
});

it('lets a helper know where it is and nothing else', () => {
  expect(helperEnvironment(HOSTILE)).toEqual({ PATH: '/usr/bin', HOME: '/home/ada', LANG: 'C.UTF-8' });
  expect(helperEnvironment(HOSTILE, { EXTRA: 'yes' })).toMatchObject({ EXTRA: 'yes' });
});

it('lets the capture child know the display too', () => {
  expect(Object.keys(captureEnvironment(HOSTILE)).sort()).toEqual([
    'DISPLAY',
    'HOME',
    'LANG',
    'PATH',
    'WAYLAND_DISPLAY',
    'XAUTHORITY',
    'XDG_RUNTIME_DIR',
    'XDG_SEAT',
    'XDG_SESSION_TYPE',
  ]);
});

it('leaves out what is not set, and gives nothing of an empty environment', () => {
  expect(captureEnvironment({ DISPLAY: undefined, HOME: '' })).toEqual({ HOME: '' });
  expect(captureEnvironment({})).toEqual({});
});

it('opens no inspector on a signal', () => {
  expect(NODE_FLAGS).toContain('--disable-sigusr1');
});
