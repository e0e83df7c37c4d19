/**
 * Files of the store as they are handed out: hashed whole before the first byte leaves, and again once the file is another one. So nothing unverified is
 * served, a range of a large blob included, and a blob that rotted is missing rather than wrong.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, digestFromHex } from '@sealane/core';
import type { Layout } from '@sealane/oci';
import { isNodeError } from '../disk.js';

const CHUNK_BYTES = 1024 * 1024;

/** An open blob whose bytes are those of its digest. The caller closes it. */
export interface VerifiedFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** Opens blobs of a store. Digests that were asked for at the same time are hashed once. */
export function verifiedFiles(store: Pick<Layout, 'blobPath'>): (digest: Digest) => Promise<VerifiedFile | undefined> {
  const known = new Map<Digest, string>();
  const hashing = new Map<string, Promise<boolean>>();

  const isVerified = async (handle: FileHandle, digest: Digest, identity: string): Promise<boolean> => {
    if (known.get(digest) === identity) return true;
    const verdict = hashing.get(identity) ?? hasDigest(handle, digest);
    hashing.set(identity, verdict);
    try {
      if (await verdict) known.set(digest, identity);
      return await verdict;
    } finally {
      hashing.delete(identity);
    }
  };

  return async (digest) => {
    const handle = await openIfThere(store.blobPath(digest));
    if (handle === undefined) return undefined;
    let isGood = false;
    try {
      const { ino, size, mtimeMs, ctimeMs } = await handle.stat();
      isGood = await isVerified(handle, digest, `${digest} ${ino} ${size} ${mtimeMs} ${ctimeMs}`);
      return isGood ? { handle, size } : undefined;
    } finally {
      if (!isGood) await handle.close();
    }
  };
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ELOOP', 'ENXIO')) return undefined;
    throw error;
  }
}

async function hasDigest(handle: FileHandle, digest: Digest): Promise<boolean> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let position = 0; ;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return digestFromHex(hash.digest('hex')) === digest;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}
