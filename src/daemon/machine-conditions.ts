import { delayNode } from '../capture/delay-node.ts';
import { networkBus, powerBus } from '../conditions/bus-source.ts';
import { Bus } from '../conditions/dbus/bus.ts';
import { isOtherSystemBus, sessionBusSockets, systemBusSockets } from '../conditions/dbus/bus-address.ts';
import { macosSources, notifyChanges, outputOf } from '../conditions/macos-source-node.ts';
import { networkSysfs } from '../conditions/network-sysfs.ts';
import { DesktopNotifier } from '../conditions/notifier-desktop.ts';
import { powerSysfs } from '../conditions/power-sysfs.ts';
import { SessionBusSource } from '../conditions/session-bus-source.ts';
import { sysfsRoot } from '../conditions/sysfs-root.ts';
import type { NetworkSource, PowerSource, SessionSource } from '../core/conditions.ts';
import type { Notifier } from '../core/notifier.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that the machine says of itself. */
export interface MachineConditions {
  readonly power: PowerSource;
  readonly network: NetworkSource;
  readonly session: SessionSource;
  readonly notifiers: { readonly recording: Notifier; readonly exemptions: Notifier };
  /** Lets go of the buses, after the sources were stopped. */
  readonly stop: () => void;
}

/** What of the environment makes a simulated machine: the variable's name; `null` for this machine itself. */
export function simulatedBy(env: Environment): string | null {
  if (sysfsRoot(env).isSimulated) return 'TELEMETRYD_SYSFS_ROOT';
  return isOtherSystemBus(env) ? 'DBUS_SYSTEM_BUS_ADDRESS' : null;
}

/**
 * The sources of this machine, not yet started. `uid` is whose session counts; `isOfSeat`: it must be the one at the
 * machine's seat, as for a service that sees the input of whoever is.
 */
export function machineConditions(
  env: Environment,
  uid: number,
  platform: NodeJS.Platform,
  isOfSeat = false,
): MachineConditions {
  const root = sysfsRoot(env);
  const systemBus = new Bus(systemBusSockets(env), delayNode);
  const sessionBus = new Bus(sessionBusSockets(env), delayNode);
  const power = powerSysfs(root);
  const network = networkSysfs(root);
  const session = new SessionBusSource({ systemBus, sessionBus, uid, isOfSeat, delay: delayNode });
  const notifiers = {
    recording: new DesktopNotifier(sessionBus),
    exemptions: new DesktopNotifier(sessionBus),
  };
  const stopBuses = (): void => {
    systemBus.stop();
    sessionBus.stop();
  };
  if (platform === 'darwin' && !root.isSimulated) {
    const { power: macPower, network: macNetwork, stop } = macosSources(outputOf, notifyChanges, delayNode);
    return {
      power: macPower,
      network: macNetwork,
      notifiers,
      session,
      stop: () => {
        stop();
        stopBuses();
      },
    };
  }
  // A simulated machine has the buses that the environment names, not those of the machine that simulates it.
  const isFolderOnly = root.isSimulated && !isOtherSystemBus(env);
  return {
    power: isFolderOnly ? power : powerBus(systemBus, power, delayNode),
    network: isFolderOnly ? network : networkBus(systemBus, network, delayNode),
    notifiers,
    session,
    stop: stopBuses,
  };
}
