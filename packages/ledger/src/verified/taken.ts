/** Entries of the log on their way into what was verified of it: each payload is the one of its leaf, and what was erased is what its erasure says. */
import { hex, leafHash, parseStatement, signerIdOf } from '@sealane/core';
import type { FilledRow, FillIn } from '../archive/absent.js';
import { type ErasedRow, erasedRows, expectSaid } from '../archive/erased-rows.js';
import { type ErasedStatement, remainsOf } from '../archive/erasures.js';
import { signerIn } from '../log/entry-rows.js';
import { leafAt } from '../log/leaf-row.js';
import type { LogKeys } from '../log/log-keys.js';
import type { ProjectedEntry } from '../projection/project.js';
import { projectionOf } from '../projection/projected.js';
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';
import { damaged, type EntryMark, markOf } from './entry.js';

/** An entry with what stays of it. */
export interface Taken extends EntryMark {
  readonly isErased: boolean;
  readonly row: Row;
  readonly entry: ProjectedEntry;
}

/** What brings payloads that are in an archive, and the keys that sign for those that are nowhere. */
interface Rest {
  readonly fillIn: FillIn;
  readonly known: () => LogKeys;
}

const ENTRIES = `SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx
  WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`;

/** The entries from `begin` (inclusive) to `end` (exclusive) that there are. @throws LedgerError `LEDGER_DAMAGED`, and as `fillIn` */
export async function takenBetween(log: Queries, { fillIn, known }: Rest, begin: number, end: number): Promise<readonly Taken[]> {
  const filled = await fillIn(log, await log.all(ENTRIES, begin, end));
  // behind the rows: what was erased between the two looks is still there in the first
  const erased = filled.some(({ erasure }) => erasure !== undefined) ? await erasedRows(log, known()) : new Map<number, ErasedRow>();
  return filled.map((row) => takenOf(row, erased));
}

function takenOf({ row, erasure }: FilledRow, erased: ReadonlyMap<number, ErasedRow>): Taken {
  if (erasure !== undefined) return takenOfErased(row, expectSaid(erased, integerAt(row, 'idx')));
  const mark = markOf(row);
  const signer = signerIn(row);
  const statement = parseStatement(bytesAt(row, 'payload'));
  const entry = {
    index: integerAt(row, 'idx'),
    statement,
    keyId: signerIdOf(signer),
    spki: signer.spki,
    projected: projectionOf(statement),
  };
  return { ...mark, row, entry, isErased: false };
}

/** Of an erased entry its erasure says what it was about: of this leaf, and of this statement. */
function takenOfErased(row: Row, said: ErasedStatement): Taken {
  const index = integerAt(row, 'idx');
  const [hash, statement] = [leafHash(leafAt(row)), bytesAt(row, 'statement')];
  if (said.leaf !== `sha256:${hex(hash)}` || said.statement !== `sha256:${hex(statement)}`)
    throw damaged(index, 'its envelope, or an erasure of its leaf', 'neither');
  const signer = signerIn(row);
  const entry = { index, statement: remainsOf(said), keyId: signerIdOf(signer), spki: signer.spki, projected: null };
  return { statement, token: null, leafHash: hash, row, entry, isErased: true };
}
