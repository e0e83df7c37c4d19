/** A log in memory: leaves, tiles, checkpoints with cosignatures, proofs. */
import type { KeyObject } from 'node:crypto';
import {
  type Checkpoint,
  cosign,
  type Envelope,
  formatCheckpointText,
  formatVkey,
  inclusionProof,
  leafHash,
  logId,
  logLeaf,
  NOTE_KEY_TYPE,
  nodeHash,
  parseNote,
  rootFromTiles,
  signNote,
  type Tile,
  TILE_WIDTH,
  tileCount,
  tilePath,
  type TileReader,
  vkeyOf,
} from '@sealane/core';
import { encodeBundle, type LogProof } from '../evidence/bundle.js';
import type { JsonObject } from '@sealane/core';
import { timeToSeconds } from '../time.js';
import { ed25519Key } from './test-keys.js';

/** A witness: a name and an Ed25519 key. */
export interface TestWitness {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly vkey: string;
  /** What its clock says when it cosigns; default: the time asked for. */
  readonly clock?: string;
}

/** A new witness. */
export function testWitness(name: string): TestWitness {
  const privateKey = ed25519Key();
  return { name, privateKey, vkey: formatVkey(vkeyOf(name, NOTE_KEY_TYPE.cosignature, privateKey)) };
}

/** A log that a test appends to. */
export interface TestLog {
  readonly origin: string;
  readonly vkey: string;
  readonly witnesses: readonly TestWitness[];
  size(): number;
  append(envelope: Envelope, spki: Uint8Array): number;
  /** The checkpoint of the first `size` entries (default all), cosigned by every witness at `time`. */
  checkpoint(time: string, size?: number, witnesses?: readonly TestWitness[]): string;
  /** A checkpoint by the log's key and every witness over whatever a thief of them likes. */
  forge(time: string, checkpoint: Pick<Checkpoint, 'origin' | 'size' | 'root'>): string;
  /** The proof of an entry under a checkpoint of this log. */
  proof(index: number, checkpoint: string): LogProof;
  /** A bundle of an entry with its proof. */
  bundle(entry: { readonly envelope: Envelope; readonly spki: Uint8Array; readonly index: number }, checkpoint: string): JsonObject;
  /** The tiles of the first `size` entries by path below `log/`. */
  tiles(size?: number): ReadonlyMap<string, Uint8Array>;
}

/** A new log with these witnesses; `privateKey` makes a second view of a known log. */
export function testLog(origin: string, witnesses: readonly TestWitness[], privateKey: KeyObject = ed25519Key()): TestLog {
  const leaves: Uint8Array[] = [];
  const vkey = vkeyOf(origin, NOTE_KEY_TYPE.ed25519, privateKey);
  const readAt =
    (size: number): TileReader =>
    (tile) =>
      tileBytes(leaves.slice(0, size), tile);
  const signed = (time: string, body: Pick<Checkpoint, 'origin' | 'size' | 'root'>, by: readonly TestWitness[]): string => {
    const text = formatCheckpointText(body);
    const cosignatures = by.map((witness) => cosign(witness, text, timeToSeconds(witness.clock ?? time)));
    return `${text}\n${signNote(text, origin, privateKey)}${cosignatures.join('')}`;
  };
  const checkpoint = (time: string, size = leaves.length, by = witnesses): string =>
    signed(time, { origin, size, root: rootFromTiles(size, readAt(size)) }, by);
  const proof = (index: number, note: string): LogProof => {
    const size = Number(parseNote(note).text.split('\n')[1]);
    const read = readAt(size);
    return {
      logIndex: index,
      treeSize: size,
      rootHash: rootFromTiles(size, read),
      hashes: inclusionProof(index, size, read),
      checkpoint: note,
      logId: logId(vkey),
    };
  };
  return {
    origin,
    vkey: formatVkey(vkey),
    witnesses,
    size: () => leaves.length,
    append: (envelope, spki) => leaves.push(logLeaf(envelope, spki)) - 1,
    checkpoint,
    forge: (time, body) => signed(time, body, witnesses),
    proof,
    bundle: ({ envelope, spki, index }, note) => encodeBundle({ envelope, spki, proof: proof(index, note) }),
    tiles: (size = leaves.length) => new Map(tilesOf(size).map((tile) => [tilePath(tile), tileBytes(leaves.slice(0, size), tile)])),
  };
}

function tilesOf(size: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; TILE_WIDTH ** level <= size; level += 1) {
    const { full, partialWidth } = tileCount(size, level);
    for (let index = 0; index < full; index += 1) tiles.push({ level, index, width: TILE_WIDTH });
    if (partialWidth > 0) tiles.push({ level, index: full, width: partialWidth });
  }
  return tiles;
}

function tileBytes(leaves: readonly Uint8Array[], { level, index, width }: Tile): Uint8Array {
  const span = TILE_WIDTH ** level;
  const hashes = Array.from({ length: width }, (_, offset) => {
    const start = (index * TILE_WIDTH + offset) * span;
    return fullSubtree(leaves.slice(start, start + span).map(leafHash));
  });
  return new Uint8Array(Buffer.concat(hashes));
}

function fullSubtree(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes;
  if (first === undefined) throw new RangeError('hash a subtree: expected leaves, got none');
  if (hashes.length === 1) return first;
  const half = hashes.length / 2;
  return nodeHash(fullSubtree(hashes.slice(0, half)), fullSubtree(hashes.slice(half)));
}
