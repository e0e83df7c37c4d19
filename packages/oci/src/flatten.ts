/** Lays an image or a file set of a layout down as a folder: platform picked, every byte checked, layers in order, flushed at the end. */
import { mkdir } from 'node:fs/promises';
import { createDigester, type Digest, OciError } from '@sealane/core';
import { type Descriptor, malformed, type Platform } from './descriptor.js';
import { applyLayer, replayLayer } from './extract.js';
import { lostLayers } from './file-tree.js';
import { gunzip } from './gunzip.js';
import { rootManifest } from './image-source.js';
import { readLayerIndex, startLayerIndex } from './layer-index.js';
import type { Layout } from './layout.js';
import { MAX_IMAGE_DEPTH, MAX_MANIFEST_BYTES } from './limits.js';
import { type IndexDocument, type ManifestDocument, parseImageConfig, parseManifest } from './manifest.js';
import { isImageConfig, layerCompression } from './media-types.js';
import { openSlot, type Slot, type UnpackOptions } from './slot.js';
import { removeEntry } from './slot-disk.js';
import { syncTree } from './sync-tree.js';
import { digestError } from './verified-stream.js';

/** How to lay down what a layout has. */
export interface LayDownOptions extends UnpackOptions {
  /** Blobs that the caller hashed just now, where nobody else writes: they are hashed once more while they are unpacked, not before it too. */
  readonly hashed?: ReadonlySet<Digest>;
  /** A folder of the caller's alone for indexes of layers: one that has its index there is taken from `twins` as far as possible, neither its blob nor its tar is read. */
  readonly indexes?: string;
}

/** How to lay down an image. */
export interface FlattenOptions extends LayDownOptions {
  /** The site's own platform, in Go's words: `linux`, `amd64`. */
  readonly platform: Platform;
}

/** What was laid down. */
export interface Flattened {
  /** The image manifest that the platform chose. */
  readonly manifest: Digest;
  readonly entries: number;
  readonly totalBytes: number;
}

/** A layer, and the digest of its plain tar where the image says it. */
interface WantedLayer {
  readonly descriptor: Descriptor;
  readonly diffId?: Digest;
}

/**
 * Lays down the image `digest` (index or manifest) as `targetDir`, which must not exist. Durable when it returns.
 * On failure `targetDir` does not exist.
 *
 * @throws OciError `CONTENT_MISSING`, `CONTENT_DIGEST` (blob or diff id), `CONTENT_LENGTH`, `CONTENT_MALFORMED`,
 * `CONTENT_UNSUPPORTED` (no image, or a layer that is neither tar nor gzip), `CONTENT_PLATFORM`, `CONTENT_UNSAFE`
 */
export async function flattenImage(layout: Layout, digest: Digest, targetDir: string, options: FlattenOptions): Promise<Flattened> {
  const { manifest, document } = await pickManifest(layout, digest, options.platform, MAX_IMAGE_DEPTH);
  if (!isImageConfig(document.config.mediaType)) throw unsupported(`lay down ${digest}`, 'a container image', document.config.mediaType);
  const config = parseImageConfig(await layout.readBlob(document.config.digest, MAX_MANIFEST_BYTES));
  if (!platformFits(config.platform, options.platform)) throw wrongPlatform(manifest, options.platform, [config.platform]);
  if (config.diffIds.length !== document.layers.length) {
    throw malformed(`read image ${manifest}`, `${document.layers.length} diff ids for its layers`, config.diffIds.length);
  }
  const layers = document.layers.map((descriptor, at) => withDiffId(descriptor, config.diffIds[at]));
  return layDown(layout, manifest, layers, targetDir, options);
}

/**
 * Lays down a file set (an artifact manifest with one tar layer) as `targetDir`; otherwise as `flattenImage`.
 */
export async function unpackFiles(layout: Layout, digest: Digest, targetDir: string, options: LayDownOptions = {}): Promise<Flattened> {
  const { layer } = await readArtifact(layout, digest);
  return layDown(layout, digest, [{ descriptor: layer }], targetDir, options);
}

/** An artifact's kind and its one layer, whose annotation `org.opencontainers.image.title` is the file's name. */
export async function readArtifact(layout: Layout, digest: Digest): Promise<{ artifactType: string | undefined; layer: Descriptor }> {
  const document = await readDocument(layout, digest);
  const [layer, ...more] = document.kind === 'manifest' ? document.layers : [];
  if (layer === undefined || more.length > 0) throw malformed(`read artifact ${digest}`, 'a manifest with one layer', document.kind);
  return { artifactType: document.artifactType, layer };
}

async function layDown(
  layout: Layout,
  manifest: Digest,
  layers: readonly WantedLayer[],
  targetDir: string,
  options: LayDownOptions,
): Promise<Flattened> {
  let slot = await fill(layout, layers, targetDir, options, () => true);
  let lost = lostLayers(slot.tree);
  // the earlier version lacks what it had of a layer, and no later layer replaces it: that layer is unpacked
  if (lost.size > 0) slot = await again(layout, layers, targetDir, options, (layer) => !lost.has(layer));
  lost = lostLayers(slot.tree);
  // a hard link to what a layer between them replaces
  if (lost.size > 0) slot = await again(layout, layers, targetDir, options, () => false);
  return { manifest, entries: slot.laidDown, totalBytes: slot.budget.totalBytes };
}

const again: typeof fill = (layout, layers, targetDir, options, mayReplay) => {
  removeEntry(targetDir);
  return fill(layout, layers, targetDir, options, mayReplay);
};

