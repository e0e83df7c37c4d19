/** Blobs of the lane's content, by digest. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Digest, digestHex, LIMITS, sha256 } from '@sealane/core';
import { isNotFound } from './disk-shell.js';
import type { Home } from './home.js';

/** Small blobs that were read already: manifests, which each question and each platform of an image reads again. */
export type KeptBlobs = Map<Digest, Uint8Array>;

/** Larger ones are read again. */
const MAX_KEPT_BYTES = 64 * 1024;
const MAX_KEPT = 256;

/** Where blobs are read. */
export interface ContentPlace {
  readonly home: Pick<Home, 'content'>;
  /** For work that is over soon: what is removed from the lane meanwhile is here still. */
  readonly blobs?: KeptBlobs;
}

/** A blob of the lane's content; its digest is checked, since the folder is not trusted. */
export function readBlob({ home, blobs }: ContentPlace, digest: Digest): Uint8Array | undefined {
  const known = blobs?.get(digest);
  if (known !== undefined) return known;
  try {
    const bytes = readFileSync(path.join(home.content, 'blobs', 'sha256', digestHex(digest)));
    if (bytes.length > LIMITS.evidenceBlobBytes || sha256(bytes) !== digest) return undefined;
    if (blobs !== undefined && blobs.size < MAX_KEPT && bytes.length <= MAX_KEPT_BYTES) blobs.set(digest, bytes);
    return bytes;
  } catch (error) {
    // absent is an answer: the gate says which blob it misses
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** What lies in place of a blob that `readBlob` does not give, in words. */
export function foundInPlaceOf({ home }: ContentPlace, digest: Digest): string {
  try {
    const bytes = readFileSync(path.join(home.content, 'blobs', 'sha256', digestHex(digest)));
    return bytes.length > LIMITS.evidenceBlobBytes ? `${bytes.length} bytes, of at most ${LIMITS.evidenceBlobBytes}` : sha256(bytes);
  } catch (error) {
    if (isNotFound(error)) return 'nothing';
    throw error;
  }
}
