/** Copies an image, the index and every child, from wherever it is into a layout. */
import type { Digest } from '@sealane/core';
import { importArchive } from './archive.js';
import type { Descriptor } from './descriptor.js';
import { walkAsync, walkDescriptors } from './descriptor-walk.js';
import { type ImageSource, layoutSource, registrySource } from './image-source.js';
import { type Layout, openLayout } from './layout.js';
import { MAX_IMAGE_DEPTH } from './limits.js';
import { type DockerReference, parseReference } from './reference.js';
import type { RegistryOptions } from './registry.js';
import { withRegistry } from './with-registry.js';

/**
 * Copies the image that a REF names into `layout` and returns its root descriptor; `index.json` is left to the caller.
 *
 * A tag is resolved once: what comes back is the digest of the very bytes that were copied. Blobs already there are
 * verified, and fetched again where they are wrong. Manifests are written last, so a failure leaves blobs but no image.
 *
 * @throws OciError `REFERENCE_MALFORMED`, `CONTENT_*`, `REGISTRY_DENIED`, `REGISTRY_UNAVAILABLE`, `FETCH_TOO_SLOW`
 */
export async function copyImage(ref: string, layout: Layout, options: RegistryOptions = {}): Promise<Descriptor> {
  const reference = parseReference(ref);
  if (reference.kind === 'docker') return copyFromRegistry(reference, layout, options);
  if (reference.kind === 'oci-archive') return importArchive(reference, layout);
  return copyFrom(layoutSource(await openLayout(reference.path), reference), layout);
}

/** As `copyImage`, from an open source. */
export async function copyFrom(source: ImageSource, layout: Layout): Promise<Descriptor> {
  const root = await source.root();
  const manifests = new Map<Digest, Uint8Array>([[root.descriptor.digest, root.bytes]]);
  const { blobs } = await walkAsync(walkDescriptors(root.descriptor, MAX_IMAGE_DEPTH), async (descriptor) => {
    const bytes = manifests.get(descriptor.digest) ?? (await source.manifest(descriptor));
    manifests.set(descriptor.digest, bytes);
    return bytes;
  });
  // Children come before what refers to them.
  for (const blob of blobs) await copyBlob(source, layout, blob, manifests.get(blob.digest));
  return root.descriptor;
}

async function copyFromRegistry(reference: DockerReference, layout: Layout, options: RegistryOptions): Promise<Descriptor> {
  const { registry, repository, wanted } = reference;
  return withRegistry(registry, options, async (client) => copyFrom(registrySource(client, repository, wanted), layout));
}

async function copyBlob(
  source: ImageSource,
  layout: Layout,
  { mediaType, digest, size }: Descriptor,
  bytes: Uint8Array | undefined,
): Promise<void> {
  if (await layout.verifyBlob(digest, size)) return;
  await layout.putBlob(bytes ?? source.blob({ mediaType, digest, size }), { expected: digest, size, maxBytes: size });
}
