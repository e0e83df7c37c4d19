/** What the promoter and the auditor ask of the projection. Every answer leads back to entries of the log. */
import type { Digest } from '@sealane/core';
import type { Ledger } from '../log/ledger.js';
import { type Entry, type EntryRow, readRow } from '../log/entry.js';
import { PROJECTION_TABLES } from '../store/schema.js';
import { digestBytes, project } from './project.js';

/** A release by its name and version; `index` is that of its release statement. */
export interface ReleaseRow {
  readonly index: number;
  readonly digest: Digest;
  readonly name: string;
  readonly version: string;
}

/** A decision; `counter` is null for a refusal. `keyId` is hex. */
export interface DecisionRow {
  readonly index: number;
  readonly release: Digest;
  readonly stage: string;
  readonly result: 'PASSED' | 'FAILED';
  readonly counter: number | null;
  readonly keyId: string;
}

/** A receipt in a site's chain; `keyId` is hex: a re-enrolled site starts a new chain under a new key. */
export interface ReceiptRow {
  readonly index: number;
  readonly site: string;
  readonly keyId: string;
  readonly seq: number;
  readonly event: string;
  readonly release: Digest | null;
  readonly reason: string | null;
  readonly at: string;
}

/** A site record as logged. */
export interface SiteRow {
  readonly index: number;
  readonly name: string;
  readonly stage: string;
  readonly siteKey: string;
}

/** All statements about `subject`, in log order; of one predicate type when given. */
export function statementsAbout(ledger: Ledger, subject: Digest, predicateType?: string): readonly Entry[] {
  const sql = `SELECT entry.* FROM subject JOIN entry USING (idx) WHERE digest = ? ${predicateType === undefined ? '' : 'AND predicate_type = ?'} ORDER BY idx`;
  const values = predicateType === undefined ? [digestBytes(subject)] : [digestBytes(subject), predicateType];
  return ledger.store.prepare<unknown[], EntryRow>(sql).all(...values).map(readRow);
}

/** Releases in log order; of one name (and version) when given. */
export function releases(ledger: Ledger, name?: string, version?: string): readonly ReleaseRow[] {
  return ledger.store
    .prepare<unknown[], ReleaseRow>(
      'SELECT idx AS "index", digest, name, version FROM release WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR version = ?2) ORDER BY idx',
    )
    .all(name ?? null, version ?? null);
}

/** Decisions in log order; of one stage and release when given. */
export function decisions(ledger: Ledger, filter: { readonly stage?: string; readonly release?: Digest } = {}): readonly DecisionRow[] {
  return ledger.store
    .prepare<unknown[], DecisionRow>(
      'SELECT idx AS "index", release, stage, result, counter, lower(hex(key_id)) AS keyId FROM decision WHERE (?1 IS NULL OR stage = ?1) AND (?2 IS NULL OR release = ?2) ORDER BY idx',
    )
    .all(filter.stage ?? null, filter.release ?? null);
}

/** Site records in log order; of one name when given. The last one of a name is in force. */
export function sites(ledger: Ledger, name?: string): readonly SiteRow[] {
  return ledger.store
    .prepare<unknown[], SiteRow>('SELECT idx AS "index", name, stage, site_key AS siteKey FROM site WHERE ?1 IS NULL OR name = ?1 ORDER BY idx')
    .all(name ?? null);
}

/** Receipts in log order; of one site or one release when given. */
export function receipts(ledger: Ledger, filter: { readonly site?: string; readonly release?: Digest } = {}): readonly ReceiptRow[] {
  return ledger.store
    .prepare<unknown[], ReceiptRow>(
      'SELECT idx AS "index", site, lower(hex(key_id)) AS keyId, seq, event, release, reason, at FROM receipt WHERE (?1 IS NULL OR site = ?1) AND (?2 IS NULL OR release = ?2) ORDER BY idx',
    )
    .all(filter.site ?? null, filter.release ?? null);
}

/** Empties the projection and fills it again from the entries, in one transaction. */
export function rebuildProjection(ledger: Ledger): void {
  const { store } = ledger;
  store
    .transaction(() => {
      for (const table of PROJECTION_TABLES) store.exec(`DELETE FROM ${table}`);
      for (const row of store.prepare<[], EntryRow>('SELECT * FROM entry ORDER BY idx').all()) {
        project(store, { index: row.idx, keyId: row.key_id, statement: readRow(row).statement });
      }
    })
    .immediate();
}
