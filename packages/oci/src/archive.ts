/** Imports an `oci-archive`: a tar (plain or gzip) of an image layout, streamed into another layout without unpacking it first. */
import { createReadStream } from 'node:fs';
import { type Digest, digestFromHex, OciError } from '@sealane/core';
import type { Descriptor } from './descriptor.js';
import { walkAsync, walkDescriptors } from './descriptor-walk.js';
import { gunzipIfNeeded } from './gunzip.js';
import { rootManifest, selectEntry } from './image-source.js';
import { checkLayoutMarker, type Layout } from './layout.js';
import { parseLayoutIndex } from './layout-index.js';
import {
  MAX_BLOBS,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_DEPTH,
  MAX_LAYOUT_INDEX_BYTES,
  MAX_LAYOUT_MARKER_BYTES,
  MAX_MANIFEST_BYTES,
  type UnpackLimits,
} from './limits.js';
import type { LocalReference } from './reference.js';
import { safeComponents } from './safe-path.js';
import { unsafe } from './tar-header.js';
import { readTar, type TarEntry } from './tar-reader.js';
import { boundedStream, collect } from './verified-stream.js';

/** An archive holds blobs, three small files and their folders; nothing in it is deeper than `blobs/sha256/<hex>`. */
const LIMITS: UnpackLimits = {
  maxTotalBytes: MAX_IMAGE_BYTES,
  maxEntries: 2 * MAX_BLOBS,
  maxNameBytes: 255,
  maxPathBytes: 1024,
  maxDepth: 8,
  maxPaxBytes: 64 * 1024,
};
const HEX = /^[0-9a-f]{64}$/;

interface Found {
  index?: Uint8Array;
  marker?: Uint8Array;
  /** Blobs that were not in the layout before, to be removed again if they do not belong to the image. */
  readonly added: Set<Digest>;
}

/**
 * Copies the image that `reference` means out of an archive. On failure the blobs that it brought are removed again, as are
 * those that do not belong to the image.
 *
 * @throws OciError `CONTENT_UNSAFE` malformed, cut, links or devices in it; `CONTENT_DIGEST` a blob that is not its name;
 * `CONTENT_MISSING`, `CONTENT_MALFORMED`
 */
export async function importArchive(reference: LocalReference, layout: Layout): Promise<Descriptor> {
  const found: Found = { added: new Set() };
  try {
    await readInto(found, reference.path, layout);
    const root = await selectRoot(found, reference, layout);
    await keepOnly(found, root, layout);
    return root;
  } catch (error) {
    for (const digest of found.added) await layout.removeBlob(digest);
    throw error;
  }
}

async function readInto(found: Found, path: string, layout: Layout): Promise<void> {
  for await (const entry of readTar(gunzipIfNeeded(readFile(path)), LIMITS)) {
    if (entry.kind === 'dir') continue;
    if (entry.kind !== 'file') throw unsafe(`read ${path}`, 'files and folders', `a ${entry.kind}`);
    await takeEntry(found, entry, safeComponents(entry.name, 'none', LIMITS).join('/'), layout);
  }
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause;
    throw new OciError('CONTENT_MISSING', `open ${path}: expected an archive, got nothing`, { path }, { cause });
  }
}

/** Blobs go straight into the layout, under their own digest only; what is no part of a layout is passed over. */
async function takeEntry(found: Found, entry: TarEntry, name: string, layout: Layout): Promise<void> {
  if (name === 'index.json') found.index = await collect(boundedStream(entry.content, MAX_LAYOUT_INDEX_BYTES, name));
  if (name === 'oci-layout') found.marker = await collect(boundedStream(entry.content, MAX_LAYOUT_MARKER_BYTES, name));
  const digits = name.startsWith('blobs/sha256/') ? name.slice('blobs/sha256/'.length) : '';
  if (!HEX.test(digits)) return;
  const digest = digestFromHex(digits);
  if (await layout.verifyBlob(digest, entry.sizeBytes)) return;
  if (!(await layout.hasBlob(digest))) found.added.add(digest);
  await layout.putBlob(entry.content, { expected: digest, size: entry.sizeBytes, maxBytes: entry.sizeBytes });
}

async function selectRoot(found: Found, reference: LocalReference, layout: Layout): Promise<Descriptor> {
  const { path } = reference;
  if (found.index === undefined || found.marker === undefined) {
    throw new OciError('CONTENT_MISSING', `read ${path}: expected oci-layout and index.json, got an archive without`, { path });
  }
  checkLayoutMarker(found.marker, path);
  const entry = selectEntry(parseLayoutIndex(found.index).entries, reference, path);
  return rootManifest(await layout.readBlob(entry.digest, MAX_MANIFEST_BYTES), entry.mediaType, entry.digest).descriptor;
}

/** Checks that every blob of the image is there, and removes what came along without belonging to it. */
async function keepOnly(found: Found, root: Descriptor, layout: Layout): Promise<void> {
  const { blobs } = await walkAsync(walkDescriptors(root, MAX_IMAGE_DEPTH), ({ digest }) => layout.readBlob(digest, MAX_MANIFEST_BYTES));
  for (const { digest, size } of blobs) {
    if (!(await layout.verifyBlob(digest, size)))
      throw new OciError('CONTENT_MISSING', `import an archive: expected blob ${digest} of ${size} bytes, got none`, { digest });
    found.added.delete(digest);
  }
  for (const digest of found.added) await layout.removeBlob(digest);
}
