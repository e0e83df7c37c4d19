/** Image indexes, image manifests and image configs (image-spec 1.1): exact bytes in, typed values out. */
import { isDigest, type Digest, type JsonObject, type JsonValue, OciError, parseStrictJson, SealaneError } from '@sealane/core';
import {
  arrayOf,
  type Descriptor,
  malformed,
  objectOf,
  parseAnnotations,
  parseDescriptor,
  parseMediaType,
  type Platform,
} from './descriptor.js';
import { MAX_CHILDREN, MAX_JSON_DEPTH, MAX_MANIFEST_BYTES } from './limits.js';
import { manifestKind, OCI_INDEX, OCI_MANIFEST } from './media-types.js';

interface Document {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}
/** A list of manifests: one image for several platforms, or a release. */
export interface IndexDocument extends Document {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}
/** One image or artifact: a config and its layers. */
export interface ManifestDocument extends Document {
  readonly kind: 'manifest';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** What an image config says that unpacking needs. */
export interface ImageConfig {
  readonly platform: Platform;
  /** Digests of the layers' plain tars, lowest first. */
  readonly diffIds: readonly Digest[];
}

/**
 * Parses an index or manifest whose bytes were checked against their digest before. `mediaType` is what the referrer says.
 *
 * @throws OciError `CONTENT_MALFORMED`; `CONTENT_UNSUPPORTED` neither index nor manifest
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): IndexDocument | ManifestDocument {
  const kind = manifestKind(mediaType);
  if (kind === undefined)
    throw new OciError('CONTENT_UNSUPPORTED', `read a manifest: expected an image index or manifest, got ${mediaType}`);
  const fields = objectOf(parseOciJson(bytes, MAX_MANIFEST_BYTES, kind), kind);
  checkType(fields, mediaType, kind);
  const common = {
    mediaType,
    ...(fields['artifactType'] !== undefined && { artifactType: parseMediaType(fields['artifactType'], kind) }),
    annotations: fields['annotations'] === undefined ? {} : parseAnnotations(fields['annotations'], kind),
  };
  if (kind === 'index') return { ...common, kind, manifests: descriptors(fields['manifests'], 'manifests of an index') };
  return {
    ...common,
    kind,
    config: parseDescriptor(fields['config'], 'the config of a manifest'),
    layers: descriptors(fields['layers'], 'layers of a manifest'),
  };
}

/** The media type that a manifest names itself (`own`), and the one that its fields suggest where it is silent, as it may be. */
export function mediaTypesOf(bytes: Uint8Array): { readonly own?: string; readonly byShape?: string } {
  const fields = objectOf(parseOciJson(bytes, MAX_MANIFEST_BYTES, 'manifest'), 'manifest');
  if (fields['mediaType'] !== undefined) return { own: parseMediaType(fields['mediaType'], 'manifest') };
  if (fields['manifests'] !== undefined) return { byShape: OCI_INDEX };
  return fields['config'] === undefined ? {} : { byShape: OCI_MANIFEST };
}

/** The blobs and manifests that a document refers to, in its order. */
export function childrenOf(document: IndexDocument | ManifestDocument): readonly Descriptor[] {
  return document.kind === 'index' ? document.manifests : [document.config, ...document.layers];
}

/**
 * Parses the config of an image.
 *
 * @throws OciError `CONTENT_MALFORMED`
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const fields = objectOf(parseOciJson(bytes, MAX_MANIFEST_BYTES, 'image config'), 'image config');
  const { os, architecture, variant } = fields;
  if (typeof os !== 'string' || typeof architecture !== 'string') throw malformed('read an image config', 'os and architecture', null);
  const rootfs = objectOf(fields['rootfs'], 'rootfs of an image config');
  const diffIds = arrayOf(rootfs['diff_ids'], 'diff_ids of an image config', MAX_CHILDREN).map((value) => {
    if (!isDigest(value)) throw malformed('read a diff id', 'sha256:hex', value);
    return value;
  });
  return { platform: { os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) }, diffIds };
}

/** Strict JSON with our own code: what cannot be read is malformed content, whatever the reason. */
export function parseOciJson(bytes: Uint8Array, maxBytes: number, what: string): JsonValue {
  try {
    return parseStrictJson(bytes, { maxBytes, maxDepth: MAX_JSON_DEPTH });
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new OciError('CONTENT_MALFORMED', `read ${what}: ${cause.message}`, {}, { cause });
  }
}

/**
 * image-spec 1.1, "manifest.md": a document that is a manifest to one reader and an index to another (CVE-2021-41190) is
 * refused: its own media type must be the referrer's, and it must not hold the fields of the other kind.
 */
function checkType(fields: JsonObject, mediaType: string, kind: 'index' | 'manifest'): void {
  if (fields['schemaVersion'] !== 2) throw malformed(`read ${kind}`, 'schemaVersion 2', fields['schemaVersion']);
  const own = fields['mediaType'];
  if (own !== undefined && own !== mediaType) throw malformed(`read ${kind}`, `mediaType ${mediaType}`, own);
  for (const foreign of kind === 'index' ? ['config', 'layers', 'fsLayers'] : ['manifests', 'fsLayers']) {
    if (fields[foreign] !== undefined) throw malformed(`read ${kind}`, `no field of another kind`, foreign);
  }
}

const descriptors = (value: JsonValue | undefined, where: string): Descriptor[] =>
  arrayOf(value, where, MAX_CHILDREN).map((item, at) => parseDescriptor(item, `item ${at} of ${where}`));
