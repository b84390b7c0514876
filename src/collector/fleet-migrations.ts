import type { Migration, Schema } from './database.ts';

/** The fleet's file in the data folder. */
export const FLEET_BOOK = 'fleet.sqlite';

const MIGRATIONS: readonly Migration[] = [
  ({ text, integer, keyed }) => [
    `CREATE TABLE device_health (
       device  ${text} PRIMARY KEY,
       day     ${text} NOT NULL,
       version ${text} NOT NULL,
       backend ${text} NOT NULL,
       codes   ${text} NOT NULL
     ) ${keyed}`,
    `CREATE TABLE admins (
       name       ${text} PRIMARY KEY,
       token_hash ${text} NOT NULL UNIQUE,
       made_at    ${integer} NOT NULL
     ) ${keyed}`,
  ],
];

/** What devices say of themselves, and who looks at it. */
export const FLEET_SCHEMA: Schema = {
  what: 'fleet book',
  versions: 'fleet_migrations',
  migrations: MIGRATIONS,
};
