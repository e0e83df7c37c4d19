/** Whether a statement is about all of a release: whoever vouches for one part of it has said nothing of the others. */
import { type Digest, digestHex, PromoterError } from '@sealane/core';
import { imagePartsOf } from '@sealane/trust';
import { readBlob } from '../content.js';
import { releaseDocument } from '../decision/gate-input.js';
import type { Promoter } from '../promoter.js';

/**
 * The components that `named` (hex digests) leaves out: none when the release itself is named, or each component is. An image is named by its own digest or by
 * those of all its platforms.
 *
 * @throws PromoterError `CONTENT_*` the manifest of an image is not there, or none
 */
export async function leftOut(promoter: Promoter, release: Digest, named: ReadonlySet<string>): Promise<readonly string[]> {
  const isNamed = (digest: Digest): boolean => named.has(digestHex(digest));
  if (isNamed(release)) return [];
  const releaseDoc = await releaseDocument(promoter, release);
  const images = imagePartsOf({ releaseDoc, blob: (digest) => readBlob(promoter, digest) });
  if (!images.ok) throw new PromoterError(images.problem.code, `add evidence: ${images.problem.why}`);
  const byPlatforms = images.value.filter(({ platforms }) => platforms.length > 0 && platforms.every(isNamed)).map(({ name }) => name);
  return releaseDoc.components.filter(({ name, digest }) => !isNamed(digest) && !byPlatforms.includes(name)).map(({ name }) => name);
}
