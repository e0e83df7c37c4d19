/** What a statement about a release is about: the release, each component, and every child manifest of an image index. */
import type { Digest } from '@sealane/core';
import { manifestKind, walkRelease } from '@sealane/oci';
import { readBlob } from '../content.js';
import type { Promoter } from '../promoter.js';

/** Subjects of evidence about a release, the release itself first. */
export function subjectsOf(
  promoter: Promoter,
  release: { readonly digest: Digest; readonly name: string },
): readonly { readonly name: string; readonly digest: Digest }[] {
  const { blobs } = walkRelease((digest) => readBlob(promoter, digest), release.digest);
  const manifests = blobs.filter(({ mediaType }) => manifestKind(mediaType) !== undefined);
  const named = manifests.map(({ digest }) => ({ name: release.name, digest }));
  return [{ name: release.name, digest: release.digest }, ...named];
}
