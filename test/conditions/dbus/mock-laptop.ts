import type { MockServices } from './message-bus.ts';

export const UPOWER = '/org/freedesktop/UPower';
export const NM = '/org/freedesktop/NetworkManager';
export const NM_NAME = 'org.freedesktop.NetworkManager';

/** A laptop's supplies in the `upower` template: it is charging. */
export async function chargingLaptop(services: MockServices): Promise<void> {
  await services.call(UPOWER, 'AddAC', 'AC', 'charger');
  await services.set(`${UPOWER}/devices/AC`, 'org.freedesktop.UPower.Device', { Type: 1, Online: true });
  await services.call(UPOWER, 'AddChargingBattery', 'BAT0', 'battery', 80, 1200);
}

/** Wi-Fi of this name in the `networkmanager` template: it carries the default route. */
export async function wifi(services: MockServices, ssid: string): Promise<void> {
  await services.call(NM, 'AddWiFiDevice', 'wlan0', 'wlan0', 100);
  const device = `${NM}/Devices/wlan0`;
  await services.call(
    NM,
    'AddAccessPoint',
    device,
    'ap',
    ssid,
    '00:00:00:00:00:01',
    2,
    2412,
    5400,
    80,
    0x100,
  );
  await services.call(NM, 'AddWiFiConnection', device, '1', ssid, '');
  await services.call(
    NM,
    'AddActiveConnection',
    [device],
    `${NM}/Settings/1`,
    `${NM}/AccessPoint/ap`,
    '1',
    2,
  );
  const active = `${NM}/ActiveConnection/1`;
  await services.set(device, `${NM_NAME}.Device`, {
    Metered: 4,
    ActiveConnection: active,
    Driver: 'iwlwifi',
  });
  await services.set(active, `${NM_NAME}.Connection.Active`, { Vpn: false });
  await services.set(NM, NM_NAME, { Metered: 4, PrimaryConnection: active });
}
