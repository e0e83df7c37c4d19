/** Writes what an entry says into the projection, in the transaction of its commit. */
import { type Digest, digestHex, fromHex, sha256, type Statement, utf8 } from '@sealane/core';
import { integerAt } from '../store/rows.js';
import type { Queries, SqlValue } from '../store/store.js';
import type { Document, Projected } from './projected.js';

/** An entry as the projection takes it. */
export interface ProjectedEntry {
  readonly index: number;
  readonly keyId: string;
  readonly spki: Uint8Array;
  readonly statement: Statement;
  readonly projected: Projected | null;
}

/** Adds the rows of one entry. Entries must come in order of their index: ids are given by first appearance. */
export async function projectEntry(tables: Queries, { index, keyId, spki, statement, projected }: ProjectedEntry): Promise<void> {
  const key = await keyRow(tables, { keyId, spki, index });
  const type = await idOf(tables, { table: 'predicate_type', column: 'uri', value: statement.predicateType });
  await tables.run('INSERT INTO statement(idx, key, predicate_type) VALUES (?, ?, ?)', index, key, type);
  // a statement may name one digest twice, under two names
  for (const digest of new Set(statement.subject.map((subject) => subject.digest.sha256))) {
    const artifact = await idOf(tables, { table: 'artifact', column: 'digest', value: fromHex(digest) });
    await tables.run('INSERT INTO subject(artifact, predicate_type, idx) VALUES (?, ?, ?)', artifact, type, index);
  }
  if (projected !== null) await insertProjected(tables, index, projected);
}

async function insertProjected(tables: Queries, index: number, projected: Projected): Promise<void> {
  const columns = await columnsOf(tables, projected);
  const names = Object.keys(columns);
  const sql = `INSERT INTO ${projected.kind}(idx, ${names.join(', ')}) VALUES (?${', ?'.repeat(names.length)})`;
  await tables.run(sql, index, ...Object.values(columns));
}

/** Column → value of a projected row, in one fixed order for each kind. */
async function columnsOf(tables: Queries, projected: Projected): Promise<Readonly<Record<string, SqlValue>>> {
  switch (projected.kind) {
    case 'release':
      return { artifact: await artifactId(tables, projected.release), name: projected.name, version: projected.version };
    case 'decision': {
      const { stage, fromStage, counter, result, policy } = projected;
      return { artifact: await artifactId(tables, projected.release), stage, from_stage: fromStage, counter, result, policy: raw(policy) };
    }
    case 'approval': {
      const { stage, verdict, policy, expiresAt } = projected;
      return { artifact: await artifactId(tables, projected.release), stage, verdict, policy: raw(policy), expires_at: expiresAt };
    }
    case 'test_result': {
      const { result, suite, report, hardware } = projected;
      return {
        artifact: await artifactId(tables, projected.release),
        result,
        suite,
        report: rawOrNull(report),
        hardware: rawOrNull(hardware),
      };
    }
    case 'revocation':
      return { artifact: await artifactId(tables, projected.release), reason: projected.reason, floor: projected.floor };
    case 'site_record':
      return {
        site: projected.site,
        key_id: raw(projected.keyId),
        stage: projected.stage,
        labels: await documentId(tables, projected.labels),
        topology: await documentIdOrNull(tables, projected.topology),
      };
    case 'receipt': {
      const { site, keyId, seq, prev, event, release, previous, waybill, reason, at, hardware, variables } = projected;
      return {
        site,
        key_id: raw(keyId),
        seq,
        prev: rawOrNull(prev),
        event,
        artifact: release === null ? null : await artifactId(tables, release),
        previous: previous === null ? null : await artifactId(tables, previous),
        waybill: rawOrNull(waybill),
        reason,
        at,
        hardware: await documentId(tables, hardware),
        variables: await documentIdOrNull(tables, variables),
      };
    }
  }
}

/** The id of a document, by the digest of its bytes. */
async function documentId(tables: Queries, body: Document): Promise<number> {
  const digest = raw(sha256(utf8(body)));
  const row = await tables.get('SELECT id FROM document WHERE digest = ?', digest);
  if (row !== undefined) return integerAt(row, 'id');
  const id = await nextId(tables, 'document');
  await tables.run('INSERT INTO document(id, digest, body) VALUES (?, ?, ?)', id, digest, body);
  return id;
}

async function documentIdOrNull(tables: Queries, body: Document | null): Promise<number | null> {
  return body === null ? null : documentId(tables, body);
}

async function artifactId(tables: Queries, digest: Digest): Promise<number> {
  return idOf(tables, { table: 'artifact', column: 'digest', value: raw(digest) });
}

interface Interned {
  readonly table: 'artifact' | 'predicate_type';
  readonly column: 'digest' | 'uri';
  readonly value: SqlValue;
}

/** The id of an interned value, given now when it is new. */
async function idOf(tables: Queries, { table, column, value }: Interned): Promise<number> {
  const row = await tables.get(`SELECT id FROM ${table} WHERE ${column} = ?`, value);
  if (row !== undefined) return integerAt(row, 'id');
  const id = await nextId(tables, table);
  await tables.run(`INSERT INTO ${table}(id, ${column}) VALUES (?, ?)`, id, value);
  return id;
}

async function keyRow(tables: Queries, { keyId: signer, spki, index }: Pick<ProjectedEntry, 'keyId' | 'spki' | 'index'>): Promise<number> {
  const keyId = fromHex(signer);
  const row = await tables.get('SELECT id FROM key_seen WHERE key_id = ?', keyId);
  if (row !== undefined) return integerAt(row, 'id');
  const id = await nextId(tables, 'key_seen');
  await tables.run('INSERT INTO key_seen(id, key_id, spki, first_idx) VALUES (?, ?, ?, ?)', id, keyId, spki, index);
  return id;
}

async function nextId(tables: Queries, table: 'artifact' | 'predicate_type' | 'key_seen' | 'document'): Promise<number> {
  const row = await tables.get(`SELECT coalesce(max(id), 0) + 1 AS id FROM ${table}`);
  return row === undefined ? 1 : integerAt(row, 'id');
}

function raw(digest: Digest): Uint8Array {
  return fromHex(digestHex(digest));
}

function rawOrNull(digest: Digest | null): Uint8Array | null {
  return digest === null ? null : raw(digest);
}
