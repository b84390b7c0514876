import type { DeviceBook } from '../device-book.ts';
import type { ExemptionBook } from '../exemption-book.ts';
import type { HealthBook } from '../health-book.ts';
import type { DayTraffic, Traffic } from '../traffic.ts';
import type { Viewer } from './document.ts';
import { deviceCount, fleetFigures } from './fleet-figures.ts';
import { type FleetData, fleetPage, TRAFFIC_DAYS } from './fleet-view.ts';

/** Where the fleet's figures come from. */
export interface FleetDesk {
  readonly devices: DeviceBook;
  readonly health: HealthBook;
  readonly traffic: Traffic;
  readonly exemptions: ExemptionBook;
  /** Requests that this process refused since it started, by HTTP status. */
  readonly refusals: () => ReadonlyMap<number, number>;
  readonly startedMs: number;
  readonly wallMs: () => number;
}

const DAY_MS = 86_400_000;

/** The page of the fleet as it is now. */
export async function showFleet(viewer: Viewer, desk: FleetDesk): Promise<string> {
  const { devices, health, traffic, exemptions, refusals, startedMs, wallMs } = desk;
  const nowMs = wallMs();
  const today = Math.floor(nowMs / DAY_MS);
  const [keys, records, days, waiting] = await Promise.all([
    devices.list(),
    health.list(),
    traffic.days((today - TRAFFIC_DAYS + 1) * DAY_MS),
    exemptions.list({ state: 'pending' }),
  ]);
  const enrolled = new Set(
    keys.filter(({ revokedAtMs }) => revokedAtMs === null).map(({ device }) => device),
  );
  const data: FleetData = {
    figures: fleetFigures(records, nowMs),
    enrolled: deviceCount(enrolled.size),
    waiting: waiting.length,
    traffic: everyDay(days, today),
    refusals: refusals(),
    startedDay: dayName(Math.floor(startedMs / DAY_MS)),
  };
  return fleetPage(data, viewer);
}

/** The days up to today, those on which nothing arrived too. */
function everyDay(days: readonly DayTraffic[], today: number): DayTraffic[] {
  const known = new Map(days.map((traffic) => [traffic.day, traffic]));
  return Array.from({ length: TRAFFIC_DAYS }, (_, at) => {
    const day = dayName(today - TRAFFIC_DAYS + 1 + at);
    return known.get(day) ?? { day, segments: 0, bytes: 0, devices: 0 };
  });
}

function dayName(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
