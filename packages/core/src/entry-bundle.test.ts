import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes } from './bytes.js';
import { encodeEntryBundle, parseEntryBundle } from './entry-bundle.js';
import { SealaneError } from './errors.js';
import { emptyRoot } from './merkle.js';
import { rootFromTiles } from './merkle-tiles.js';
import { TILE_WIDTH } from './tile-path.js';

const leaf = fc.uint8Array({ maxLength: 300 });
const leaves = fc.array(leaf, { maxLength: TILE_WIDTH, size: 'max' });

test('a bundle of any leaves, full or partial, comes back leaf by leaf', () => {
  fc.assert(
    fc.property(leaves, (list) => {
      expect(parseEntryBundle(encodeEntryBundle(list), list.length)).toEqual(list);
    }),
  );
});

test('a leaf of the greatest length fits, and one byte more is refused', () => {
  const greatest = new Uint8Array(65_535).fill(7);
  expect(parseEntryBundle(encodeEntryBundle([greatest, greatest]), 2)).toEqual([greatest, greatest]);
  expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(expect.objectContaining({ code: 'TILE_MALFORMED' }) as Error);
  expect(() => encodeEntryBundle(Array.from({ length: 257 }, () => new Uint8Array()))).toThrow(
    expect.objectContaining({ code: 'TILE_MALFORMED' }) as Error,
  );
});

test('arbitrary bytes are refused by their code, or are a bundle that is written back byte for byte; nothing is copied', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }),
    // lengths that claim much more than there is
    fc.uint8Array({ maxLength: 40 }).map((tail) => concatBytes(new Uint8Array([255, 255]), tail)),
    // true bundles, cut or lengthened
    fc.tuple(leaves, fc.integer({ min: -3, max: 3 })).map(([list, by]) => {
      const whole = encodeEntryBundle(list);
      return by < 0 ? whole.subarray(0, Math.max(0, whole.length + by)) : concatBytes(whole, new Uint8Array(by));
    }),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: TILE_WIDTH }), (given, width) => {
      try {
        const parsed = parseEntryBundle(given, width);
        expect(parsed.every((each) => each.buffer === given.buffer)).toBe(true);
        expect(encodeEntryBundle(parsed)).toEqual(given);
      } catch (error) {
        if (!(error instanceof SealaneError)) throw error;
        expect(error.code).toBe('TILE_MALFORMED');
      }
    }),
    { numRuns: 500 },
  );
});

test('hash tiles of any other length than their width are refused, whatever tree they are said to be of', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300_000 }), fc.uint8Array({ maxLength: 9_000 }), (size, tile) => {
      try {
        expect(rootFromTiles(size, () => tile)).toHaveLength(32);
        // only a tree that lies in one tile, or the empty one, can be read from the same bytes everywhere
        expect(size === 0 || tile.length % 32 === 0).toBe(true);
      } catch (error) {
        if (!(error instanceof SealaneError)) throw error;
        expect(error.code).toBe('TILE_MALFORMED');
      }
    }),
  );
  expect(rootFromTiles(0, () => new Uint8Array())).toEqual(emptyRoot());
});
