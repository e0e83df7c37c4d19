/** Writes what an entry says into the projection, in the transaction of its commit. */
import { type Digest, digestHex, fromHex, hex, sha256, type Statement, utf8 } from '@sealane/core';
import { inLists } from '../store/in-list.js';
import type { RowWriter } from '../store/row-writer.js';
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries, SqlValue } from '../store/store.js';
import type { Document, Projected } from './projected.js';

/** An entry as the projection takes it. */
export interface ProjectedEntry {
  readonly index: number;
  readonly keyId: string;
  readonly spki: Uint8Array;
  readonly statement: Pick<Statement, 'predicateType' | 'subject'>;
  readonly projected: Projected | null;
}

/** The projection while entries are added to it: its rows on their way, and the ids that were given or looked up. */
export interface Projecting {
  readonly tables: Queries;
  readonly rows: RowWriter;
  readonly ids: Map<string, number>;
  /** The last id given in a table. */
  readonly last: Map<InternTable, number>;
  /** Receipts on their way, by site, number and signer → the earliest time that one says. */
  readonly receipts: Map<string, string>;
}

/** Begins to add entries; `rows.flush()` ends it. */
export function startProjecting(tables: Queries, rows: RowWriter): Projecting {
  return { tables, rows, ids: new Map(), last: new Map(), receipts: new Map() };
}

/** Looks up what statements are about, many at a time: each is asked for anyway. */
export async function prefetchSubjects({ tables, ids }: Projecting, statements: readonly Pick<Statement, 'subject'>[]): Promise<void> {
  const digests = [...new Set(statements.flatMap(({ subject }) => subject.map(({ digest }) => digest.sha256)))];
  for (const { marks, values } of inLists(digests.map(fromHex))) {
    const found = await tables.all(`SELECT id, digest FROM artifact WHERE digest IN (${marks})`, ...values);
    for (const row of found) ids.set(nameOf('artifact', bytesAt(row, 'digest')), integerAt(row, 'id'));
  }
}

/** Adds the rows of one entry. Entries must come in order of their index: ids are given by first appearance. */
export async function projectEntry(projecting: Projecting, { index, keyId, spki, statement, projected }: ProjectedEntry): Promise<void> {
  const { rows } = projecting;
  const key = await idOf(projecting, { table: 'key_seen', column: 'key_id', value: fromHex(keyId) }, { spki, first_idx: index });
  const type = await idOf(projecting, { table: 'predicate_type', column: 'uri', value: statement.predicateType });
  rows.insert('statement', { idx: index, key, predicate_type: type });
  // a statement may name one digest twice, under two names
  for (const digest of new Set(statement.subject.map((subject) => subject.digest.sha256))) {
    const artifact = await idOf(projecting, { table: 'artifact', column: 'digest', value: fromHex(digest) });
    rows.insert('subject', { artifact, predicate_type: type, idx: index });
  }
  if (projected === null) return;
  const loose = projected.kind === 'receipt' ? { loose: Number(await isLoose(projecting, key, projected)) } : {};
  rows.insert(projected.kind, { idx: index, ...(await columnsOf(projecting, projected)), ...loose });
  if (projected.kind !== 'release') return;
  for (const component of projected.components) rows.insert('component', { artifact: await artifactId(projecting, component), idx: index });
}

type Receipt = Extract<Projected, { readonly kind: 'receipt' }>;

/**
 * Whether a receipt has none before it: none of its signer for this site under the number before, logged before it and written no later. A site of which
 * a number is missing, in the log of any day and by any hour of its own, has such a receipt above the gap.
 */
async function isLoose({ tables, receipts }: Projecting, key: number, { site, seq, at }: Receipt): Promise<boolean> {
  const name = (number: number): string => `${number} ${key} ${site}`;
  const known = receipts.get(name(seq));
  if (known === undefined || at < known) receipts.set(name(seq), at);
  if (seq <= 1) return false;
  const before = receipts.get(name(seq - 1));
  if (before !== undefined && before <= at) return false;
  return (await tables.get(BEFORE, site, seq - 1, key, at)) === undefined;
}

const BEFORE = `SELECT r.idx FROM receipt r JOIN statement s ON s.idx = r.idx
  WHERE r.site = ? AND r.seq = ? AND s.key = ? AND r.at <= ? LIMIT 1`;

