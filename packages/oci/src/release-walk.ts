/** From a release digest to every blob that a site needs for it. Pure: the blobs come from a function. */
import { type Digest, LIMITS, OciError, sha256 } from '@sealane/core';
import { type Descriptor, malformed } from './descriptor.js';
import { walkDescriptors, walkSync } from './descriptor-walk.js';
import { MAX_IMAGE_DEPTH, MAX_MANIFEST_BYTES } from './limits.js';
import type { IndexDocument, ManifestDocument } from './manifest.js';
import { OCI_INDEX } from './media-types.js';
import { COMPONENT_ARTIFACT_TYPES, parseReleaseManifest, type ReleaseComponent, type ReleaseDoc } from './release-manifest.js';
import { digestError } from './verified-stream.js';

/** Reads a blob of at most `maxBytes`; undefined where there is none. Need not verify: the walk does. */
export type ReadBlobSync = (digest: Digest, maxBytes: number) => Uint8Array | undefined;

/** A release and all that belongs to it. */
export interface WalkedRelease {
  readonly doc: ReleaseDoc;
  /** The release manifest itself. */
  readonly release: Descriptor;
  /** Every blob below it once, each after all that it refers to; the release manifest is not among them. */
  readonly blobs: readonly Descriptor[];
}

/**
 * Walks a release: its manifest, each component's manifests, their configs and layers. Only manifests are read.
 *
 * @throws OciError `CONTENT_MISSING`, `CONTENT_DIGEST`, `CONTENT_LENGTH`, `CONTENT_MALFORMED` (no release manifest, a component
 * of another kind than its manifest says, more than 10,000 blobs, too deep), `CONTENT_UNSUPPORTED`
 */
export function walkRelease(readBlobSync: ReadBlobSync, release: Digest): WalkedRelease {
  const bytes = readOrMissing(readBlobSync, release, LIMITS.releaseManifestBytes);
  const got = sha256(bytes);
  if (got !== release) throw digestError(`release ${release}`, release, got);
  const doc = parseReleaseManifest(bytes);
  const root: Descriptor = { mediaType: OCI_INDEX, digest: release, size: bytes.length };
  const { blobs, documents } = walkSync(walkDescriptors(root, MAX_IMAGE_DEPTH + 1), ({ digest }) =>
    digest === release ? bytes : readOrMissing(readBlobSync, digest, MAX_MANIFEST_BYTES),
  );
  for (const component of doc.components) checkArtifact(component, documents.get(component.digest));
  return { doc, release: root, blobs: blobs.filter(({ digest }) => digest !== release) };
}

/** A component that is no image is an artifact manifest of its kind, with exactly one layer. */
function checkArtifact(component: ReleaseComponent, document: IndexDocument | ManifestDocument | undefined): void {
  const { name, kind } = component;
  if (kind === 'image') return;
  const doing = `read component ${name}`;
  if (document?.artifactType !== COMPONENT_ARTIFACT_TYPES[kind])
    throw malformed(doing, `artifactType ${COMPONENT_ARTIFACT_TYPES[kind]}`, document?.artifactType);
  if (document.kind !== 'manifest' || document.layers.length !== 1) throw malformed(doing, 'one layer', document.kind);
}

function readOrMissing(readBlobSync: ReadBlobSync, digest: Digest, maxBytes: number): Uint8Array {
  const bytes = readBlobSync(digest, maxBytes);
  if (bytes === undefined) throw new OciError('CONTENT_MISSING', `walk a release: expected blob ${digest}, got none`, { digest });
  return bytes;
}
