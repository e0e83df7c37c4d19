import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noteFile } from '../../../test/support/note-vectors.js';
import { refusal } from '../../../test/support/refusal.js';
import { entriesPath, parseTilePath, TILE_WIDTH, tileCount, tilePath } from './tile-path.js';

const vectors = noteFile('tile-paths');

test('12 good paths come out and come back', () => {
  expect(vectors.paths).toHaveLength(12);
  for (const { level, index, width = TILE_WIDTH, path } of vectors.paths) {
    expect(level === 'entries' ? entriesPath({ index, width }) : tilePath({ level, index, width })).toBe(path);
    expect(parseTilePath(path)).toEqual({ level, index, width });
  }
});

test('26 bad paths are refused', () => {
  expect(vectors.bad).toHaveLength(26);
  for (const bad of vectors.bad) expect([bad, refusal(() => parseTilePath(bad))]).toEqual([bad, 'TILE_PATH_MALFORMED']);
});

test('the right edges of 9 sizes', () => {
  expect(vectors.rightEdge).toHaveLength(9);
  for (const edge of vectors.rightEdge) {
    const tiles: string[] = [];
    for (let level = 0; edge.size >= TILE_WIDTH ** level; level += 1) {
      const { full, partialWidth } = tileCount(edge.size, level);
      if (full > 0) tiles.push(tilePath({ level, index: full - 1, width: TILE_WIDTH }));
      if (partialWidth > 0) tiles.push(tilePath({ level, index: full, width: partialWidth }));
    }
    expect([edge.size, tiles]).toEqual([edge.size, edge.tiles]);
  }
});

test("the specification's own counts of tiles", () => {
  for (const { size, full0, partial0, full1, partial1, partial2 } of vectors.counts) {
    expect(tileCount(size, 0)).toEqual({ full: full0, partialWidth: partial0 ?? 0 });
    expect(tileCount(size, 1)).toEqual({ full: full1 ?? 0, partialWidth: partial1 });
    expect(tileCount(size, 2)).toEqual({ full: 0, partialWidth: partial2 ?? 0 });
  }
});

test('any tile has one path, and arbitrary text is a refusal or that one path', () => {
  fc.assert(
    fc.property(fc.nat(63), fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
      expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width });
      expect(parseTilePath(entriesPath({ index, width }))).toEqual({ level: 'entries', index, width });
    }),
  );
  const piece = fc.constantFrom('tile', 'entries', '0', '7', '63', '64', '000', 'x001', '067', '.p', '.p/', '/', '5', '256', '..', '');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), fc.constantFrom('', '/'), (pieces, joint) => {
      const path = pieces.join(joint);
      const code = refusal(() => parseTilePath(path));
      if (code !== undefined) expect(code).toBe('TILE_PATH_MALFORMED');
      else {
        const { level, index, width } = parseTilePath(path);
        expect(level === 'entries' ? entriesPath({ index, width }) : tilePath({ level, index, width })).toBe(path);
      }
    }),
    { numRuns: 500 },
  );
});
