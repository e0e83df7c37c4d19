/**
 * The mirror: a copy of the part of a lane that this site needs, in the lane's own layout. Written by `fetch` alone.
 *
 * Blobs, tiles and versioned metadata never change under their names and go in as they come; the files that do change go in last, the
 * timestamp at the very end. So a mirror is the one before or the new one, and a sync that broke off goes on where it was.
 */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createDigester, type Digest, digestHex, isDigest, SealaneError, sha256 } from '@sealane/core';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { readSealed, sealed } from '../sealed-file.js';
import { download, type DownloadWorld } from './download.js';
import { noteReceiptPlaces, readReceiptPlaces, type ReceiptPlaces } from './receipt-places.js';
import type { Pace } from './routes/pace.js';
import type { Upstream } from './upstream.js';

/** Everything that was true when a sync ended: if it still is, there is nothing to do but to look at the timestamp. */
export interface SyncMark {
  readonly timestamp: Digest;
  /** Of the job: stage, labels, trusted root. Another one needs other files. */
  readonly job: Digest;
  /** Files of `trust/` and `log/` that it used. */
  readonly names: readonly string[];
}

/** What came of fetching a blob: a wrong one lies in the offer, for `apply` to name what is wrong with it. */
export type BlobOutcome = 'fetched' | 'absent' | 'wrong';

/** A blob as a document names it. */
export interface WantedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** A mirror in a folder. Paths are the lane's. */
export interface Mirror {
  read(file: string, maxBytes: number): Uint8Array | undefined;
  write(file: string, bytes: Uint8Array): void;
  /** Puts a file that was found wrong where `apply` will judge it. */
  offer(file: string, bytes: Uint8Array): void;
  /** Takes a file back out of the offer: another upstream had the right one. */
  withdraw(file: string): void;
  has(file: string): boolean;
  list(folder: string): readonly string[];
  sizeBytes(file: string): number;
  /** Every file below a folder. */
  filesBelow(folder: string): readonly string[];
  remove(file: string): void;
  clearOffer(): void;
  mark(): SyncMark | undefined;
  /** Where receipts are said to be in the log. */
  places(): ReceiptPlaces;
  notePlaces(found: ReceiptPlaces): void;
  setMark(mark: SyncMark): void;
  /** Whether a blob is here. With `recheck: 'bytes'` it is hashed again. */
  hasBlob(blob: WantedBlob, recheck: 'size' | 'bytes'): Promise<boolean>;
  /** Gets a blob, resuming what is there of it. @throws SiteError as `download` */
  fetchBlob(upstream: Upstream, blob: WantedBlob, pace: Pace): Promise<BlobOutcome>;
}

const MARK = 'synced.json';

/** Path of a blob in a lane. */
export function blobPath(digest: Digest): string {
  return `content/blobs/sha256/${digestHex(digest)}`;
}

/** Folder of the offer whose names are those of a blob that a medium lacks: `apply` looks for it there itself. */
export const MISSING = 'missing';

/** Opens the mirror in `folder`, made when missing; wrong blobs go to the folder `offer`. */
export function openMirror(world: DownloadWorld, folder: string, offer: string): Mirror {
  const { disk } = world;
  const at = (file: string): string => path.join(folder, file);
  const writeTo = (base: string, file: string, bytes: Uint8Array): void => {
    disk.makeFolder(path.dirname(path.join(base, file)), 0o755);
    durableWrite(disk, path.join(base, file), bytes, 0o644);
  };
  const write = (file: string, bytes: Uint8Array): void => writeTo(folder, file, bytes);
  return {
    read: (file, maxBytes) => disk.read(at(file), maxBytes),
    write,
    offer: (file, bytes) => writeTo(offer, file, bytes),
    withdraw: (file) => disk.remove(path.join(offer, file)),
    has: (file) => disk.kind(at(file)) === 'file',
    list: (file) => disk.list(at(file)),
    sizeBytes: (file) => disk.sizeBytes(at(file)),
    filesBelow: (file) => filesBelow(disk, folder, file),
    remove: (file) => disk.remove(at(file)),
    clearOffer: () => disk.remove(offer),
    mark: () => readMark(disk, folder),
    places: () => readReceiptPlaces(disk, folder),
    notePlaces: (found) => noteReceiptPlaces(disk, folder, found),
    setMark: (mark) => write(MARK, sealed({ ...mark })),
    hasBlob: (blob, recheck) => isThere(disk, at(blobPath(blob.digest)), blob, recheck),
    fetchBlob: (upstream, blob, pace) => fetchBlob(world, { folder, offer }, upstream, blob, pace),
  };
}

function filesBelow(disk: Disk, root: string, file: string): readonly string[] {
  return disk.list(path.join(root, file)).flatMap((name) => {
    const below = `${file}/${name}`;
    return disk.kind(path.join(root, below)) === 'folder' ? filesBelow(disk, root, below) : [below];
  });
}

/** What the last whole sync of the mirror in `folder` left. */
export function readMark(disk: Disk, folder: string): SyncMark | undefined {
  try {
    const { timestamp, job, names } = readSealed(disk, path.join(folder, MARK)) ?? {};
    if (!isDigest(timestamp) || !isDigest(job)) return undefined;
    return { timestamp, job, names: Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [] };
  } catch (error) {
    // a damaged mark only costs a whole sync
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

interface MirrorFolders {
  readonly folder: string;
  readonly offer: string;
}

async function fetchBlob(
  world: DownloadWorld,
  { folder, offer }: MirrorFolders,
  upstream: Upstream,
  blob: WantedBlob,
  pace: Pace,
): Promise<BlobOutcome> {
  const { disk } = world;
  const partial = path.join(folder, 'partial', digestHex(blob.digest));
  disk.makeFolder(path.dirname(partial), 0o755);
  const wanted = { path: blobPath(blob.digest), sizeBytes: blob.sizeBytes, file: partial };
  let got = await download(wanted, upstream, pace, world);
  // what an earlier try left may have been damaged: once more from the beginning
  if (got.is === 'rest' && !(await isRight(disk, partial, blob))) {
    disk.remove(partial);
    got = await download(wanted, upstream, pace, world);
  }
  if (got.is === 'absent') return 'absent';
  const right = got.is === 'whole' ? got.digest === blob.digest : await isRight(disk, partial, blob);
  const to = path.join(right ? folder : offer, blobPath(blob.digest));
  disk.makeFolder(path.dirname(to), 0o755);
  disk.rename(partial, to);
  disk.syncFolder(path.dirname(to));
  return right ? 'fetched' : 'wrong';
}

async function isRight(disk: Disk, file: string, blob: WantedBlob): Promise<boolean> {
  return disk.sizeBytes(file) === blob.sizeBytes && (await digestOf(file)) === blob.digest;
}

async function isThere(disk: Disk, file: string, blob: WantedBlob, recheck: 'size' | 'bytes'): Promise<boolean> {
  if (disk.kind(file) !== 'file' || disk.sizeBytes(file) !== blob.sizeBytes) return false;
  return recheck === 'size' || (await digestOf(file)) === blob.digest;
}

async function digestOf(file: string): Promise<Digest> {
  const digester = createDigester();
  for await (const piece of createReadStream(file, { highWaterMark: 1024 * 1024 })) if (piece instanceof Uint8Array) digester.update(piece);
  return digester.finish();
}

/** Whether bytes in the mirror are those that a digest names: small files are hashed whenever they are used. */
export function isNamed(bytes: Uint8Array | undefined, digest: Digest): bytes is Uint8Array {
  return bytes !== undefined && sha256(bytes) === digest;
}