/** Column → value of a projected row, in one fixed order for each kind. */
async function columnsOf(projecting: Projecting, projected: Projected): Promise<Readonly<Record<string, SqlValue>>> {
  switch (projected.kind) {
    case 'release':
      return { artifact: await artifactId(projecting, projected.release), name: projected.name, version: projected.version };
    case 'decision': {
      const { stage, fromStage, counter, result, policy } = projected;
      return {
        artifact: await artifactId(projecting, projected.release),
        stage,
        from_stage: fromStage,
        counter,
        result,
        policy: raw(policy),
      };
    }
    case 'approval': {
      const { stage, verdict, policy, expiresAt } = projected;
      return { artifact: await artifactId(projecting, projected.release), stage, verdict, policy: raw(policy), expires_at: expiresAt };
    }
    case 'test_result': {
      const { result, suite, report, hardware } = projected;
      return {
        artifact: await artifactId(projecting, projected.release),
        result,
        suite,
        report: rawOrNull(report),
        hardware: rawOrNull(hardware),
      };
    }
    case 'revocation':
      return { artifact: await artifactId(projecting, projected.release), reason: projected.reason, floor: projected.floor };
    case 'site_record':
      return {
        site: projected.site,
        key_id: raw(projected.keyId),
        stage: projected.stage,
        labels: await documentId(projecting, projected.labels),
        topology: await documentIdOrNull(projecting, projected.topology),
      };
    case 'receipt': {
      const { site, keyId, seq, prev, event, release, previous, waybill, reason, at, hardware, variables } = projected;
      return {
        site,
        key_id: raw(keyId),
        seq,
        prev: rawOrNull(prev),
        event,
        artifact: release === null ? null : await artifactId(projecting, release),
        previous: previous === null ? null : await artifactId(projecting, previous),
        waybill: rawOrNull(waybill),
        reason,
        at,
        hardware: await documentId(projecting, hardware),
        variables: await documentIdOrNull(projecting, variables),
      };
    }
  }
}

/** The id of a document, by the digest of its bytes. */
async function documentId(projecting: Projecting, body: Document): Promise<number> {
  return await idOf(projecting, { table: 'document', column: 'digest', value: raw(sha256(utf8(body))) }, { body });
}

async function documentIdOrNull(projecting: Projecting, body: Document | null): Promise<number | null> {
  return body === null ? null : documentId(projecting, body);
}

async function artifactId(projecting: Projecting, digest: Digest): Promise<number> {
  return await idOf(projecting, { table: 'artifact', column: 'digest', value: raw(digest) });
}

type InternTable = 'artifact' | 'predicate_type' | 'key_seen' | 'document';

interface Interned {
  readonly table: InternTable;
  readonly column: string;
  readonly value: string | Uint8Array;
}

/** The id of an interned value, given now when it is new; `more` is what a new row has beside it. */
async function idOf(
  { tables, rows, ids, last }: Projecting,
  { table, column, value }: Interned,
  more: Readonly<Record<string, SqlValue>> = {},
): Promise<number> {
  const name = nameOf(table, value);
  const known = ids.get(name) ?? (await storedId(tables, { table, column, value }));
  const id = known ?? 1 + (last.get(table) ?? (await lastId(tables, table)));
  if (known === undefined) {
    last.set(table, id);
    rows.insert(table, { id, [column]: value, ...more });
  }
  ids.set(name, id);
  return id;
}

function nameOf(table: InternTable, value: string | Uint8Array): string {
  return `${table} ${typeof value === 'string' ? value : hex(value)}`;
}

async function storedId(tables: Queries, { table, column, value }: Interned): Promise<number | undefined> {
  const row = await tables.get(`SELECT id FROM ${table} WHERE ${column} = ?`, value);
  return row === undefined ? undefined : integerAt(row, 'id');
}

async function lastId(tables: Queries, table: InternTable): Promise<number> {
  const row = await tables.get(`SELECT coalesce(max(id), 0) AS id FROM ${table}`);
  return row === undefined ? 0 : integerAt(row, 'id');
}

function raw(digest: Digest): Uint8Array {
  return fromHex(digestHex(digest));
}

function rawOrNull(digest: Digest | null): Uint8Array | null {
  return digest === null ? null : raw(digest);
}
