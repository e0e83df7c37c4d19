/** What a statement about a release is about: the release, each component, and every child manifest of an image index. */
import { type Digest } from '@sealane/core';
import { walkRelease } from '@sealane/oci';
import { PromoterError } from '@sealane/core';
import { readBlob } from '../decision/gate-input.js';
import type { Promoter } from '../promoter.js';

/** Subjects of evidence about a release, the release itself first. */
export function subjectsOf(promoter: Promoter, release: { readonly digest: Digest; readonly name: string }): readonly { readonly name: string; readonly digest: Digest }[] {
  const walked = walkRelease((digest) => {
    const bytes = readBlob(promoter, digest);
    if (bytes === undefined) throw new PromoterError('CONTENT_MISSING', `read ${digest} of release ${release.digest}: it is not in the lane's content`);
    return bytes;
  }, release.digest);
  const manifests = walked.blobs.filter(({ mediaType }) => /(?:manifest|index)[^/]*json$/.test(mediaType) && !mediaType.includes('config'));
  const named = manifests.map(({ digest }) => ({ name: release.name, digest }));
  return [{ name: release.name, digest: release.digest }, ...named.filter(({ digest }) => digest !== release.digest)];
}
