/**
 * An OCI image layout on disk (image-spec 1.1, image-layout.md): blobs by digest, and an index of what it offers.
 *
 * A blob is never believed because its name is there: every read verifies. skopeo keeps a corrupt blob that it finds in the
 * target; here a put over it repairs it.
 */
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { canonicalJson, createDigester, type Digest, digestHex, SealaneError } from '@sealane/core';
import { checkDigest, readFileChunks, readFileInPlace, readFileRange, readSmallFile, readVerifiedSync } from './blob-file.js';
import { type Descriptor, malformed, objectOf } from './descriptor.js';
import { durableWrite, startDurableFile } from './durable-write.js';
import { EMPTY_INDEX, encodeLayoutIndex, type LayoutIndex, parseLayoutIndex, withEntry } from './layout-index.js';
import { MAX_LAYOUT_INDEX_BYTES, MAX_LAYOUT_MARKER_BYTES } from './limits.js';
import { parseOciJson } from './manifest.js';
import { syncPath } from './sync-tree.js';
import { boundedStream, digestError, lengthError, verifiedStream } from './verified-stream.js';

/** How to put a blob: what it must be, or at least how long it may be. */
export interface PutOptions {
  readonly expected?: Digest;
  /** Exact length in bytes, where it is known. */
  readonly size?: number;
  readonly maxBytes: number;
}

/** An open layout. Blobs may be put and read by many at once; `addToIndex` of two processes needs a lock of theirs. */
export interface Layout {
  readonly dir: string;
  /** Where the blob is or would be. */
  blobPath(digest: Digest): string;
  /** Whether a file of that name is there: no statement about its bytes. */
  hasBlob(digest: Digest): Promise<boolean>;
  /** Whether the blob is there and its bytes (and length, if given) are right; reads them all. */
  verifyBlob(digest: Digest, size?: number): Promise<boolean>;
  /** The blob, verified. @throws OciError `CONTENT_MISSING`, `CONTENT_LENGTH` above `maxBytes`, `CONTENT_DIGEST` */
  readBlob(digest: Digest, maxBytes: number): Promise<Uint8Array>;
  /** As `readBlob`, at once, for the pure walkers. */
  readBlobSync(digest: Digest, maxBytes: number): Uint8Array;
  /** A piece of a blob, not verified: for who has verified the whole before. @throws OciError `CONTENT_MISSING`, `CONTENT_LENGTH` it ends before */
  readRange(digest: Digest, from: number, length: number): Promise<Uint8Array>;
  /** The blob as a stream that ends in `CONTENT_DIGEST` or `CONTENT_LENGTH` if it was wrong; a missing one in `CONTENT_MISSING`. */
  openBlob(digest: Digest, size?: number): Readable;
  /** As `openBlob`, for who uses up a chunk before asking for the next: all are in one buffer. */
  readBlobInPlace(digest: Digest, size?: number): AsyncIterable<Uint8Array>;
  /** As `readBlobInPlace`, not verified: for who verifies what is in it. */
  readUnverified(digest: Digest): AsyncIterable<Uint8Array>;
  /**
   * Writes a blob durably while hashing it, replacing a corrupt one. On failure nothing is left and an old blob stands.
   * @throws OciError `CONTENT_DIGEST`, `CONTENT_LENGTH`; errors of the source as they are
   */
  putBlob(source: Uint8Array | AsyncIterable<Uint8Array>, options: PutOptions): Promise<{ digest: Digest; size: number }>;
  /** Removes a blob, if it is there. */
  removeBlob(digest: Digest): Promise<void>;
  /** The entries of `index.json`. @throws OciError `CONTENT_MALFORMED`, `CONTENT_MISSING` */
  index(): Promise<readonly Descriptor[]>;
  /** Offers a manifest; see `withEntry` for names. Durable when it returns. */
  addToIndex(descriptor: Descriptor): Promise<void>;
}

const LAYOUT_VERSION = '1.0.0';

/**
 * Opens a layout; with `create: 'if-missing'` an empty one is made where none is.
 *
 * @throws OciError `CONTENT_MISSING` no layout there; `CONTENT_MALFORMED` another version of the format
 */