/** Lays the layers down in a new folder and flushes it, unless a file of them is lost. On failure it is gone. */
async function fill(
  layout: Layout,
  layers: readonly WantedLayer[],
  targetDir: string,
  options: LayDownOptions,
  mayReplay: (layer: number) => boolean,
): Promise<Slot> {
  await mkdir(targetDir, { mode: 0o755 });
  try {
    const slot = openSlot(targetDir, options);
    for (const [at, layer] of layers.entries())
      if (!mayReplay(at + 1) || !(await replayed(slot, layer, options))) await unpackLayer(slot, layout, layer, options);
    if (lostLayers(slot.tree).size === 0) await syncTree(targetDir);
    return slot;
  } catch (error) {
    removeEntry(targetDir);
    throw error;
  }
}

/** Lays a layer down out of an earlier version; false where it is not known what the layer holds. */
async function replayed(slot: Slot, { descriptor, diffId }: WantedLayer, { indexes }: LayDownOptions): Promise<boolean> {
  if (indexes === undefined || slot.twins === undefined) return false;
  const index = await readLayerIndex(indexes, descriptor.digest, diffId);
  if (index === undefined) return false;
  await replayLayer(slot, index.entries, slot.twins);
  return true;
}

async function unpackLayer(slot: Slot, layout: Layout, layer: WantedLayer, { indexes, hashed }: LayDownOptions): Promise<void> {
  const { descriptor, diffId } = layer;
  const index = indexes === undefined ? undefined : startLayerIndex(descriptor.digest, diffId);
  await applyLayer(slot, await openLayer(layout, layer, hashed), index?.add);
  if (indexes !== undefined) index?.write(indexes);
}

/** The plain tar of a layer. The blob is hashed before anything parses it, and again while it is unpacked: itself, or the tar in it where its diff id is known. */
async function openLayer(
  layout: Layout,
  { descriptor, diffId }: WantedLayer,
  hashed: ReadonlySet<Digest> | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const { digest, size, mediaType } = descriptor;
  const compression = layerCompression(mediaType);
  if (compression === undefined) throw unsupported(`unpack layer ${digest}`, 'a tar or gzip layer', mediaType);
  if (hashed?.has(digest) !== true) for await (const chunk of layout.readBlobInPlace(digest, size)) void chunk;
  const blob = diffId === undefined ? layout.readBlobInPlace(digest, size) : layout.readUnverified(digest);
  const tar = compression === 'gzip' ? gunzip(blob) : blob;
  return diffId === undefined ? tar : checkedDiffId(tar, diffId);
}

/** image-spec 1.1, config.md: a diff id is the digest of the layer's plain tar. */
async function* checkedDiffId(tar: AsyncIterable<Uint8Array>, diffId: Digest): AsyncGenerator<Uint8Array> {
  const digester = createDigester();
  for await (const chunk of tar) {
    digester.update(chunk);
    yield chunk;
  }
  const got = digester.finish();
  if (got !== diffId) throw digestError('the plain tar of a layer', diffId, got);
}

async function pickManifest(
  layout: Layout,
  digest: Digest,
  platform: Platform,
  levelsLeft: number,
): Promise<{ manifest: Digest; document: ManifestDocument }> {
  const document = await readDocument(layout, digest);
  if (document.kind === 'manifest') return { manifest: digest, document };
  if (levelsLeft === 0) throw malformed(`pick a platform of ${digest}`, 'a shallower image', 'one level more');
  const offered = document.manifests.filter((entry) => entry.platform === undefined || platformFits(entry.platform, platform));
  // An exact variant before one that is silent about it; then the index's own order, as the format asks.
  const named = offered.filter((entry) => entry.platform !== undefined);
  const chosen = named.find((entry) => entry.platform?.variant === platform.variant) ?? named[0] ?? offered[0];
  if (chosen === undefined)
    throw wrongPlatform(
      digest,
      platform,
      document.manifests.flatMap((entry) => entry.platform ?? []),
    );
  return pickManifest(layout, chosen.digest, platform, levelsLeft - 1);
}

async function readDocument(layout: Layout, digest: Digest): Promise<IndexDocument | ManifestDocument> {
  const { bytes, descriptor } = rootManifest(await layout.readBlob(digest, MAX_MANIFEST_BYTES), undefined, digest);
  return parseManifest(bytes, descriptor.mediaType);
}

const platformFits = (offered: Platform, wanted: Platform): boolean =>
  offered.os === wanted.os &&
  offered.architecture === wanted.architecture &&
  (offered.variant === undefined || wanted.variant === undefined || offered.variant === wanted.variant);

const withDiffId = (descriptor: Descriptor, diffId: Digest | undefined): WantedLayer =>
  diffId === undefined ? { descriptor } : { descriptor, diffId };

function wrongPlatform(digest: Digest, wanted: Platform, offered: readonly Platform[]): OciError {
  const words = (platform: Platform): string =>
    [platform.os, platform.architecture, platform.variant].filter((word) => word !== undefined).join('/');
  return new OciError(
    'CONTENT_PLATFORM',
    `pick a platform of ${digest}: expected ${words(wanted)}, got ${offered.map(words).join(', ') || 'none'}`,
  );
}

const unsupported = (doing: string, expected: string, got: string): OciError =>
  new OciError('CONTENT_UNSUPPORTED', `${doing}: expected ${expected}, got ${got}`);
