import type { Migration, Schema } from './database.ts';

/** The catalogue's file in the data folder. */
export const CATALOG = 'catalog.sqlite';

const MIGRATIONS: readonly Migration[] = [
  ({ text, integer, keyed }) => [
    `CREATE TABLE segments (
       device      ${text} NOT NULL,
       segment     ${text} NOT NULL,
       sha256      ${text} NOT NULL,
       size        ${integer} NOT NULL,
       received_at ${integer} NOT NULL,
       PRIMARY KEY (device, segment)
     ) ${keyed}`,
  ],
  ({ text }) => [`ALTER TABLE segments ADD COLUMN ledger_head ${text}`],
  ({ text, integer, keyed }) => [
    `CREATE TABLE tombstones (
       device    ${text} NOT NULL,
       segment   ${text} NOT NULL,
       was_kept  ${integer} NOT NULL,
       erased_at ${integer} NOT NULL,
       PRIMARY KEY (device, segment)
     ) ${keyed}`,
    `CREATE TABLE erasures (
       device   ${text} NOT NULL,
       request  ${text} NOT NULL,
       segments ${integer} NOT NULL,
       erased   ${integer} NOT NULL,
       asked_at ${integer} NOT NULL,
       PRIMARY KEY (device, request)
     ) ${keyed}`,
  ],
  ({ text, integer, keyed }) => [
    `CREATE TABLE device_keys (
       key_id      ${text} PRIMARY KEY,
       device      ${text} NOT NULL,
       public_key  ${text} NOT NULL,
       enrolled_at ${integer} NOT NULL,
       revoked_at  ${integer}
     ) ${keyed}`,
    'CREATE INDEX device_keys_device ON device_keys (device)',
    `CREATE TABLE enrolment_tokens (
       hash       ${text} PRIMARY KEY,
       made_at    ${integer} NOT NULL,
       expires_at ${integer} NOT NULL,
       used_by    ${text}
     ) ${keyed}`,
  ],
  () => ['CREATE INDEX segments_received ON segments (received_at, device, size)'],
];

/** Segments, what was erased, and devices. */
export const CATALOG_SCHEMA: Schema = {
  what: 'catalogue',
  versions: 'catalog_migrations',
  migrations: MIGRATIONS,
};
