/**
 * The tables of what a promoter has verified of a log: the ledger's own, so that the same questions are asked of them, but for what entries say.
 *
 * - `log_entry`: the digest of each statement; of the token of a keyless signature too, which no leaf covers.
 * - `hash_tile`: as in the ledger, and the partial tiles of the right edge with them: with their hashes each entry that is read is compared.
 * - `erased`: entries that were erased when they were verified. When the log has others the projection is made again; see `take-erased.ts`.
 * - `log_commit`: the last commit that was verified, and no other.
 */
import { PROJECTION_SCHEMA } from '../projection/schema.js';
import { COMMIT_TABLE, COSIGNED_TABLE, LEDGER_TABLE, SCHEMA_VERSION, STATEMENT_INDEX } from '../store/schema.js';

/** Every table and index. */
export const VERIFIED_SCHEMA: readonly string[] = [
  LEDGER_TABLE,
  'CREATE TABLE log_entry(idx INTEGER PRIMARY KEY, statement BLOB NOT NULL CHECK(length(statement) = 32), token BLOB) STRICT',
  STATEMENT_INDEX,
  'CREATE TABLE erased(idx INTEGER PRIMARY KEY) STRICT',
  'CREATE TABLE hash_tile(level INTEGER NOT NULL, n INTEGER NOT NULL, root BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY(level, n)) STRICT',
  COMMIT_TABLE,
  ...COSIGNED_TABLE,
  ...PROJECTION_SCHEMA,
];

/** Marks the file; it changes with the projection and with the tables above. */
export const VERIFIED_VERSION = SCHEMA_VERSION * 1000 + 2;
