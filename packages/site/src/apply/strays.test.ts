import { describe, expect, test } from 'vitest';
import { strayNotes, type StrayNote } from './strays.js';

const FOUND = { what: 'container hand-made (4f1c)', how: 'runs an image', did: 'reported' } as const;
const [FIRST, LATER] = ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'];
const NOTE: StrayNote = { ...FOUND, since: FIRST, isTold: false, isThere: true };

describe('what is remembered of strays', () => {
  test('keeps since when one is there, and whether it was told', () => {
    expect(strayNotes([], [FOUND], FIRST)).toEqual([NOTE]);
    expect(strayNotes([{ ...NOTE, isTold: true }], [FOUND], LATER)).toEqual([{ ...NOTE, isTold: true }]);
  });

  test('keeps one that is gone until a receipt has told it', () => {
    expect(strayNotes([NOTE], [], LATER)).toEqual([{ ...NOTE, isThere: false }]);
    expect(strayNotes([{ ...NOTE, isTold: true }], [], LATER)).toEqual([]);
  });

  test('takes one that was stopped for other news than the same one reported', () => {
    const stopped = { ...FOUND, did: 'stopped' } as const;
    expect(strayNotes([{ ...NOTE, isTold: true }], [stopped], LATER)).toEqual([{ ...stopped, since: LATER, isTold: false, isThere: true }]);
  });

  test('is bounded', () => {
    const many = Array.from({ length: 100 }, (_, at) => ({ ...FOUND, what: `container ${at}` }));
    expect(strayNotes([], many, FIRST)).toHaveLength(64);
  });
});
