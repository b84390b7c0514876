/**
 * What D-Bus types become. Numbers of all sizes are numbers (64-bit ones lose what is beyond 2^53), strings, paths and
 * signatures are strings, a byte array is a `Uint8Array`, an array or a structure is an array, a dictionary is a map, and
 * a variant is what it holds.
 */
export type BusValue =
  | number
  | string
  | boolean
  | Uint8Array
  | readonly BusValue[]
  | ReadonlyMap<BusValue, BusValue>;

/** An object's properties of one interface, by name. */
export type Properties = ReadonlyMap<BusValue, BusValue>;

/** A property that is a string; `null` when it is missing or something else. */
export function textOf(properties: Properties, name: string): string | null {
  const value = properties.get(name);
  return typeof value === 'string' ? value : null;
}

/** A property that is a number; `null` when it is missing or something else. */
export function numberOf(properties: Properties, name: string): number | null {
  const value = properties.get(name);
  return typeof value === 'number' ? value : null;
}

/** A property that is true or false; `null` when it is missing or something else. */
export function flagOf(properties: Properties, name: string): boolean | null {
  const value = properties.get(name);
  return typeof value === 'boolean' ? value : null;
}

/** A string; an empty one when it is something else. */
export function textIn(value: BusValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The items of an array or a structure; none when it is something else. */
export function itemsIn(value: BusValue | undefined): readonly BusValue[] {
  return isItems(value) ? value : [];
}

/** The strings of an array; none when it is something else. */
export function textsIn(value: BusValue | undefined): string[] {
  return itemsIn(value).filter((item) => typeof item === 'string');
}

/** `Array.isArray` alone would make it an array of anything. */
function isItems(value: BusValue | undefined): value is readonly BusValue[] {
  return Array.isArray(value);
}
