/**
 * The tables of the projection: what the entries say, laid out for questions. All of it can be rebuilt from the log.
 *
 * Digests, keys, predicate types and documents are interned in the order of their first appearance, so a rebuilt projection is equal, row by row.
 */

/** A table: its name, and the columns of its primary key in order. */
export interface TableKey {
  readonly name: string;
  readonly key: readonly string[];
}

/** Every table of the projection; a table comes after those that it refers to. */
export const PROJECTION_TABLES: readonly TableKey[] = [
  { name: 'artifact', key: ['id'] },
  { name: 'predicate_type', key: ['id'] },
  { name: 'key_seen', key: ['id'] },
  { name: 'document', key: ['id'] },
  { name: 'statement', key: ['idx'] },
  { name: 'subject', key: ['artifact', 'predicate_type', 'idx'] },
  { name: 'release', key: ['idx'] },
  { name: 'component', key: ['artifact', 'idx'] },
  { name: 'decision', key: ['idx'] },
  { name: 'approval', key: ['idx'] },
  { name: 'test_result', key: ['idx'] },
  { name: 'revocation', key: ['idx'] },
  { name: 'site_record', key: ['idx'] },
  { name: 'receipt', key: ['idx'] },
];

/** The schema of the projection, statement by statement. */
export const PROJECTION_SCHEMA: readonly string[] = [
  'CREATE TABLE artifact(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32)) STRICT',
  'CREATE TABLE predicate_type(id INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE) STRICT',
  `CREATE TABLE key_seen(id INTEGER PRIMARY KEY, key_id BLOB NOT NULL UNIQUE CHECK(length(key_id) = 32), spki BLOB NOT NULL, first_idx INTEGER NOT NULL) STRICT`,
  // JSON that many statements repeat: what a machine is made of, without serials; labels, topology and variables of a site
  'CREATE TABLE document(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32), body TEXT NOT NULL) STRICT',
  `CREATE TABLE statement(
    idx INTEGER PRIMARY KEY, key INTEGER NOT NULL REFERENCES key_seen(id), predicate_type INTEGER NOT NULL REFERENCES predicate_type(id)) STRICT`,
  'CREATE INDEX statement_key ON statement(key, idx)',
  'CREATE INDEX statement_type ON statement(predicate_type, idx)',
  `CREATE TABLE subject(
    artifact INTEGER NOT NULL REFERENCES artifact(id), predicate_type INTEGER NOT NULL, idx INTEGER NOT NULL,
    PRIMARY KEY(artifact, predicate_type, idx)) WITHOUT ROWID, STRICT`,
  `CREATE TABLE release(idx INTEGER PRIMARY KEY, artifact INTEGER NOT NULL REFERENCES artifact(id), name TEXT NOT NULL, version TEXT NOT NULL) STRICT`,
  'CREATE INDEX release_name ON release(name, version, idx)',
  // the parts of a release, and the statement that lists them
  `CREATE TABLE component(
    artifact INTEGER NOT NULL REFERENCES artifact(id), idx INTEGER NOT NULL REFERENCES release(idx), PRIMARY KEY(artifact, idx)) WITHOUT ROWID, STRICT`,
  `CREATE TABLE decision(
    idx INTEGER PRIMARY KEY, artifact INTEGER NOT NULL REFERENCES artifact(id), stage TEXT NOT NULL, from_stage TEXT, counter INTEGER,
    result TEXT NOT NULL, policy BLOB NOT NULL) STRICT`,
  'CREATE INDEX decision_stage ON decision(stage, idx)',
  'CREATE INDEX decision_artifact ON decision(artifact, stage, idx)',
  `CREATE TABLE approval(
    idx INTEGER PRIMARY KEY, artifact INTEGER NOT NULL REFERENCES artifact(id), stage TEXT NOT NULL, verdict TEXT NOT NULL, policy BLOB NOT NULL,
    expires_at TEXT NOT NULL) STRICT`,
  'CREATE INDEX approval_artifact ON approval(artifact, stage, idx)',
  `CREATE TABLE test_result(
    idx INTEGER PRIMARY KEY, artifact INTEGER NOT NULL REFERENCES artifact(id), result TEXT NOT NULL, suite TEXT, report BLOB, hardware BLOB) STRICT`,
  'CREATE INDEX test_result_artifact ON test_result(artifact, idx)',
  `CREATE TABLE revocation(idx INTEGER PRIMARY KEY, artifact INTEGER NOT NULL REFERENCES artifact(id), reason TEXT NOT NULL, floor INTEGER) STRICT`,
  'CREATE INDEX revocation_artifact ON revocation(artifact, idx)',
  `CREATE TABLE site_record(
    idx INTEGER PRIMARY KEY, site TEXT NOT NULL, key_id BLOB NOT NULL, stage TEXT NOT NULL, labels INTEGER NOT NULL REFERENCES document(id),
    topology INTEGER REFERENCES document(id)) STRICT`,
  'CREATE INDEX site_record_site ON site_record(site, idx)',
  `CREATE TABLE receipt(
    idx INTEGER PRIMARY KEY, site TEXT NOT NULL, key_id BLOB NOT NULL, seq INTEGER NOT NULL, prev BLOB, event TEXT NOT NULL,
    artifact INTEGER REFERENCES artifact(id), previous INTEGER REFERENCES artifact(id), waybill BLOB, reason TEXT, at TEXT NOT NULL,
    hardware INTEGER NOT NULL REFERENCES document(id), variables INTEGER REFERENCES document(id), loose INTEGER NOT NULL) STRICT`,
  'CREATE INDEX receipt_site ON receipt(site, seq, idx)',
  'CREATE INDEX receipt_artifact ON receipt(artifact, idx)',
  'CREATE INDEX receipt_previous ON receipt(previous, idx)',
  // few: receipts that do not follow the one before (`loose`), and ways back
  'CREATE INDEX receipt_loose ON receipt(site) WHERE loose = 1',
  "CREATE INDEX receipt_back ON receipt(site) WHERE event IN ('rolled-back', 'rollback')",
];
