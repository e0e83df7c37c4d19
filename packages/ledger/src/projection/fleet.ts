/**
 * The sites of a stage, each with what it last reported: what gates over a whole fleet read.
 *
 * Ten thousand sites are a few hundred kinds of machine. What they repeat (inventories without serials, labels, topologies, variables) is one row each,
 * read once and handed out as one object, so that whoever judges sites judges each kind once.
 */
import { type Digest, digestFromHex, type FoundHardware, hex, type JsonObject, LedgerError } from '@sealane/core';
import { inLists } from '../store/in-list.js';
import { bytesOrNullAt, integerAt, integerOrNullAt, textAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';
import { type RowSigner, signedBy } from './signed-by.js';

/** What a site said in its latest receipt: that of the highest `seq` among those signed by the key of its record. */
export interface LastReport {
  readonly at: string;
  readonly event: string;
  readonly release: Digest | null;
  readonly previous: Digest | null;
  readonly hardware: FoundHardware;
  readonly variables: JsonObject | null;
}

/** A site whose latest record puts it into the stage; `report` is null for one that never reported under its present key. */
export interface FleetRecord {
  readonly site: string;
  readonly labels: JsonObject;
  readonly topology: JsonObject | null;
  readonly report: LastReport | null;
}

// Sites come in the order in which they were first enrolled. The signer is looked up for each receipt of a site, newest first: a join would let a planner
// begin with all that a key ever signed.
const fleetSql = (
  isMeant: string,
): string => `SELECT p.site, p.labels, p.topology, r.idx, r.at, r.event, r.hardware, r.variables, a.digest AS installed, b.digest AS before
  FROM site_record p
  LEFT JOIN receipt r ON r.idx = (
    SELECT o.idx FROM receipt o
    WHERE o.site = p.site AND o.idx < ? AND p.key_id = (SELECT k.key_id FROM statement s JOIN key_seen k ON k.id = s.key WHERE s.idx = o.idx)
    ORDER BY o.seq DESC, o.idx DESC LIMIT 1)
  LEFT JOIN artifact a ON a.id = r.artifact LEFT JOIN artifact b ON b.id = r.previous
  WHERE p.stage = ? AND p.idx = (SELECT max(l.idx) FROM site_record l WHERE l.site = p.site AND l.idx < ? AND ${isMeant})
  ORDER BY (SELECT min(f.idx) FROM site_record f WHERE f.site = p.site)`;

/** The sites of a stage by the first `size` entries; `by` = whose records count, anybody's where it is not given. */
export async function fleetOf(queries: Queries, stage: string, size: number, by?: readonly RowSigner[]): Promise<readonly FleetRecord[]> {
  const { isMeant, values } = by === undefined ? { isMeant: '1 = 1', values: [] } : signedBy('l', by);
  const rows = await queries.all(fleetSql(isMeant), size, stage, size, ...values);
  const documents = await readDocuments(queries, rows);
  return rows.map((row) => ({
    site: textAt(row, 'site'),
    labels: documents.object(integerAt(row, 'labels')),
    topology: objectOrNull(documents, row, 'topology'),
    report: integerOrNullAt(row, 'idx') === null ? null : reportOf(row, documents),
  }));
}

function reportOf(row: Row, documents: Documents): LastReport {
  return {
    at: textAt(row, 'at'),
    event: textAt(row, 'event'),
    release: digestOrNull(row, 'installed'),
    previous: digestOrNull(row, 'before'),
    hardware: documents.hardware(integerAt(row, 'hardware')),
    variables: objectOrNull(documents, row, 'variables'),
  };
}

/** Documents by their id, each parsed at most once. */
interface Documents {
  readonly object: (id: number) => JsonObject;
  readonly hardware: (id: number) => FoundHardware;
}

async function readDocuments(queries: Queries, rows: readonly Row[]): Promise<Documents> {
  const named = rows.flatMap((row) => ['labels', 'topology', 'hardware', 'variables'].map((column) => integerOrNullAt(row, column)));
  const ids = [...new Set(named)].filter((id) => id !== null);
  const parsed = new Map<number, JsonObject>();
  for (const { marks, values } of inLists(ids)) {
    for (const row of await queries.all(`SELECT id, body FROM document WHERE id IN (${marks})`, ...values))
      parsed.set(integerAt(row, 'id'), objectIn(textAt(row, 'body')));
  }
  const object = (id: number): JsonObject => {
    const found = parsed.get(id);
    if (found === undefined) throw damaged(`document ${id}`, 'nothing');
    return found;
  };
  return { object, hardware: (id) => hardwareIn(object(id)) };
}

function objectOrNull({ object }: Documents, row: Row, column: string): JsonObject | null {
  const id = integerOrNullAt(row, column);
  return id === null ? null : object(id);
}

/** A document of the projection. @throws LedgerError `LEDGER_DAMAGED` */
export function objectIn(body: string): JsonObject {
  const value: unknown = JSON.parse(body);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw damaged('a document of statements', 'no object');
}

/** A document that says what a machine is made of. @throws LedgerError `LEDGER_DAMAGED` */
export function hardwareIn(value: object): FoundHardware {
  if (isFound(value)) return value;
  throw damaged('a document of hardware', 'another');
}

function isFound(value: object): value is FoundHardware {
  return ('devices' in value && Array.isArray(value.devices)) || ('unreadable' in value && typeof value.unreadable === 'string');
}

function damaged(what: string, got: string): LedgerError {
  return new LedgerError('LEDGER_DAMAGED', `read the fleet: expected ${what}, got ${got}`);
}

function digestOrNull(row: Row, column: string): Digest | null {
  const bytes = bytesOrNullAt(row, column);
  return bytes === null ? null : digestFromHex(hex(bytes));
}
