/** The catalogue's file in the data folder. */
export const CATALOG = 'catalog.sqlite';

/** The schema of `catalog.sqlite`. Applied in order, each once, in a transaction of its own; only ever appended to. */
export const CATALOG_MIGRATIONS: readonly string[] = [
  `CREATE TABLE segments (
     device      TEXT NOT NULL,
     segment     TEXT NOT NULL,
     sha256      TEXT NOT NULL,
     size        INTEGER NOT NULL,
     received_at INTEGER NOT NULL,
     PRIMARY KEY (device, segment)
   ) STRICT, WITHOUT ROWID`,
  'ALTER TABLE segments ADD COLUMN ledger_head TEXT',
  `CREATE TABLE tombstones (
     device    TEXT NOT NULL,
     segment   TEXT NOT NULL,
     was_kept  INTEGER NOT NULL,
     erased_at INTEGER NOT NULL,
     PRIMARY KEY (device, segment)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE erasures (
     device   TEXT NOT NULL,
     request  TEXT NOT NULL,
     segments INTEGER NOT NULL,
     erased   INTEGER NOT NULL,
     asked_at INTEGER NOT NULL,
     PRIMARY KEY (device, request)
   ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE device_keys (
     key_id      TEXT PRIMARY KEY,
     device      TEXT NOT NULL,
     public_key  TEXT NOT NULL,
     enrolled_at INTEGER NOT NULL,
     revoked_at  INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX device_keys_device ON device_keys (device);
   CREATE TABLE enrolment_tokens (
     hash       TEXT PRIMARY KEY,
     made_at    INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     used_by    TEXT
   ) STRICT, WITHOUT ROWID`,
];
