/** The lane, read at most once a file: what was verified is what is used, whoever writes to the mirror meanwhile (TOCTOU). Bounded in all. */
import { type Digest, digestHex, sha256, TrustError } from '@sealane/core';
import type { LaneView } from './types.js';

/** All that one admission may read: a waybill, its reports and inventories, metadata and tiles come to a few MiB. */
const MAX_TOTAL_BYTES = 256 * 1024 * 1024;

/** Reads of one admission. */
export interface LaneReader {
  /** A file by its path in the lane. @throws TrustError `TRUST_TOO_LARGE` */
  file(path: string, maxBytes: number): Uint8Array | undefined;
  /** A blob of `content/` that has its digest. @throws TrustError `CONTENT_MISSING`, `CONTENT_DIGEST`, `TRUST_TOO_LARGE` */
  blob(digest: Digest, maxBytes: number): Uint8Array;
}

/** Where a blob lies in the lane. */
export function blobPath(digest: Digest): string {
  return `content/blobs/sha256/${digestHex(digest)}`;
}

/** Wraps a lane for one admission. */
export function laneReader(lane: LaneView): LaneReader {
  const known = new Map<string, Uint8Array | undefined>();
  let totalBytes = 0;
  const file = (path: string, maxBytes: number): Uint8Array | undefined => {
    const bytes = known.has(path) ? known.get(path) : lane.read(path, maxBytes);
    if (!known.has(path)) totalBytes += bytes?.length ?? 0;
    known.set(path, bytes);
    if ((bytes?.length ?? 0) > maxBytes) throw tooLarge(path, maxBytes);
    if (totalBytes > MAX_TOTAL_BYTES) throw tooLarge('the lane', MAX_TOTAL_BYTES);
    return bytes;
  };
  const blob = (digest: Digest, maxBytes: number): Uint8Array => {
    const path = blobPath(digest);
    const bytes = file(path, maxBytes);
    if (bytes === undefined) throw new TrustError('CONTENT_MISSING', `read ${path}: expected the blob, got nothing`, { path });
    const actual = sha256(bytes);
    if (actual !== digest) throw new TrustError('CONTENT_DIGEST', `read ${path}: expected ${digest}, got ${actual}`, { path });
    return bytes;
  };
  return { file, blob };
}

function tooLarge(path: string, maxBytes: number): TrustError {
  return new TrustError('TRUST_TOO_LARGE', `read ${path}: expected at most ${maxBytes} bytes, got more`, { path, maxBytes });
}
