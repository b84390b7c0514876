"""Services of python3-dbusmock's templates on one bus, in one process, told by lines of JSON what to become.

Usage: python3 mocks.py ADDRESS TEMPLATE…; says "ready", then "ok" after each line that it carried out.
"""

import json
import os
import sys

import dbus
import dbus.bus
import dbus.mainloop.glib
import dbus.service
from dbusmock import mockobject
from gi.repository import GLib

# dbusmock writes a log of its own to standard output.
answers = os.fdopen(os.dup(1), 'w', buffering=1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
names = {}


def own(name):
    if name in names:
        bus.request_name(name)
    else:
        names[name] = dbus.service.BusName(name, bus, do_not_queue=True)
    return names[name]


def load(template):
    module = mockobject.load_module(template)
    main = mockobject.DBusMockObject(own(module.BUS_NAME), module.MAIN_OBJ, getattr(module, 'MAIN_IFACE', ''), {}, None, False)
    mockobject.objects[module.MAIN_OBJ] = main
    main.AddTemplate(template, None)


def typed(value):
    """JSON to D-Bus: whole numbers are u, {"struct": […]} is a structure."""
    if isinstance(value, dict):
        return dbus.Struct([typed(part) for part in value['struct']])
    if isinstance(value, bool):
        return dbus.Boolean(value)
    if isinstance(value, int):
        return dbus.UInt32(value)
    if isinstance(value, str):
        return dbus.String(value)
    if isinstance(value, list):
        return dbus.Array([typed(part) for part in value], signature=None if value else 's')
    return value


def carry_out(order):
    what = order['do']
    if what == 'own':
        own(order['name'])
    elif what == 'release':
        bus.release_name(order['name'])
    elif what == 'object':
        name = own('test.nobody')
        mockobject.objects[order['path']] = mockobject.DBusMockObject(name, order['path'], '', {})
    else:
        target = mockobject.objects[order['path']]
        if what == 'call':
            getattr(target, order['method'])(*order['args'])
        elif what == 'emit':
            target.EmitSignal(order['interface'], order['member'], order['signature'], order['args'])
        elif what == 'set':
            properties = {name: typed(value) for name, value in order['properties'].items()}
            for name, value in properties.items():
                target.props.setdefault(order['interface'], {}).setdefault(name, value)
            target.UpdateProperties(order['interface'], properties)
        elif what == 'change':
            # The signal alone, as somebody sends it who has no such property.
            properties = {name: typed(value) for name, value in order['properties'].items()}
            target.EmitSignal(
                dbus.PROPERTIES_IFACE, 'PropertiesChanged', 'sa{sv}as', [order['interface'], properties, []]
            )
        elif what == 'remove':
            main = mockobject.objects[order['parent']]
            main.RemoveObject(order['path'])


received = b''


def on_input(fd, condition):
    global received
    chunk = os.read(fd, 65536)
    if not chunk:
        os._exit(0)
    received += chunk
    *lines, received = received.split(b'\n')
    for line in lines:
        try:
            carry_out(json.loads(line))
            bus.flush()
            print('ok', file=answers)
        except Exception as error:  # whatever it is, the test must hear of it
            print(f'{line.decode()}: {error!r}', file=answers)
    return True


for name in sys.argv[2:]:
    load(name)
GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, on_input)
print('ready', file=answers)
GLib.MainLoop().run()
