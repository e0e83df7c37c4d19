/** Where an image is copied from: anything that finds a root manifest and gives blobs by descriptor. */
import { type Digest, isDigest, OciError, sha256 } from '@sealane/core';
import { bareDescriptor, type Descriptor, malformed } from './descriptor.js';
import type { Layout } from './layout.js';
import { REF_NAME } from './layout-index.js';
import { MAX_MANIFEST_BYTES } from './limits.js';
import { mediaTypesOf } from './manifest.js';
import { manifestKind } from './media-types.js';
import type { RegistryClient } from './registry.js';
import type { LocalReference } from './reference.js';
import { digestError } from './verified-stream.js';

/** A root manifest with its bytes, verified against its digest. */
export interface RootManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A place that holds images. `blob` verifies or not: who copies checks again. */
export interface ImageSource {
  root(): Promise<RootManifest>;
  manifest(descriptor: Descriptor): Promise<Uint8Array>;
  blob(descriptor: Descriptor): AsyncIterable<Uint8Array>;
}

/** One repository of a registry, and the digest or tag wanted there. */
export function registrySource(client: RegistryClient, repository: string, wanted: Digest | string): ImageSource {
  return {
    root: async () => {
      const { bytes, mediaType } = await client.manifest(repository, wanted);
      return rootManifest(bytes, mediaType, isDigest(wanted) ? wanted : undefined);
    },
    manifest: async ({ digest }) => (await client.manifest(repository, digest)).bytes,
    blob: (descriptor) => client.blob(repository, descriptor),
  };
}

/** A layout on disk, and which of its images is wanted. */
export function layoutSource(layout: Layout, reference: Pick<LocalReference, 'digest' | 'tag'>): ImageSource {
  return {
    root: async () => {
      const entry = selectEntry(await layout.index(), reference, layout.dir);
      return rootManifest(await layout.readBlob(entry.digest, MAX_MANIFEST_BYTES), entry.mediaType, entry.digest);
    },
    manifest: ({ digest }) => layout.readBlob(digest, MAX_MANIFEST_BYTES),
    blob: ({ digest, size }) => layout.openBlob(digest, size),
  };
}

/**
 * The entry of an index that a reference means: the digest, the name, or the only one.
 *
 * @throws OciError `CONTENT_MISSING` none; `REFERENCE_MALFORMED` several and none named
 */
export function selectEntry(
  entries: readonly Descriptor[],
  { digest, tag }: Pick<LocalReference, 'digest' | 'tag'>,
  where: string,
): { readonly digest: Digest; readonly mediaType?: string } {
  const fitting = entries.filter(
    (entry) => (digest === undefined || entry.digest === digest) && (tag === undefined || entry.annotations?.[REF_NAME] === tag),
  );
  const digests = new Set(fitting.map((entry) => entry.digest));
  if (digests.size > 1) {
    throw new OciError(
      'REFERENCE_MALFORMED',
      `find an image in ${where}: expected one${tag === undefined ? '' : ` named ${tag}`}, got ${digests.size}: add @DIGEST`,
    );
  }
  const first = fitting[0];
  if (first !== undefined) return bareDescriptor(first);
  // A digest need not be listed: it may be a child of what is.
  if (digest !== undefined) return { digest };
  throw new OciError('CONTENT_MISSING', `find an image in ${where}: expected ${tag === undefined ? 'one' : `one named ${tag}`}, got none`);
}

/**
 * The descriptor of a manifest from its bytes. What the document calls itself must agree with what others call it.
 *
 * @throws OciError `CONTENT_DIGEST`, `CONTENT_MALFORMED`
 */
export function rootManifest(bytes: Uint8Array, saidType: string | undefined, wanted?: Digest): RootManifest {
  const digest = sha256(bytes);
  if (wanted !== undefined && digest !== wanted) throw digestError(`manifest ${wanted}`, wanted, digest);
  const { own, byShape } = mediaTypesOf(bytes);
  const said = saidType !== undefined && manifestKind(saidType) !== undefined ? saidType : undefined;
  const mediaType = own ?? said ?? byShape;
  if (mediaType === undefined) throw malformed(`read manifest ${digest}`, 'a media type', saidType);
  if (said !== undefined && own !== undefined && said !== own)
    throw malformed(`read manifest ${digest}`, `media type ${said} as its source says`, own);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}
