/** The manifest in a part of a release: the one layer of an artifact, under the name that sites give it. */
import { type Digest, isDigest, LIMITS, parseStrictJson, SealaneError, sha256 } from '@sealane/core';
import { z } from 'zod';
import { manifestFileName } from './manifest-name.js';

/** Where blobs are read: bytes that nobody has checked yet, undefined for none. */
type ReadUnchecked = (digest: Digest) => Uint8Array | undefined;

/** The file, or why there is none. */
export type ManifestPart =
  | { readonly ok: true; readonly file: string; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly why: string; readonly code: 'CONTENT_MISSING' | 'CONTENT_DIGEST' | 'PAYLOAD_REFUSED' };

const artifactShape = z.looseObject({
  layers: z.array(z.looseObject({ digest: z.string(), annotations: z.record(z.string(), z.string()).exactOptional() })).length(1),
});

/** Reads the part `component`, whose artifact manifest has this digest. Both blobs are held against theirs. */
export function readManifestPart(blob: ReadUnchecked, component: string, digest: Digest): ManifestPart {
  const artifact = blobOf(blob, digest);
  if (!artifact.ok) return artifact;
  const layer = layerOf(component, artifact.bytes);
  if (layer === undefined) return { ok: false, why: 'it is no artifact of one layer', code: 'PAYLOAD_REFUSED' };
  const content = blobOf(blob, layer.digest);
  return content.ok ? { ok: true, file: layer.title, bytes: content.bytes } : content;
}

function blobOf(
  blob: ReadUnchecked,
  digest: Digest,
): { readonly ok: true; readonly bytes: Uint8Array } | Extract<ManifestPart, { readonly ok: false }> {
  const bytes = blob(digest);
  if (bytes === undefined) return { ok: false, why: `${digest} is not there`, code: 'CONTENT_MISSING' };
  if (sha256(bytes) !== digest) return { ok: false, why: `${digest} has other bytes`, code: 'CONTENT_DIGEST' };
  return { ok: true, bytes };
}

function layerOf(component: string, bytes: Uint8Array): { readonly digest: Digest; readonly title: string } | undefined {
  try {
    const parsed = artifactShape.safeParse(parseStrictJson(bytes, { maxBytes: LIMITS.releaseManifestBytes, maxDepth: LIMITS.jsonDepth }));
    const layer = parsed.data?.layers[0];
    if (layer === undefined || !isDigest(layer.digest)) return undefined;
    return { digest: layer.digest, title: manifestFileName(component, layer.annotations) };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return undefined;
  }
}
