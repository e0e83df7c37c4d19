/** Blobs of the lane's content, by digest. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Digest, digestHex, LIMITS, sha256 } from '@sealane/core';
import { isNotFound } from './disk-shell.js';
import type { Home } from './home.js';

/** A blob of the lane's content; its digest is checked, since the folder is not trusted. */
export function readBlob({ home }: { readonly home: Pick<Home, 'content'> }, digest: Digest): Uint8Array | undefined {
  try {
    const bytes = readFileSync(path.join(home.content, 'blobs', 'sha256', digestHex(digest)));
    return bytes.length <= LIMITS.evidenceBlobBytes && sha256(bytes) === digest ? bytes : undefined;
  } catch (error) {
    // absent is an answer: the gate says which blob it misses
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
