/**
 * What is left of statements that were erased: what the erasure itself says of each. It is in the log, signed by who ordered it, so the projection can still be
 * made from the log alone, and what looks for statements about a release still finds that there was one.
 */
import {
  type Digest,
  digestHex,
  isDigest,
  type JsonValue,
  LedgerError,
  parseStatement,
  PREDICATE,
  SealaneError,
  sha256,
  type Statement,
} from '@sealane/core';
import { commitKey, type LogKeys } from '../log/log-keys.js';
import { asObject } from '../projection/predicate-fields.js';
import { bytesAt, integerAt, textAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { isLineOver } from '../verify/commit-rows.js';

/** What an erasure says of one statement. */
export interface ErasedStatement {
  readonly logIndex: number;
  readonly statement: Digest;
  /** Hash of its leaf, as the tree has it: the digest of the payload is in it, and says nothing without that. */
  readonly leaf: Digest;
  readonly predicateType: string;
  readonly subject: readonly Digest[];
}

/** As a statement that says nothing: its type, and what it was about. */
export function remainsOf({ predicateType, subject }: ErasedStatement): Pick<Statement, 'predicateType' | 'subject'> {
  return { predicateType, subject: subject.map((digest) => ({ digest: { sha256: digestHex(digest) } })) };
}

/** The statements that an erasure names; none where it is no erasure, or names documents only. @throws LedgerError `STATEMENT_MALFORMED` */
export function erasedBy({ predicateType, predicate }: Statement): readonly ErasedStatement[] {
  const { statements } = predicate;
  if (predicateType !== PREDICATE.erasure || statements === undefined) return [];
  if (!Array.isArray(statements)) throw malformed('a list');
  return statements.map(erasedStatement);
}

function erasedStatement(value: JsonValue): ErasedStatement {
  const { logIndex, statement, leaf, predicateType, subject } = asObject(value) ?? {};
  const isIndex = typeof logIndex === 'number' && Number.isSafeInteger(logIndex) && logIndex >= 0;
  if (!isIndex || !isDigest(statement) || !isDigest(leaf)) throw malformed('logIndex, statement and leaf');
  if (typeof predicateType !== 'string' || !Array.isArray(subject) || !subject.every(isDigest))
    throw malformed('predicateType and subject');
  return { logIndex, statement, leaf, predicateType, subject };
}

/** A row of `erased`: the log's key signs that the entry `erasure` was ordered by who may. */
export interface ErasedRow {
  readonly index: number;
  readonly erasure: number;
  /** What the erasure says of the entry; undefined where it says nothing of it, or the row is not signed. */
  readonly said: ErasedStatement | undefined;
}

/** The erasure that a row names: where it is in the log, and its digest, since the row is read before its entry is verified. */
export interface ErasureName {
  readonly erasure: number;
  readonly order: Digest;
}

/** The text under the line of a row: whoever logs an erasure, it counts only where the promoter found that he may, and as he read it then. */
export function erasedText(
  origin: string,
  { index, erasure, order, size }: ErasureName & { readonly index: number; readonly size: number },
): string {
  return `urn:sealane:erased:v1 ${origin}\n${index}\n${erasure}\n${order}\n${size}\n`;
}

/** All rows of `erased`, by entry. */
export async function erasedRows(queries: Queries, keys: LogKeys): Promise<ReadonlyMap<number, ErasedRow>> {
  const rows = new Map<number, ErasedRow>();
  const orders = new Map<number, Order | undefined>();
  for (const row of await queries.all('SELECT idx, erasure, size, line FROM erased ORDER BY idx')) {
    const [index, erasure, size] = [integerAt(row, 'idx'), integerAt(row, 'erasure'), integerAt(row, 'size')];
    const vkey = commitKey(keys, size);
    if (!orders.has(erasure)) orders.set(erasure, await readOrder(queries, erasure));
    const read = orders.get(erasure);
    const isSigned =
      read !== undefined && isLineOver(erasedText(vkey.name, { index, erasure, order: read.order, size }), textAt(row, 'line'), vkey);
    rows.set(index, { index, erasure, said: isSigned ? read.statements.find(({ logIndex }) => logIndex === index) : undefined });
  }
  return rows;
}

interface Order {
  readonly order: Digest;
  readonly statements: readonly ErasedStatement[];
}

async function readOrder(queries: Queries, index: number): Promise<Order | undefined> {
  const row = await queries.get('SELECT payload FROM envelope WHERE idx = ?', index);
  if (row === undefined) return undefined;
  const payload = bytesAt(row, 'payload');
  try {
    return { order: sha256(payload), statements: erasedBy(parseStatement(payload)) };
  } catch (error) {
    // a malformed one does not say that something was erased
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

/** What is left of an erased entry. @throws LedgerError `LEDGER_DAMAGED` its erasure says nothing of it */
export function expectSaid(rows: ReadonlyMap<number, ErasedRow>, index: number): ErasedStatement {
  const said = rows.get(index)?.said;
  if (said !== undefined) return said;
  throw new LedgerError('LEDGER_DAMAGED', `read entry ${index}: expected its envelope, or an erasure that names it, got neither`, {
    index,
  });
}

function malformed(expected: string): LedgerError {
  return new LedgerError('STATEMENT_MALFORMED', `read the statements of an erasure: expected ${expected}`);
}