export async function openLayout(dir: string, options: { readonly create?: 'never' | 'if-missing' } = {}): Promise<Layout> {
  const blobs = resolve(dir, 'blobs', 'sha256');
  const indexPath = join(dir, 'index.json');
  if (options.create === 'if-missing') await createMissing(dir, blobs, indexPath);
  await checkMarker(dir);

  const blobPath = (digest: Digest): string => join(blobs, digestHex(digest));
  const verified = (read: typeof readFileChunks, digest: Digest, size?: number): AsyncGenerator<Uint8Array> => {
    const name = blobPath(digest);
    return verifiedStream(read(name), { name, digest, ...(size !== undefined && { size }) });
  };
  const readIndex = async (): Promise<LayoutIndex> => parseLayoutIndex(await readSmallFile(indexPath, MAX_LAYOUT_INDEX_BYTES));
  // Read, change and write follow one another, or one of two additions would be lost.
  let lastAddition: Promise<unknown> = Promise.resolve();

  return {
    dir,
    blobPath,
    hasBlob: (digest) => isPlainFile(blobPath(digest)),
    verifyBlob: (digest, size) => drains(verified(readFileInPlace, digest, size)),
    readBlob: async (digest, maxBytes) => {
      const bytes = await readSmallFile(blobPath(digest), maxBytes);
      checkDigest(blobPath(digest), bytes, digest);
      return bytes;
    },
    readBlobSync: (digest, maxBytes) => readVerifiedSync(blobPath(digest), digest, maxBytes),
    readRange: (digest, from, length) => readFileRange(blobPath(digest), from, length),
    openBlob: (digest, size) => Readable.from(verified(readFileChunks, digest, size), { objectMode: false }),
    readBlobInPlace: (digest, size) => verified(readFileInPlace, digest, size),
    readUnverified: (digest) => readFileInPlace(blobPath(digest)),
    putBlob: (source, putOptions) => putBlob(blobs, source, putOptions),
    removeBlob: async (digest) => {
      if (await isPlainFile(blobPath(digest))) await unlink(blobPath(digest));
    },
    index: async () => (await readIndex()).entries,
    addToIndex: async (descriptor) => {
      const addition = lastAddition.then(async () => {
        await durableWrite(indexPath, encodeLayoutIndex(withEntry(await readIndex(), descriptor)), 'index');
      });
      // A failed addition is its own caller's business, not the next one's.
      lastAddition = Promise.allSettled([addition]);
      await addition;
    },
  };
}

async function createMissing(dir: string, blobs: string, indexPath: string): Promise<void> {
  const first = await mkdir(blobs, { recursive: true });
  // a folder is durable by the one that names it
  for (let made = blobs; first !== undefined && made.length >= first.length; made = dirname(made)) await syncPath(dirname(made));
  if (!(await isPlainFile(indexPath))) await durableWrite(indexPath, encodeLayoutIndex(EMPTY_INDEX), 'index');
  const marker = join(dir, 'oci-layout');
  // The marker comes last: a layout cut short while being made is none yet.
  if (!(await isPlainFile(marker))) await durableWrite(marker, canonicalJson({ imageLayoutVersion: LAYOUT_VERSION }), 'marker');
}

async function checkMarker(dir: string): Promise<void> {
  const bytes = await readSmallFile(join(dir, 'oci-layout'), MAX_LAYOUT_MARKER_BYTES);
  checkLayoutMarker(bytes, dir);
}

/** image-layout.md: the file `oci-layout` names the version. @throws OciError `CONTENT_MALFORMED` */
export function checkLayoutMarker(bytes: Uint8Array, where: string): void {
  const { imageLayoutVersion } = objectOf(parseOciJson(bytes, MAX_LAYOUT_MARKER_BYTES, 'oci-layout'), 'oci-layout');
  if (imageLayoutVersion !== LAYOUT_VERSION)
    throw malformed(`open image layout ${where}`, `imageLayoutVersion ${LAYOUT_VERSION}`, imageLayoutVersion);
}

async function putBlob(
  blobs: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  { expected, size, maxBytes }: PutOptions,
): Promise<{ digest: Digest; size: number }> {
  const name = expected === undefined ? 'a new blob' : `blob ${expected}`;
  const chunks = source instanceof Uint8Array ? [source] : source;
  const digester = createDigester();
  let written = 0;
  const file = await startDurableFile(blobs, 'blob');
  try {
    for await (const chunk of boundedStream(chunks, size ?? maxBytes, name)) {
      digester.update(chunk);
      written += chunk.length;
      await file.write(chunk);
    }
    if (size !== undefined && written !== size) throw lengthError(name, `${size}`, `${written}`);
    const digest = digester.finish();
    if (expected !== undefined && digest !== expected) throw digestError(name, expected, digest);
    await file.commit(join(blobs, digestHex(digest)));
    return { digest, size: written };
  } finally {
    await file.discard();
  }
}

async function drains(stream: AsyncIterable<Uint8Array>): Promise<boolean> {
  try {
    for await (const chunk of stream) void chunk;
    return true;
  } catch (error) {
    // Wrong and missing are the answer "no"; a disk that cannot be read is not.
    if (error instanceof SealaneError && ['CONTENT_DIGEST', 'CONTENT_LENGTH', 'CONTENT_MISSING'].includes(error.code)) return false;
    throw error;
  }
}

async function isPlainFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return false;
    throw error;
  }
}
