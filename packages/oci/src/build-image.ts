/** Builds images, indexes and artifacts in a layout, from content alone: the same input gives the same digest. */
import { canonicalJson, createDigester, type Digest, type JsonObject, utf8 } from '@sealane/core';
import { type Descriptor, descriptorJson, type Platform } from './descriptor.js';
import type { Layout } from './layout.js';
import { MAX_BLOB_BYTES, MAX_MANIFEST_BYTES } from './limits.js';
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from './media-types.js';
import { gzip, type PackEntry, packTar } from './pack.js';

/** What to build an image of. */
export interface ImageInput {
  readonly platform: Platform;
  /** Lowest first; each becomes one gzip layer. */
  readonly layers: readonly (readonly PackEntry[])[];
  /** `Entrypoint`, `Cmd`, `Env` and the like, as image-spec's config.md has them. */
  readonly config?: JsonObject;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What to build an artifact of: one blob with a type of its own. */
export interface ArtifactInput {
  readonly artifactType: string;
  readonly layerType: string;
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** The file name that `org.opencontainers.image.title` will carry, if any. */
  readonly title?: string;
}

const TITLE = 'org.opencontainers.image.title';

/** Puts one deterministic gzip layer; `diffId` is the digest of its plain tar. */
export async function buildLayer(layout: Layout, entries: readonly PackEntry[]): Promise<{ descriptor: Descriptor; diffId: Digest }> {
  const digester = createDigester();
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of packTar(entries)) {
      digester.update(chunk);
      yield chunk;
    }
  }
  const descriptor = await put(layout, OCI_LAYER_GZIP, gzip(hashed()));
  return { descriptor, diffId: digester.finish() };
}

/** Builds a container image for one platform and returns the descriptor of its manifest. `index.json` is left to the caller. */
export async function buildImage(layout: Layout, { platform, layers, config, annotations }: ImageInput): Promise<Descriptor> {
  const built: { descriptor: Descriptor; diffId: Digest }[] = [];
  for (const entries of layers) built.push(await buildLayer(layout, entries));
  const configBlob = await putJson(layout, OCI_CONFIG, {
    ...platform,
    config: config ?? {},
    rootfs: { type: 'layers', diff_ids: built.map(({ diffId }) => diffId) },
  });
  const manifest = await putJson(layout, OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptorJson(configBlob),
    layers: built.map(({ descriptor }) => descriptorJson(descriptor)),
    annotations,
  });
  return { ...manifest, platform };
}

/** Builds an index over the manifests of several platforms. */
export async function buildImageIndex(layout: Layout, manifests: readonly Descriptor[]): Promise<Descriptor> {
  return putJson(layout, OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: manifests.map(descriptorJson) });
}

/** Builds an artifact manifest: an empty config and one layer (image-spec 1.1, "Guidelines for Artifact Usage"). */
export async function buildArtifact(layout: Layout, { artifactType, layerType, content, title }: ArtifactInput): Promise<Descriptor> {
  const config = await put(layout, OCI_EMPTY, utf8('{}'));
  const layer = await put(layout, layerType, content);
  const annotated = title === undefined ? layer : { ...layer, annotations: { [TITLE]: title } };
  return putJson(layout, OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: descriptorJson(config),
    layers: [descriptorJson(annotated)],
  });
}

/** Builds a file set out of entries: an artifact whose layer is a deterministic tar.gz. */
export async function buildFiles(layout: Layout, artifactType: string, entries: readonly PackEntry[]): Promise<Descriptor> {
  return buildArtifact(layout, { artifactType, layerType: OCI_LAYER_GZIP, content: gzip(packTar(entries)) });
}

async function put(layout: Layout, mediaType: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Descriptor> {
  return { mediaType, ...(await layout.putBlob(content, { maxBytes: MAX_BLOB_BYTES })) };
}

async function putJson(layout: Layout, mediaType: string, document: JsonObject): Promise<Descriptor> {
  return { mediaType, ...(await layout.putBlob(canonicalJson(document), { maxBytes: MAX_MANIFEST_BYTES })) };
}
