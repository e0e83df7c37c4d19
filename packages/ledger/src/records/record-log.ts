/**
 * A log of records in plain files (C2SP tlog-tiles): leaves that others make, of which nothing but the bytes is known here.
 *
 * It has an origin of its own beside the ledger's, whose every leaf stands for a statement that can be read. Some leaves at a time, under the lock of
 * whoever calls: bundles and tiles first, then the checkpoint that needs them. A kill anywhere leaves the head before or the head after.
 */
import {
  type Checkpoint,
  concatBytes,
  consistencyProof,
  emptyRoot,
  encodeEntryBundle,
  entriesPath,
  equalBytes,
  formatCheckpointText,
  fromUtf8,
  inclusionProof,
  leafHash,
  LedgerError,
  openNote,
  parseCheckpoint,
  parseEntryBundle,
  parseVkey,
  rootFromTiles,
  SealaneError,
  type Tile,
  TILE_WIDTH,
  tileCount,
  tilePath,
  utf8,
} from '@sealane/core';
import { RightEdge } from '../log/right-edge.js';
import type { NoteSigner } from '../note-signer.js';

const HASH_BYTES = 32;

/** The files of the log, by paths relative to its folder. */
export interface RecordFiles {
  /** The bytes of a file, or undefined when it is not there. */
  readonly read: (path: string) => Uint8Array | undefined;
  /** Writes a file whole or not at all; durable when it returns. */
  readonly write: (path: string, bytes: Uint8Array) => void;
  /** Removes a folder of partial tiles, which the full one stands for. */
  readonly removeFolder: (path: string) => void;
}

/** The newest checkpoint that was shown, kept apart from the files: what tells that these are an old copy. */
export interface RecordAnchor {
  readonly read: () => string | undefined;
  readonly keep: (note: string) => void;
}

/** A leaf with its proof under the newest checkpoint, which the log signed. `hashes` lead from the leaf upwards. */
export interface RecordProof {
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly checkpoint: Checkpoint;
  readonly hashes: readonly Uint8Array[];
}

export interface RecordLog {
  /** The newest checkpoint; its note is empty before the first leaf. */
  readonly head: () => Checkpoint;
  /** Logs leaves, all of them under one checkpoint; durable when it returns. @returns the place of each. @throws LedgerError as `openRecordLog` */
  readonly append: (leaves: readonly Uint8Array[]) => readonly number[];
  /** Proofs under the newest checkpoint, in this order. @throws LedgerError `STATEMENT_UNKNOWN` no such entry */
  readonly prove: (indices: readonly number[]) => readonly RecordProof[];
  /** That the tree of `size2` leaves is the one of `size1` with more. */
  readonly consistencyProof: (size1: number, size2: number) => readonly Uint8Array[];
  /** Keeps the newest checkpoint with the lines of witnesses under it; durable when it returns. */
  readonly keepCosigned: (lines: readonly string[]) => void;
}

/**
 * Opens a log of records; nothing is there before the first leaf.
 *
 * @throws LedgerError `LOG_RESTORED` less is there than it has shown; `LOG_FORK` something else; `LEDGER_DAMAGED` files that do not fit the checkpoint
 */
export function openRecordLog(files: RecordFiles, anchor: RecordAnchor, signer: NoteSigner): RecordLog {
  let head = headIn(files, signer);
  expectNotRestored(files, head, anchor, signer);
  return {
    head: () => head,
    prove: (indices) => provedUnder(files, head, indices),
    consistencyProof: (size1, size2) => consistencyProof(size1, size2, (tile) => readTile(files, tile, head.size)),
    keepCosigned: (lines) => {
      const cosigned = parseCheckpoint(head.note + lines.join(''));
      files.write('checkpoint', utf8(cosigned.note));
      head = cosigned;
    },
    append: (leaves) => {
      const { origin, size } = head;
      const edge = edgeOf(files, head);
      const full = leaves.flatMap((leaf) => edge.append(leafHash(leaf)));
      writeBundles(files, size, leaves);
      for (const { level, index, data } of full) files.write(tilePath({ level, index, width: TILE_WIDTH }), data);
      writeRightEdge(files, size, edge);
      const text = formatCheckpointText({ origin, size: edge.size, root: edge.root() });
      const note = `${text}\n${signer.sign(text)}`;
      files.write('checkpoint', utf8(note));
      anchor.keep(note);
      head = parseCheckpoint(note);
      for (const tile of full) {
        files.removeFolder(`${tilePath({ ...tile, width: TILE_WIDTH })}.p`);
        if (tile.level === 0) files.removeFolder(`${entriesPath({ index: tile.index, width: TILE_WIDTH })}.p`);
      }
      return leaves.map((_, at) => size + at);
    },
  };
}

/** What many proofs share is read once. */
function provedUnder(files: RecordFiles, checkpoint: Checkpoint, indices: readonly number[]): readonly RecordProof[] {
  const { size } = checkpoint;
  const bundleAt = once((bundle: number) => leavesOf(files, bundle, size));
  const fileAt = once(files.read);
  return indices.map((index) => {
    if (!Number.isSafeInteger(index) || index < 0 || index >= size)
      throw new LedgerError('STATEMENT_UNKNOWN', `read record ${index}: expected one of the ${size} in the log, got none`, { index });
    const leaf = bundleAt(Math.floor(index / TILE_WIDTH))[index % TILE_WIDTH] ?? new Uint8Array();
    const hashes = inclusionProof(index, size, (tile) => readTile({ read: fileAt }, tile, size));
    return { index, leaf, checkpoint, hashes };
  });
}

