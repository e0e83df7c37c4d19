/**
 * The tables of a ledger file. `entry` is the truth; `tile` and `head` can be recomputed from it, and so can everything under "projection".
 *
 * The truth is append-only by triggers: against slips, not against whoever owns the file. Against him stand the cosigned checkpoints elsewhere.
 */

/** Raised whenever the tables change; a file of another version is refused. */
export const SCHEMA_VERSION = 1;

const truth = `
CREATE TABLE entry (
  idx INTEGER PRIMARY KEY,
  statement_digest BLOB NOT NULL CHECK (length(statement_digest) = 32),
  key_id BLOB NOT NULL CHECK (length(key_id) = 32),
  leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
  spki BLOB NOT NULL,
  envelope TEXT NOT NULL,
  logged_at TEXT NOT NULL,
  UNIQUE (statement_digest, key_id)
) STRICT;
CREATE TABLE tile (
  level INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  hashes BLOB NOT NULL CHECK (length(hashes) = 8192),
  root BLOB NOT NULL CHECK (length(root) = 32),
  PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, root BLOB NOT NULL) STRICT;
CREATE TABLE cosigned (seq INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
CREATE INDEX cosigned_size ON cosigned (size);
`;

const projection = `
CREATE TABLE subject (digest BLOB NOT NULL, predicate_type TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (digest, predicate_type, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE release (idx INTEGER PRIMARY KEY, digest TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL) STRICT;
CREATE INDEX release_name ON release (name, version);
CREATE TABLE decision (idx INTEGER PRIMARY KEY, release TEXT NOT NULL, stage TEXT NOT NULL, result TEXT NOT NULL, counter INTEGER, key_id BLOB NOT NULL) STRICT;
CREATE INDEX decision_stage ON decision (stage, release);
CREATE TABLE site (idx INTEGER PRIMARY KEY, name TEXT NOT NULL, stage TEXT NOT NULL, site_key TEXT NOT NULL) STRICT;
CREATE INDEX site_name ON site (name);
CREATE TABLE receipt (idx INTEGER PRIMARY KEY, site TEXT NOT NULL, key_id BLOB NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, release TEXT, reason TEXT, at TEXT NOT NULL) STRICT;
CREATE INDEX receipt_site ON receipt (site, key_id, seq);
`;

/** Rows of the truth are added at the end and never changed. The dense-index triggers also close INSERT OR REPLACE, which fires no delete trigger. */
const guards = ['entry', 'tile', 'cosigned']
  .map(
    (table) => `
CREATE TRIGGER ${table}_no_update BEFORE UPDATE ON ${table} BEGIN SELECT raise(ABORT, '${table} is append-only'); END;
CREATE TRIGGER ${table}_no_delete BEFORE DELETE ON ${table} BEGIN SELECT raise(ABORT, '${table} is append-only'); END;`,
  )
  .join('');
const denseGuards = `
CREATE TRIGGER entry_dense BEFORE INSERT ON entry WHEN new.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM entry)
BEGIN SELECT raise(ABORT, 'entry is dense: only the next index'); END;
CREATE TRIGGER cosigned_dense BEFORE INSERT ON cosigned WHEN new.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM cosigned)
BEGIN SELECT raise(ABORT, 'cosigned is dense: only the next number'); END;
CREATE TRIGGER tile_new BEFORE INSERT ON tile WHEN EXISTS (SELECT 1 FROM tile WHERE level = new.level AND idx = new.idx)
BEGIN SELECT raise(ABORT, 'tile is append-only'); END;
CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN SELECT raise(ABORT, 'head has one row'); END;
CREATE TRIGGER head_grows BEFORE UPDATE ON head WHEN new.size < old.size BEGIN SELECT raise(ABORT, 'head only grows'); END;
`;

/** Names of the projection's tables, which `rebuildProjection` empties and fills again. */
export const PROJECTION_TABLES = ['subject', 'release', 'decision', 'site', 'receipt'] as const;

/** All statements that make an empty ledger, but for the one row of `head`. */
export const SCHEMA = `${truth}${projection}${guards}${denseGuards}`;
