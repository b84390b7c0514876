import { describe, expect, it } from 'vitest';
import { simulatedBy } from '../../src/daemon/machine-conditions.ts';
import { newDesk, TIMEOUT_MS, telemetryd } from './daemon-program.ts';

describe('a simulated machine', () => {
  it.each([
    [{}, null],
    [{ TELEMETRYD_SYSFS_ROOT: '/tmp/sys' }, 'TELEMETRYD_SYSFS_ROOT'],
    [{ DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/tmp/bus' }, 'DBUS_SYSTEM_BUS_ADDRESS'],
    [{ DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/run/dbus/system_bus_socket' }, null],
  ])('is made by %j: %j', (env, variable) => {
    expect(simulatedBy(env)).toBe(variable);
  });

  it('is refused to a service', { timeout: TIMEOUT_MS }, async () => {
    const desk = newDesk();
    desk.extraEnv = { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/tmp/bus' };
    const program = telemetryd(desk, 'run', '--mode', 'user');
    expect(await program.exited).toBe(2);
    expect(program.out).toContain('DBUS_SYSTEM_BUS_ADDRESS works in the foreground mode only');
    expect(program.out).toMatch(/^Try: unset it/m);
  });
});
