/** Lists have few lengths, and hold every value. */
import { describe, expect, it } from 'vitest';
import { inLists } from './in-list.js';

describe('inLists', () => {
  it.each([0, 1, 2, 3, 511, 512, 513, 2000])('holds %i values in lists of a power of two', (count) => {
    const values = Array.from({ length: count }, (_, at) => at);
    const lists = inLists(values);
    expect([...new Set(lists.flatMap((list) => list.values))]).toEqual(values);
    for (const list of lists) {
      expect(list.marks.split('?')).toHaveLength(list.values.length + 1);
      expect([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]).toContain(list.values.length);
    }
  });
});
