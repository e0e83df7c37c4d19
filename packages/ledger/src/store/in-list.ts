/** Lists in conditions: `IN (?, ?, …)`. */
import type { SqlValue } from './store.js';

/** Values of one list at most: well below the parameters that any database takes. */
const MAX_VALUES = 512;

/** What goes between the parentheses of `IN`, and its values. */
export interface InList<T extends SqlValue> {
  readonly marks: string;
  readonly values: readonly T[];
}

/** Lists that hold all values: the last one of a list is repeated up to a power of two, so that a connection prepares few statements. */
export function inLists<T extends SqlValue>(values: readonly T[]): readonly InList<T>[] {
  const lists: InList<T>[] = [];
  for (let begin = 0; begin < values.length; begin += MAX_VALUES) {
    const page = values.slice(begin, begin + MAX_VALUES);
    const count = 2 ** Math.ceil(Math.log2(page.length));
    const padded = [...page, ...Array.from({ length: count - page.length }, () => page.at(-1)).filter((value) => value !== undefined)];
    lists.push({ marks: padded.map(() => '?').join(', '), values: padded });
  }
  return lists;
}
