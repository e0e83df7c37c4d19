/** Layers of two images, by the manifests that both name: what is the same is told as the same, and nothing is guessed. */
import { type Digest, sha256, utf8 } from '@sealane/core';
import { OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '@sealane/oci';
import type { ReleaseComponent } from '@sealane/trust';
import { beforeEach, expect, test } from 'vitest';
import type { AuditContext } from './context.js';
import { type LayerChange, layerChanges } from './layers.js';

let blobs: Map<Digest, Uint8Array>;

beforeEach(() => {
  blobs = new Map();
});

const layer = (name: string): Digest => sha256(utf8(name));

function put(document: object): { readonly digest: Digest; readonly size: number } {
  const bytes = utf8(JSON.stringify({ schemaVersion: 2, ...document }));
  blobs.set(sha256(bytes), bytes);
  return { digest: sha256(bytes), size: bytes.length };
}

/** An image of these layers. */
function manifest(...names: readonly string[]): { readonly digest: Digest; readonly size: number } {
  return put({
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: layer('config'), size: 2 },
    layers: names.map((name) => ({ mediaType: OCI_LAYER_GZIP, digest: layer(name), size: 1 })),
  });
}

function index(images: Readonly<Record<string, readonly string[]>>): { readonly digest: Digest; readonly size: number } {
  const manifests = Object.entries(images).map(([platform, names]) => {
    const [os = '', architecture = '', variant] = platform.split('/');
    return {
      mediaType: OCI_MANIFEST,
      ...manifest(...names),
      platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    };
  });
  return put({ mediaType: OCI_INDEX, manifests });
}

const part = (
  of: { readonly digest: Digest; readonly size: number },
  mediaType: string = OCI_MANIFEST,
  kind: 'image' | 'files' = 'image',
): ReleaseComponent => ({
  name: 'app',
  kind,
  mediaType,
  ...of,
});

function changes(before: ReleaseComponent, after: ReleaseComponent): readonly LayerChange[] {
  return layerChanges({ readBlob: (digest) => blobs.get(digest) } as AuditContext, [before], [after]);
}

test('an image: what is the same, what is gone and what is new', () => {
  expect(changes(part(manifest('base', 'runtime', 'app 1')), part(manifest('base', 'runtime', 'app 2', 'notes')))).toEqual([
    {
      component: 'app',
      platform: null,
      layers: { same: [layer('base'), layer('runtime')], before: [layer('app 1')], after: [layer('app 2'), layer('notes')] },
    },
  ]);
});

test('an image for several platforms: each that both have; attestations are none', () => {
  const [before, after] = [
    index({ 'linux/amd64': ['a', 'b'], 'linux/arm64/v8': ['c'], 'unknown/unknown': ['x'] }),
    index({ 'linux/amd64': ['a', 'd'], 'linux/riscv64': ['e'], 'linux/arm64/v8': ['c'], 'unknown/unknown': ['y'] }),
  ];
  expect(changes(part(before, OCI_INDEX), part(after, OCI_INDEX))).toEqual([
    { component: 'app', platform: 'linux/amd64', layers: { same: [layer('a')], before: [layer('b')], after: [layer('d')] } },
    { component: 'app', platform: 'linux/arm64/v8', layers: { same: [layer('c')], before: [], after: [] } },
  ]);
});

test('a manifest that is not here, or is none, leaves the layers unknown', () => {
  const [before, after] = [manifest('a'), manifest('b')];
  blobs.delete(before.digest);
  expect(changes(part(before), part(after))).toEqual([{ component: 'app', platform: null, layers: null }]);
  expect(changes(part(after), part(put({ mediaType: OCI_MANIFEST, layers: 'none' })))).toEqual([
    { component: 'app', platform: null, layers: null },
  ]);
  expect(changes(part(after), part(after, 'text/plain'))).toEqual([]);
  expect(changes(part(manifest('c')), part(after, 'text/plain'))).toEqual([{ component: 'app', platform: null, layers: null }]);
});

test('what is no image, and what did not change, has no layers to tell', () => {
  expect(changes(part(manifest('a')), part(manifest('a')))).toEqual([]);
  expect(changes(part(manifest('a'), OCI_MANIFEST, 'files'), part(manifest('b'), OCI_MANIFEST, 'files'))).toEqual([]);
});
