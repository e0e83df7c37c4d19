/** Which layers of an image two releases share: equal digests are equal content, so what changed lies in the others. */
import { type Digest, SealaneError } from '@sealane/core';
import { type Descriptor, manifestKind, parseManifest } from '@sealane/oci';
import type { ReleaseComponent } from '@sealane/trust';
import type { AuditContext } from './context.js';

/** The layers of a part of both releases, for each platform that both have; `layers` is null where a manifest is not here or cannot be read. */
export interface LayerChange {
  readonly component: string;
  /** As `linux/arm64/v8`; null: an image for one platform, which its index would name. */
  readonly platform: string | null;
  readonly layers: { readonly same: readonly Digest[]; readonly before: readonly Digest[]; readonly after: readonly Digest[] } | null;
}

/** The layers of the images that are others now. */
export function layerChanges(
  context: AuditContext,
  before: readonly ReleaseComponent[],
  after: readonly ReleaseComponent[],
): readonly LayerChange[] {
  return after.flatMap((now) => {
    const then = before.find(({ name }) => name === now.name);
    if (then === undefined || then.digest === now.digest || now.kind !== 'image' || then.kind !== 'image') return [];
    const [left, right] = [layersOf(context, then), layersOf(context, now)];
    if (left === undefined || right === undefined) return [{ component: now.name, platform: null, layers: null }];
    return [...right].flatMap(([platform, layers]) => {
      const older = left.get(platform);
      if (older === undefined) return [];
      return [{ component: now.name, platform, layers: compareLayers(older, layers) }];
    });
  });
}

function compareLayers(before: readonly Digest[], after: readonly Digest[]): LayerChange['layers'] {
  return {
    same: after.filter((layer) => before.includes(layer)),
    before: before.filter((layer) => !after.includes(layer)),
    after: after.filter((layer) => !before.includes(layer)),
  };
}

/** Layers by platform, lowest first; undefined when a manifest is not here, or is none. */
function layersOf(
  context: AuditContext,
  image: Pick<Descriptor, 'digest' | 'mediaType'>,
): ReadonlyMap<string | null, readonly Digest[]> | undefined {
  try {
    const document = read(context, image);
    if (document === undefined) return undefined;
    if (document.kind === 'manifest') return new Map([[null, digestsOf(document.layers)]]);
    const platforms = document.manifests.map((child) => {
      const manifest = platformOf(child) === undefined ? undefined : read(context, child);
      return manifest?.kind === 'manifest' ? ([platformOf(child) ?? null, digestsOf(manifest.layers)] as const) : undefined;
    });
    // manifests of attestations ride in an index and are for no platform
    return new Map(platforms.filter((platform) => platform !== undefined));
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

function read(
  { readBlob }: AuditContext,
  { digest, mediaType }: Pick<Descriptor, 'digest' | 'mediaType'>,
): ReturnType<typeof parseManifest> | undefined {
  const bytes = manifestKind(mediaType) === undefined ? undefined : readBlob(digest);
  return bytes === undefined ? undefined : parseManifest(bytes, mediaType);
}

function platformOf({ platform }: Descriptor): string | undefined {
  if (platform === undefined || platform.os === 'unknown') return undefined;
  return [platform.os, platform.architecture, platform.variant].filter((word) => word !== undefined).join('/');
}

function digestsOf(layers: readonly Descriptor[]): readonly Digest[] {
  return layers.map(({ digest }) => digest);
}
