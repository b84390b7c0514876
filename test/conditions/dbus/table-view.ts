import type { ServiceView } from '../../../src/conditions/dbus/bus-service.ts';
import type { BusValue, Properties } from '../../../src/conditions/dbus/values.ts';

/** An object's properties of one interface. */
export type Row = Readonly<Record<string, BusValue>>;

/**
 * A service as tables: `path interface` to properties, `path interface method` to what it returns. What is not in them is
 * answered with an error; what is in them as `undefined` has not been answered.
 */
export function tableView(
  objects: Readonly<Record<string, Row | undefined>>,
  results: Readonly<Record<string, BusValue | undefined>> = {},
): ServiceView {
  return {
    properties: (path, interfaceName): Properties | null | undefined => {
      const key = `${path} ${interfaceName}`;
      if (!(key in objects)) return null;
      const row = objects[key];
      return row === undefined ? undefined : new Map(Object.entries(row));
    },
    result: (path, interfaceName, method) => {
      const key = `${path} ${interfaceName} ${method}`;
      return key in results ? results[key] : null;
    },
  };
}