function once<K, V>(find: (key: K) => V): (key: K) => V {
  const found = new Map<K, { readonly value: V }>();
  return (key) => {
    const known = found.get(key) ?? { value: find(key) };
    found.set(key, known);
    return known.value;
  };
}

/** The leaves in their bundles, the first of which may be there in part. */
function writeBundles(files: RecordFiles, size: number, leaves: readonly Uint8Array[]): void {
  const first = Math.floor(size / TILE_WIDTH);
  const all = [...(size % TILE_WIDTH === 0 ? [] : leavesOf(files, first, size)), ...leaves];
  for (let from = 0; from < all.length; from += TILE_WIDTH) {
    const bundle = all.slice(from, from + TILE_WIDTH);
    files.write(entriesPath({ index: first + from / TILE_WIDTH, width: bundle.length }), encodeEntryBundle(bundle));
  }
}

/** The partial tiles that are not those of the tree of `size` any more. */
function writeRightEdge(files: RecordFiles, size: number, edge: RightEdge): void {
  for (let level = 0; edge.size >= TILE_WIDTH ** level; level += 1) {
    const [was, is] = [tileCount(size, level), tileCount(edge.size, level)];
    if (is.partialWidth === 0 || (is.full === was.full && is.partialWidth === was.partialWidth)) continue;
    files.write(tilePath({ level, index: is.full, width: is.partialWidth }), concatBytes(...edge.partial(level)));
  }
}

function headIn(files: RecordFiles, signer: NoteSigner): Checkpoint {
  const { name: origin } = parseVkey(signer.vkey);
  const bytes = files.read('checkpoint');
  if (bytes !== undefined) return ownCheckpoint(fromUtf8(bytes), signer);
  const root = emptyRoot();
  return { origin, size: 0, root, text: formatCheckpointText({ origin, size: 0, root }), note: '' };
}

function ownCheckpoint(note: string, signer: NoteSigner): Checkpoint {
  const vkey = parseVkey(signer.vkey);
  try {
    const checkpoint = parseCheckpoint(note);
    if (openNote(note, [vkey]).verified.length === 1 && checkpoint.origin === vkey.name) return checkpoint;
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new LedgerError(
      'LEDGER_DAMAGED',
      `read the log ${vkey.name}: expected a checkpoint that it signed, got: ${cause.message}`,
      {},
      { cause },
    );
  }
  throw new LedgerError('LEDGER_DAMAGED', `read the log ${vkey.name}: expected a checkpoint that it signed, got another's`);
}

/** As the ledger's anchor: a log that was put back to an earlier day would sign another history. */
function expectNotRestored(files: RecordFiles, head: Checkpoint, anchor: RecordAnchor, signer: NoteSigner): void {
  const kept = anchor.read();
  if (kept === undefined) return;
  const { size, root } = ownCheckpoint(kept, signer);
  if (size > head.size)
    throw new LedgerError(
      'LOG_RESTORED',
      `sign for ${head.origin}: expected at least the ${size} records that it has shown, got ${head.size}`,
    );
  const ours = size === head.size ? head.root : rootFromTiles(size, (tile) => readTile(files, tile, head.size));
  if (!equalBytes(ours, root))
    throw new LedgerError(
      'LOG_FORK',
      `sign for ${head.origin}: it has already shown another tree of ${size} records than the one that is here`,
    );
}

/** The right edge of the head's tree, which must have the head's root. */
function edgeOf(files: RecordFiles, { origin, size, root }: Checkpoint): RightEdge {
  const partial: Uint8Array[][] = [];
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
    const { full, partialWidth: width } = tileCount(size, level);
    const data = width === 0 ? new Uint8Array() : readTile(files, { level, index: full, width }, size);
    partial.push(Array.from({ length: width }, (_, at) => data.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)));
  }
  const edge = RightEdge.of(size, partial);
  if (equalBytes(edge.root(), root)) return edge;
  throw new LedgerError('LEDGER_DAMAGED', `read the log ${origin}: expected tiles with the root of its checkpoint at ${size}, got others`);
}

/** A tile as it was at its width, out of the file that it is by now. */
function readTile(files: Pick<RecordFiles, 'read'>, { level, index, width }: Tile, size: number): Uint8Array {
  const bytes = files.read(tilePath({ level, index, width: widthNow(level, index, size) }));
  if (bytes !== undefined && bytes.length >= width * HASH_BYTES) return bytes.subarray(0, width * HASH_BYTES);
  throw missing(`tile ${level}/${index}`);
}

function leavesOf(files: RecordFiles, index: number, size: number): readonly Uint8Array[] {
  const width = widthNow(0, index, size);
  const bytes = files.read(entriesPath({ index, width }));
  if (bytes === undefined) throw missing(`entries ${index}`);
  return parseEntryBundle(bytes, width);
}

function widthNow(level: number, index: number, size: number): number {
  const { full, partialWidth } = tileCount(size, level);
  return index < full ? TILE_WIDTH : partialWidth;
}

function missing(what: string): LedgerError {
  return new LedgerError('LEDGER_DAMAGED', `read the log of records: expected ${what} as its checkpoint says, got no such file`);
}
