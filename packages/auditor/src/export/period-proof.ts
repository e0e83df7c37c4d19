/** That an export of a period has every entry of it: the hash tiles lead to the checkpoint, and each leaf from its beginning on is a statement of the export. */
import {
  equalBytes,
  leafHash,
  nodeHash,
  parseCheckpoint,
  parseTilePath,
  type QuorumCheckpoint,
  rootFromTiles,
  type Tile,
  TILE_WIDTH,
  tilePath,
} from '@sealane/core';
import type { LedgerProblem } from '@sealane/ledger';
import { type ParsedBundle, secondsToTime, timeToSeconds } from '@sealane/trust';
import type { ExportPackage } from './export-package.js';
import { malformed } from './manifest.js';

const HASH_BYTES = 32;

/** @throws AuditorError `EXPORT_MALFORMED` a tile is not there or not in the tree; CoreError `TILE_*` */
export function periodProblems(exported: ExportPackage, bundles: readonly ParsedBundle[]): readonly LedgerProblem[] {
  const { checkpoint, notes, tiles, manifest } = exported;
  const first = manifest.period?.first ?? 0;
  const { size, root } = parseCheckpoint(checkpoint);
  const hashesOf = tileReader(tiles);
  const computed = rootFromTiles(size, ({ level, index, width }) => part(hashesOf(level, index), width));
  if (!equalBytes(computed, root)) throw malformed('tiles that lead to the checkpoint', 'others');
  expectInTree(tiles, hashesOf);
  if (first > 0) {
    const begin = notes.map((note) => parseCheckpoint(note)).find((note) => note.size === first);
    const before = rootFromTiles(first, ({ level, index, width }) => part(hashesOf(level, index), width));
    if (begin === undefined || !equalBytes(before, begin.root))
      throw malformed(`a checkpoint of ${first} entries with which the period begins`, 'none or another');
  }
  const leaves = new Map(bundles.map(({ logged }) => [logged?.proof.logIndex, logged === null ? undefined : leafHash(logged.leafBytes)]));
  return Array.from({ length: size - first }, (_, at) => first + at).flatMap((index) => {
    const wanted = part(hashesOf(0, Math.floor(index / TILE_WIDTH)).subarray((index % TILE_WIDTH) * HASH_BYTES), 1);
    const leaf = leaves.get(index);
    if (leaf !== undefined && equalBytes(leaf, wanted)) return [];
    return [{ where: 'entry', key: String(index), expected: 'its statement', actual: leaf === undefined ? 'none' : 'another' }];
  });
}

/**
 * That witnesses had seen where it begins by its first moment, and where it ends not before its last: under other dates the same entries would pass for all of a
 * longer period. `quorumOf` verifies a checkpoint.
 */
export function borderProblems(
  { checkpoint, notes, manifest }: ExportPackage,
  quorumOf: (note: string) => QuorumCheckpoint,
): readonly LedgerProblem[] {
  const { period } = manifest;
  if (period === null) return [];
  const problem = (key: string, expected: string, seconds: number): LedgerProblem => {
    return { where: 'period', key, expected, actual: secondsToTime(seconds) };
  };
  // the log itself begins in it: nothing was before
  const begin = period.first === 0 ? undefined : notes.find((note) => parseCheckpoint(note).size === period.first);
  const begun = begin === undefined ? [] : [quorumOf(begin).highestSeconds].filter((seconds) => seconds > timeToSeconds(period.from));
  const ended = [quorumOf(checkpoint).lowestSeconds].filter((seconds) => seconds < timeToSeconds(period.to));
  return [
    ...begun.map((seconds) => problem('from', `the checkpoint of ${period.first} entries witnessed by ${period.from}`, seconds)),
    ...ended.map((seconds) => problem('to', `its checkpoint witnessed at ${period.to} or later`, seconds)),
  ];
}

type HashesOf = (level: number, index: number) => Uint8Array;

function tileReader(tiles: ExportPackage['tiles']): HashesOf {
  const byPlace = new Map(
    [...tiles].map(([path, bytes]) => {
      const { level, index, width } = parseTilePath(path);
      if (bytes.length !== width * HASH_BYTES) throw malformed(`${width} hashes in ${path}`, `${bytes.length} bytes`);
      return [`${level}/${index}`, bytes] as const;
    }),
  );
  return (level, index) => {
    const bytes = byPlace.get(`${level}/${index}`);
    if (bytes === undefined) throw malformed(`the tile ${tilePath({ level, index, width: TILE_WIDTH })}`, 'none');
    return bytes;
  };
}

/** The first `width` hashes: a tree of fewer entries has the beginning of the same tile. */
function part(hashes: Uint8Array, width: number): Uint8Array {
  if (hashes.length < width * HASH_BYTES) throw malformed(`${width} hashes in a tile`, `${hashes.length / HASH_BYTES}`);
  return hashes.subarray(0, width * HASH_BYTES);
}

/** Each whole tile is what the level above says. The partial ones the root was computed from. */
function expectInTree(tiles: ExportPackage['tiles'], hashesOf: HashesOf): void {
  const whole = [...tiles.keys()].map(parseTilePath).filter((tile): tile is Tile => tile.level !== 'entries' && tile.width === TILE_WIDTH);
  for (const { level, index } of whole) {
    const parent = hashesOf(level + 1, Math.floor(index / TILE_WIDTH)).subarray((index % TILE_WIDTH) * HASH_BYTES);
    if (!equalBytes(fold(hashesOf(level, index)), part(parent, 1)))
      throw malformed(`the tile ${tilePath({ level, index, width: TILE_WIDTH })} of this tree`, 'another');
  }
}

function fold(tile: Uint8Array): Uint8Array {
  let hashes = Array.from({ length: tile.length / HASH_BYTES }, (_, at) => tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  while (hashes.length > 1) {
    hashes = hashes.flatMap((left, at) => {
      const right = hashes[at + 1];
      return at % 2 === 0 && right !== undefined ? [nodeHash(left, right)] : [];
    });
  }
  return hashes[0] ?? new Uint8Array();
}
