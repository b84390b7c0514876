"""The real upowerd on a machine that umockdev makes: a laptop whose attributes lines of JSON change.

Usage: umockdev-wrapper python3 upowerd.py UPOWERD, with DBUS_SYSTEM_BUS_ADDRESS; says "ready", then "ok" after each line
{"device": {"attribute": "text"}}.
"""

import json
import subprocess
import sys

import gi

gi.require_version('UMockdev', '1.0')
from gi.repository import UMockdev

machine = UMockdev.Testbed.new()


def add(name, attributes):
    flat = [part for pair in attributes.items() for part in pair]
    return machine.add_device('power_supply', name, None, flat, [])


devices = {
    'AC': add('AC', {'type': 'Mains', 'online': '1'}),
    'BAT0': add(
        'BAT0',
        {
            'type': 'Battery',
            'present': '1',
            'status': 'Charging',
            'energy_full': '60000000',
            'energy_full_design': '80000000',
            'energy_now': '48000000',
            'voltage_now': '12000000',
        },
    ),
}
upowerd = subprocess.Popen([sys.argv[1]], stderr=subprocess.DEVNULL)
print('ready', flush=True)
for line in sys.stdin:
    for name, attributes in json.loads(line).items():
        for attribute, text in attributes.items():
            machine.set_attribute(devices[name], attribute, text)
        machine.uevent(devices[name], 'change')
    print('ok', flush=True)
upowerd.kill()
upowerd.wait()
