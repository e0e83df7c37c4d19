/**
 * Fills an empty ledger faster than appending does, to the same rows: those of each entry by the code of a commit, but without looking for what was logged before,
 * nothing flushed before the end, and indexes and triggers made when all rows are there.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { parseCheckpoint } from '@sealane/core';
import type { NoteSigner } from '@sealane/ledger';
import Database from 'better-sqlite3';
import { checkpointOf, insertCommit, lastCommit } from '../../packages/ledger/src/log/commits.js';
import { cosignedCount, insertCosigned } from '../../packages/ledger/src/log/cosigned.js';
import type { PreparedEntry } from '../../packages/ledger/src/log/entry.js';
import { insertEntry } from '../../packages/ledger/src/log/entry-rows.js';
import { RightEdge } from '../../packages/ledger/src/log/right-edge.js';
import { insertTiles } from '../../packages/ledger/src/log/tile-rows.js';
import { projectEntry, startProjecting } from '../../packages/ledger/src/projection/project.js';
import { PROJECTION_TABLES } from '../../packages/ledger/src/projection/schema.js';
import { rowWriter } from '../../packages/ledger/src/store/row-writer.js';
import type { Queries, Row, SqlValue } from '../../packages/ledger/src/store/store.js';

const CACHE_MIB = 512;
/** Commits of the log in one of the database. */
const TOGETHER = 20;
const TABLES = ['log_entry', 'envelope', ...PROJECTION_TABLES.map(({ name }) => name)];

/** A ledger that is being filled. */
export interface BulkLedger {
  /** One commit of the log: entries of which none was logged before. */
  commit(batch: readonly PreparedEntry[], committedAt: string): Promise<void>;
  /** Saves the checkpoint of the last commit as `cosign` returns it. */
  seal(cosign: (note: string) => string, savedAt: string): Promise<void>;
  /** Makes what was left for the end; then the file is as an appended one, and on the disk. */
  finish(): Promise<void>;
}

/** Opens the file of a ledger that was just made, and that nobody else has open. */
export function openBulk(file: string, { origin, signer }: { readonly origin: string; readonly signer: NoteSigner }): BulkLedger {
  const database = new Database(file);
  for (const pragma of ['journal_mode = MEMORY', 'synchronous = OFF', 'foreign_keys = OFF', `cache_size = ${-1024 * CACHE_MIB}`])
    database.pragma(pragma);
  const later = database
    .prepare("SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL")
    .all() as Made[];
  for (const { type, name } of later) database.exec(`DROP ${type} ${name}`);
  // its rows come sorted at the end: each would go to another page of the table, which is ordered by what an entry is about
  database.exec('CREATE TEMP TABLE subject(artifact, predicate_type, idx)');
  database.exec('BEGIN');
  const queries = connection(database);
  const rows = rowWriter(queries, TABLES);
  const projecting = startProjecting(queries, rows);
  const edge = RightEdge.empty();
  let commits = 0;
  return {
    commit: async (batch, committedAt) => {
      const previous = edge.size;
      const tiles = [];
      for (const entry of batch) {
        const { keyId, spki, statement, projected } = entry;
        insertEntry(rows, edge.size, entry, notErased);
        await projectEntry(projecting, { index: edge.size, keyId, spki, statement, projected });
        tiles.push(...edge.append(entry.leafHash));
      }
      await rows.flush();
      await insertTiles(queries, tiles);
      const commit = { size: edge.size, root: edge.root(), previous, cosigned: await cosignedCount(queries), committedAt };
      await insertCommit(queries, { origin, signer, commit });
      commits += 1;
      if (commits % TOGETHER === 0) database.exec('COMMIT; BEGIN');
    },
    seal: async (cosign, savedAt) => {
      const last = await lastCommit(queries);
      if (last === undefined) throw new Error('seal: expected a commit, got none');
      const checkpoint = parseCheckpoint(cosign(checkpointOf(origin, last)));
      await insertCosigned({ transaction: queries, answers: queries }, { checkpoint, signer, savedAt });
    },
    finish: () => {
      database.exec('INSERT INTO main.subject SELECT * FROM temp.subject ORDER BY 1, 2, 3; COMMIT; DROP TABLE temp.subject');
      for (const { sql } of later) database.exec(sql);
      database.pragma('journal_mode = WAL');
      database.close();
      flush(file);
      return Promise.resolve();
    },
  };
}

interface Made {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

function notErased(): never {
  throw new Error('fill a ledger: expected entries with their payloads, got one that was erased');
}

function connection(database: Database.Database): Queries {
  const prepared = new Map<string, Database.Statement<SqlValue[]>>();
  const statement = (sql: string): Database.Statement<SqlValue[]> => {
    const made = prepared.get(sql) ?? database.prepare<SqlValue[]>(sql);
    prepared.set(sql, made);
    return made;
  };
  return {
    all: (sql, ...values) => Promise.resolve(statement(sql).all(...values) as Row[]),
    get: (sql, ...values) => Promise.resolve(statement(sql).get(...values) as Row | undefined),
    run: (sql, ...values) => {
      statement(sql).run(...values);
      return Promise.resolve();
    },
  };
}

function flush(file: string): void {
  const open = openSync(file, 'r+');
  fsyncSync(open);
  closeSync(open);
}
