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
  ({ text, integer, serial, keyed, plain, appendOnly }) => [
    `ALTER TABLE segments ADD COLUMN expires_at ${integer}`,
    `ALTER TABLE segments ADD COLUMN sequence ${integer}`,
    `ALTER TABLE segments ADD COLUMN receipt ${text}`,
    'CREATE INDEX segments_expires_at ON segments (expires_at)',
    'CREATE INDEX segments_receipt ON segments (device, receipt)',
    `ALTER TABLE tombstones ADD COLUMN why ${text}`,
    'CREATE INDEX tombstones_erased_at ON tombstones (erased_at)',
    `CREATE TABLE withdrawals (
       device       ${text} NOT NULL,
       receipt      ${text} NOT NULL,
       request      ${text} NOT NULL,
       withdrawn_at ${integer} NOT NULL,
       PRIMARY KEY (device, receipt)
     ) ${keyed}`,
    'CREATE INDEX withdrawals_withdrawn_at ON withdrawals (withdrawn_at)',
    `CREATE TABLE readers (
       name       ${text} PRIMARY KEY,
       token_hash ${text} NOT NULL UNIQUE,
       added_at   ${integer} NOT NULL,
       revoked_at ${integer}
     ) ${keyed}`,
    `CREATE TABLE access_log (
       seq     ${serial},
       at      ${integer} NOT NULL,
       reader  ${text} NOT NULL,
       what    ${text} NOT NULL,
       device  ${text},
       segment ${text}
     ) ${plain}`,
    'CREATE INDEX access_log_at ON access_log (at)',
    ...appendOnly('access_log', 'the access log is only ever appended to'),
  ],
  ({ text, integer, keyed }) => [
    `CREATE TABLE unsettled (
       device  ${text} NOT NULL,
       segment ${text} NOT NULL,
       since   ${integer} NOT NULL,
       PRIMARY KEY (device, segment)
     ) ${keyed}`,
    'CREATE INDEX unsettled_since ON unsettled (since)',
    `CREATE TABLE nonces (
       key_id ${text} NOT NULL,
       nonce  ${text} NOT NULL,
       until  ${integer} NOT NULL,
       PRIMARY KEY (key_id, nonce)
     ) ${keyed}`,
    'CREATE INDEX nonces_until ON nonces (until)',
    `CREATE TABLE agreements (
       name  ${text} PRIMARY KEY,
       value ${text} NOT NULL
     ) ${keyed}`,
  ],
  () => ['CREATE INDEX segments_received ON segments (received_at, device, size)'],
];

/** Segments, what was erased, devices, and what several collectors share. */
export const CATALOG_SCHEMA: Schema = {
  what: 'catalogue',
  versions: 'catalog_migrations',
  migrations: MIGRATIONS,
};
