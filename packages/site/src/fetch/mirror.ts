/**
 * The mirror: a copy of the part of a lane that this site needs, in the lane's own layout. Written by `fetch` alone.
 *
 * Blobs, tiles and versioned metadata never change under their names and go in as they come; the files that do change go in last, the
 * timestamp at the very end. So a mirror is the one before or the new one, and a sync that broke off goes on where it was.
 */
import { closeSync, constants, createReadStream, fsyncSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { createDigester, type Digest, digestHex, isDigest, SealaneError, sha256 } from '@sealane/core';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { readSealed, sealed } from '../sealed-file.js';
import type { Upstream } from './upstream.js';

/** Everything that was true when a sync ended: if it still is, there is nothing to do but to look at the timestamp. */
export interface SyncMark {
  readonly timestamp: Digest;
  /** Of the job: stage, labels, trusted root. Another one needs other files. */
  readonly job: Digest;
}

/** How a blob came to be in the mirror, or why it did not: a wrong one lies in the offer, for `apply` to name what is wrong with it. */
export type BlobOutcome = 'kept' | 'fetched' | 'absent' | 'wrong';

/** A mirror in a folder. Paths are the lane's. */
export interface Mirror {
  read(file: string, maxBytes: number): Uint8Array | undefined;
  write(file: string, bytes: Uint8Array): void;
  /** Puts a file that was found wrong where `apply` will judge it. */
  offer(file: string, bytes: Uint8Array): void;
  has(file: string): boolean;
  list(folder: string): readonly string[];
  remove(file: string): void;
  clearOffer(): void;
  mark(): SyncMark | undefined;
  setMark(mark: SyncMark): void;
  /** Gets a blob, resuming what is there of it. With `recheck: 'bytes'` one that is there is hashed again. */
  blob(upstream: Upstream, blob: { readonly digest: Digest; readonly sizeBytes: number }, recheck: 'size' | 'bytes'): Promise<BlobOutcome>;
}

const MARK = 'synced.json';

/** Path of a blob in a lane. */
export function blobPath(digest: Digest): string {
  return `content/blobs/sha256/${digestHex(digest)}`;
}

/** Opens the mirror in `folder`, made when missing; wrong blobs go to the folder `offer`. */
export function openMirror(disk: Disk, folder: string, offer: string): Mirror {
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
    has: (file) => disk.kind(at(file)) === 'file',
    list: (file) => disk.list(at(file)),
    remove: (file) => disk.remove(at(file)),
    clearOffer: () => disk.remove(offer),
    mark: () => readMark(disk, at(MARK)),
    setMark: (mark) => write(MARK, sealed({ ...mark })),
    blob: (upstream, blob, recheck) => getBlob(disk, { folder, offer }, upstream, blob, recheck),
  };
}

function readMark(disk: Disk, file: string): SyncMark | undefined {
  try {
    const { timestamp, job } = readSealed(disk, file) ?? {};
    return isDigest(timestamp) && isDigest(job) ? { timestamp, job } : undefined;
  } catch (error) {
    // a damaged mark only costs a whole sync
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

interface WantedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

interface MirrorFolders {
  readonly folder: string;
  readonly offer: string;
}

async function getBlob(
  disk: Disk,
  { folder, offer }: MirrorFolders,
  upstream: Upstream,
  blob: WantedBlob,
  recheck: 'size' | 'bytes',
): Promise<BlobOutcome> {
  const file = path.join(folder, blobPath(blob.digest));
  if (await isThere(disk, file, blob, recheck)) return 'kept';
  const partial = path.join(folder, 'partial', digestHex(blob.digest));
  disk.makeFolder(path.dirname(partial), 0o755);
  let got = await download(disk, upstream, blob, partial);
  // what an earlier try left may have been damaged: once more from the beginning
  if (got === 'rest' && !(await isRight(disk, partial, blob))) {
    disk.remove(partial);
    got = await download(disk, upstream, blob, partial);
  }
  if (got === 'absent') return 'absent';
  const right = await isRight(disk, partial, blob);
  const to = right ? file : path.join(offer, blobPath(blob.digest));
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

/** `whole` = from the first byte on, `rest` = behind bytes of an earlier try. */
async function download(disk: Disk, upstream: Upstream, blob: WantedBlob, partial: string): Promise<'whole' | 'rest' | 'absent'> {
  const offset = disk.kind(partial) === 'file' ? Math.min(disk.sizeBytes(partial), blob.sizeBytes) : 0;
  // one byte more than there should be shows that the blob is longer
  const opened = await upstream.open(blobPath(blob.digest), offset, blob.sizeBytes + 1);
  if (opened === undefined) return 'absent';
  if (opened.from !== offset) disk.remove(partial);
  const flags = constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;
  const out = openSync(partial, flags, 0o644);
  try {
    for await (const piece of opened.pieces) writeWhole(out, piece);
    fsyncSync(out);
  } finally {
    closeSync(out);
  }
  return opened.from === 0 ? 'whole' : 'rest';
}

function writeWhole(file: number, bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) offset += writeSync(file, bytes, offset);
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
