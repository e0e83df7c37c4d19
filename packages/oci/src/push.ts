/** Brings an image or release, with every child, out of a layout into a repository of a registry. */
import type { Descriptor } from './descriptor.js';
import { walkAsync, walkDescriptors } from './descriptor-walk.js';
import type { Layout } from './layout.js';
import { MAX_IMAGE_DEPTH, MAX_MANIFEST_BYTES, UPLOAD_PIECE_BYTES } from './limits.js';
import { manifestKind } from './media-types.js';
import { reached } from './points.js';
import type { RegistryClient } from './registry.js';
import type { Arrival, BlobBytes } from './registry-upload.js';

/** Where to, and which other repositories of the same registry may have blobs that need not be sent. */
export interface PushTarget {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly mountFrom?: readonly string[];
}

/** How many blobs and manifests came in which way, and the bytes that were sent for them. */
export type PushCount = Readonly<Record<Arrival, number>> & { readonly bytesSent: number };

/**
 * Copies everything below `root`, and `root` last: a copy that was cut short leaves blobs but no image. What is there is not sent again.
 *
 * @throws OciError `CONTENT_*` of the layout, or where the registry has other bytes; `REGISTRY_*`, `FETCH_TOO_SLOW`
 */
export async function pushFrom(layout: Layout, root: Descriptor, target: PushTarget): Promise<PushCount> {
  // a release is an index of images
  const { blobs } = await walkAsync(walkDescriptors(root, MAX_IMAGE_DEPTH + 1), async ({ digest }) =>
    layout.readBlob(digest, MAX_MANIFEST_BYTES),
  );
  const count = { there: 0, mounted: 0, sent: 0, bytesSent: 0 };
  for (const blob of blobs) {
    const arrival = await pushOne(layout, blob, target);
    reached('pushed');
    count[arrival] += 1;
    if (arrival === 'sent') count.bytesSent += blob.size;
  }
  return count;
}

async function pushOne(layout: Layout, blob: Descriptor, { client, repository, mountFrom }: PushTarget): Promise<Arrival> {
  const { mediaType, digest } = blob;
  if (manifestKind(mediaType) === undefined) return client.putBlob(repository, blob, bytesOf(layout, blob), mountFrom);
  return client.putManifest(repository, { bytes: await layout.readBlob(digest, MAX_MANIFEST_BYTES), mediaType });
}

/** A blob's bytes: a small one verified as it is read, a large one before its first piece. */
function bytesOf(layout: Layout, { digest, size }: Descriptor): BlobBytes {
  if (size <= UPLOAD_PIECE_BYTES) return async () => layout.readBlob(digest, size);
  let isVerified = false;
  return async (from, length) => {
    if (!isVerified) for await (const chunk of layout.openBlob(digest, size)) void chunk;
    isVerified = true;
    return layout.readRange(digest, from, length);
  };
}
