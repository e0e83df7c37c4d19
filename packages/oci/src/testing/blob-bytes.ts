/** Blobs of tests, as they are uploaded. */
import { sha256 } from '@sealane/core';
import type { Descriptor } from '../descriptor.js';
import type { BlobBytes } from '../registry-upload.js';

/** Reads any part of these bytes. */
export const bytesOf =
  (bytes: Uint8Array): BlobBytes =>
  (from, length) =>
    Promise.resolve(bytes.subarray(from, from + length));

export const descriptorOf = (bytes: Uint8Array): Descriptor => ({
  mediaType: 'application/octet-stream',
  digest: sha256(bytes),
  size: bytes.length,
});
