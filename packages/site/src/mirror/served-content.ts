/** What this site's mirror may hand out: the blobs of releases that were admitted and laid down here, and nothing else. */
import { type Digest, SealaneError } from '@sealane/core';
import { type Descriptor, type Layout, walkRelease } from '@sealane/oci';
import type { SiteState } from '../apply/state.js';

/** Descriptors of all that is served, by digest: their media types are those of the manifests that name them. */
export type ServedContent = ReadonlyMap<Digest, Descriptor>;

/** Releases whose blobs lie in the store, whole: what runs, what is kept, and what was laid down beside them. */
export function servedReleases({ current, kept, phase }: SiteState): readonly Digest[] {
  const target = 'target' in phase && phase.target !== null && phase.at !== 'admitted' ? [phase.target.release] : [];
  const installed = current === null ? [] : [current.release];
  return [...new Set([...installed, ...kept.map(({ release }) => release), ...target])];
}

/** Walks the releases in the store. One whose manifests are gone or damaged is left out, and named to `talk`. */
export function servedContent(
  store: Pick<Layout, 'readBlobSync'>,
  releases: readonly Digest[],
  talk: (line: string) => void,
): ServedContent {
  const content = new Map<Digest, Descriptor>();
  for (const digest of releases) {
    try {
      const { release, blobs } = walkRelease((blob, maxBytes) => store.readBlobSync(blob, maxBytes), digest);
      for (const descriptor of [...blobs, release]) content.set(descriptor.digest, descriptor);
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      talk(`not served: ${digest}: ${error.message}`);
    }
  }
  return content;
}
