import { describe, expect, it } from 'vitest';
import {
  type BusSocket,
  isOtherSystemBus,
  parseBusAddress,
  sessionBusSockets,
  systemBusSockets,
} from '../../../src/conditions/dbus/bus-address.ts';

const ENV = { XDG_RUNTIME_DIR: '/run/user/1000' };

describe('a bus address', () => {
  it.each<[string, BusSocket[]]>([
    ['unix:path=/run/bus', [{ path: '/run/bus' }]],
    ['unix:path=/run/bus,guid=d4eb92f0191521e3a2f304b86b07cecf', [{ path: '/run/bus' }]],
    ['unix:guid=d4eb,path=/run/bus', [{ path: '/run/bus' }]],
    ['unix:abstract=/tmp/dbus-1,guid=0', [{ abstract: '/tmp/dbus-1' }]],
    ['unix:path=/tmp/a%20b%2cc', [{ path: '/tmp/a b,c' }]],
    ['unix:runtime=yes', [{ path: '/run/user/1000/bus' }]],
    ['unix:path=/a;unix:abstract=b;unix:path=/c', [{ path: '/a' }, { abstract: 'b' }, { path: '/c' }]],
    ['tcp:host=example.com,port=1;unix:path=/a', [{ path: '/a' }]],
    ['unixexec:path=/bin/sh', []],
    ['autolaunch:', []],
    ['unix:path=/tmp/%', []],
    ['unix:path=', []],
    ['/run/bus', []],
    ['', []],
  ])('%j is %j', (text, sockets) => {
    expect(parseBusAddress(text, ENV)).toEqual(sockets);
  });

  it('is the standard one unless the environment names one', () => {
    expect(systemBusSockets({})).toEqual([{ path: '/var/run/dbus/system_bus_socket' }]);
    expect(systemBusSockets({ DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/a' })).toEqual([{ path: '/a' }]);
    expect(sessionBusSockets(ENV)).toEqual([{ path: '/run/user/1000/bus' }]);
    expect(sessionBusSockets({})).toEqual([]);
    expect(sessionBusSockets({ ...ENV, DBUS_SESSION_BUS_ADDRESS: 'unix:abstract=b' })).toEqual([
      { abstract: 'b' },
    ]);
  });

  it.each([
    ['', false],
    ['unix:path=/run/dbus/system_bus_socket', false],
    ['unix:path=/var/run/dbus/system_bus_socket,guid=1', false],
    ['unix:path=/tmp/other', true],
    ['unix:path=/run/dbus/system_bus_socket;unix:path=/tmp/other', true],
    ['unix:abstract=/run/dbus/system_bus_socket', true],
  ])('%j is another system bus: %j', (address, isOther) => {
    expect(isOtherSystemBus({ DBUS_SYSTEM_BUS_ADDRESS: address })).toBe(isOther);
  });
});
