/** The manifest of a release in the lane's content. */
import type { Digest } from '@sealane/core';
import { parseReleaseManifest, type ReleaseDoc } from '@sealane/oci';
import { type ContentPlace, readBlob } from '../content.js';

/** By the very bytes, which nobody changes in place: those of a batch are kept, and are read for gates and for waybills. */
const known = new WeakMap<Uint8Array, ReleaseDoc>();

/** What the manifest of a release says; undefined where it is not there. @throws OciError as `parseReleaseManifest` */
export function manifestOf(place: ContentPlace, release: Digest): ReleaseDoc | undefined {
  const bytes = readBlob(place, release);
  if (bytes === undefined) return undefined;
  const manifest = known.get(bytes) ?? parseReleaseManifest(bytes);
  known.set(bytes, manifest);
  return manifest;
}
