/** The statements whose JSON may hold a word: what lists thousands of packages has no row for each, and need not be read to find that it lists another. */
import { utf8 } from '@sealane/core';
import { integerAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';

/** Statements of these types that may hold this word of ASCII letters, digits, `.`, `_` and `-`; every statement holds the empty word. */
export interface WordSought {
  readonly types: readonly string[];
  readonly word: string;
}

/** A payload that is not there may hold it, and so may one that writes letters as numbers. */
const HOLDING = ' AND NOT EXISTS (SELECT 1 FROM envelope v WHERE v.idx = s.idx AND instr(v.payload, ?) = 0 AND instr(v.payload, ?) = 0)';
/** How JSON writes such a letter as a number (RFC 8259, section 7). */
const ESCAPED = utf8('\\u00');

/** Their indexes, in log order. */
export async function statementsNaming(
  queries: Queries,
  { types, word }: WordSought,
  payloads: 'beside' | 'elsewhere',
): Promise<readonly number[]> {
  const [holding, values] = payloads === 'beside' ? [HOLDING, [utf8(word), ESCAPED]] : ['', []];
  const rows = await queries.all(
    `SELECT s.idx FROM statement s JOIN predicate_type t ON t.id = s.predicate_type
      WHERE t.uri IN (${types.map(() => '?').join(', ')})${holding} ORDER BY s.idx`,
    ...types,
    ...values,
  );
  return rows.map((row) => integerAt(row, 'idx'));
}
