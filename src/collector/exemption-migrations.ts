import type { Migration, Schema } from './database.ts';

/** The exemption book's file in the data folder: only those who decide need to read it. */
export const EXEMPTION_BOOK = 'exemptions.sqlite';

const MIGRATIONS: readonly Migration[] = [
  ({ text, integer, bytes, serial, keyed, plain, appendOnly }) => [
    `CREATE TABLE exemptions (
       id              ${text} PRIMARY KEY,
       device          ${text} NOT NULL,
       scope           ${text} NOT NULL,
       asked_at        ${integer} NOT NULL,
       until           ${integer} NOT NULL,
       reason          ${bytes},
       state           ${text} NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'withdrawn')),
       received_at     ${integer} NOT NULL,
       decided_at      ${integer},
       decided_by      ${text} NOT NULL DEFAULT '',
       decision_reason ${text} NOT NULL DEFAULT ''
     ) ${keyed}`,
    `CREATE TABLE exemption_audit (
       seq    ${serial},
       at     ${integer} NOT NULL,
       id     ${text} NOT NULL,
       device ${text} NOT NULL,
       action ${text} NOT NULL,
       by     ${text} NOT NULL
     ) ${plain}`,
    'CREATE INDEX exemption_audit_id ON exemption_audit (id)',
    ...appendOnly('exemption_audit', 'the audit trail is only ever appended to'),
  ],
];

/** What people asked to be exempt from, and who decided. */
export const EXEMPTION_SCHEMA: Schema = {
  what: 'exemption book',
  versions: 'exemption_migrations',
  migrations: MIGRATIONS,
};
