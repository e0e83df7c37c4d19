import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { foreignVectors } from '../../../test/support/foreign.js';
import { noteFile } from '../../../test/support/note-vectors.js';
import { concatBytes, fromUtf8, utf8 } from './bytes.js';
import { parseCheckpoint } from './checkpoint.js';
import { leafHash, verifyConsistency, verifyInclusion } from './merkle.js';
import { consistencyProof, inclusionProof, rootFromTiles, type TileReader, tilesForProofs } from './merkle-tiles.js';
import { openNote, parseVkey } from './signed-note.js';
import { entriesPath, tilePath } from './tile-path.js';

const foreign = foreignVectors();
const { vkey, origin, leaves }: { vkey: string; origin: string; leaves: string[] } = noteFile('tessera-log');
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(path.join(foreign ?? '', 'notes', 'tessera-log', name)));
const tiles: TileReader = (tile) => read(tilePath(tile));
const checkpoint = (size: number) => {
  const note = read(`checkpoint.${size}`);
  expect(openNote(note, [parseVkey(vkey)]).verified).toHaveLength(1);
  return parseCheckpoint(note);
};

describe.skipIf(foreign === undefined)("a log that transparency-dev's Tessera wrote (skipped without SEALANE_FOREIGN_VECTORS)", () => {
  test('every checkpoint, 0 to 15, is signed and has the root of its tiles', () => {
    for (let size = 0; size <= leaves.length; size += 1) {
      const { root, ...rest } = checkpoint(size);
      expect(rest).toMatchObject({ origin, size });
      expect(rootFromTiles(size, tiles)).toEqual(root);
    }
    expect(parseCheckpoint(read('checkpoint')).size).toBe(leaves.length);
  });

  test('entry bundles hold the leaves, and tiles their hashes', () => {
    for (let width = 1; width <= leaves.length; width += 1) {
      const entries = leaves.slice(0, width).map(utf8);
      const prefixed = entries.map((entry) => concatBytes(Uint8Array.of(entry.length >> 8, entry.length & 255), entry));
      expect(fromUtf8(read(entriesPath({ index: 0, width })))).toBe(fromUtf8(concatBytes(...prefixed)));
      expect(tiles({ level: 0, index: 0, width })).toEqual(concatBytes(...entries.map(leafHash)));
    }
  });

  test('every inclusion and consistency proof out of its tiles leads to its checkpoints', () => {
    for (let size = 1; size <= leaves.length; size += 1) {
      const { root } = checkpoint(size);
      for (const [index, leaf] of leaves.slice(0, size).entries()) {
        verifyInclusion({ leafHash: leafHash(utf8(leaf)), index, size, proof: inclusionProof(index, size, tiles), root });
        const size1 = index + 1;
        verifyConsistency({ size1, size2: size, root1: checkpoint(size1).root, root2: root, proof: consistencyProof(size1, size, tiles) });
      }
      for (const tile of tilesForProofs({ size, inclusionOf: [0], root: true }))
        expect(existsSync(path.join(foreign ?? '', 'notes', 'tessera-log', tilePath(tile)))).toBe(true);
    }
  });
});
