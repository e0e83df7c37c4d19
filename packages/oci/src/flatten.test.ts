import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type Digest, sha256, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.js';
import { buildArtifact, buildFiles, buildImage, buildImageIndex, buildLayer } from './build-image.js';
import { descriptorJson, type Platform } from './descriptor.js';
import { flattenImage, readArtifact, unpackFiles } from './flatten.js';
import { type Layout, openLayout } from './layout.js';
import { OCI_CONFIG, OCI_MANIFEST } from './media-types.js';
import { packedFile, type PackEntry } from './pack.js';

const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
const ARM64: Platform = { os: 'linux', architecture: 'arm64' };
const file = (path: string, text: string, executable: 'yes' | 'no' = 'no'): PackEntry => packedFile(path, utf8(text), executable);

async function setUp(): Promise<{ layout: Layout; home: string; target: string }> {
  const home = await tempFolder();
  return { layout: await openLayout(join(home, 'content'), { create: 'if-missing' }), home, target: join(home, 'slot') };
}

const gone = async (target: string): Promise<void> => expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });

describe('laying an image down', () => {
  test('applies layers in order, with modes and links', async () => {
    const { layout, target } = await setUp();
    const image = await buildImage(layout, {
      platform: AMD64,
      layers: [
        [file('bin/app', 'old', 'yes'), file('etc/conf', 'a'), { kind: 'symlink', path: 'bin/latest', target: 'app' }],
        [file('bin/app', 'new', 'yes'), { kind: 'dir', path: 'var' }],
      ],
    });
    expect(await flattenImage(layout, image.digest, target, { platform: AMD64 })).toEqual({
      manifest: image.digest,
      entries: 7,
      totalBytes: 7,
    });
    expect(await readFile(join(target, 'bin/app'), 'utf8')).toBe('new');
    expect((await stat(join(target, 'bin/app'))).mode & 0o7777).toBe(0o755);
    expect((await stat(join(target, 'etc/conf'))).mode & 0o7777).toBe(0o644);
    expect(await readlink(join(target, 'bin/latest'))).toBe('app');
    expect((await readdir(target)).toSorted()).toEqual(['bin', 'etc', 'var']);
  });

  test('picks the platform of the site out of an index', async () => {
    const { layout, target } = await setUp();
    const amd64 = await buildImage(layout, { platform: AMD64, layers: [[file('arch', 'amd64')]] });
    const arm64 = await buildImage(layout, { platform: ARM64, layers: [[file('arch', 'arm64')]] });
    const index = await buildImageIndex(layout, [amd64, arm64]);
    expect(await flattenImage(layout, index.digest, target, { platform: ARM64 })).toMatchObject({ manifest: arm64.digest });
    expect(await readFile(join(target, 'arch'), 'utf8')).toBe('arm64');
  });

  test('prefers the exact variant to one that is silent about it', async () => {
    const { layout, target } = await setUp();
    const plain = await buildImage(layout, { platform: { os: 'linux', architecture: 'arm' }, layers: [[file('v', 'any')]] });
    const v6 = await buildImage(layout, { platform: { os: 'linux', architecture: 'arm', variant: 'v6' }, layers: [[file('v', '6')]] });
    const v7 = await buildImage(layout, { platform: { os: 'linux', architecture: 'arm', variant: 'v7' }, layers: [[file('v', '7')]] });
    const index = await buildImageIndex(layout, [plain, v6, v7]);
    await flattenImage(layout, index.digest, target, { platform: { os: 'linux', architecture: 'arm', variant: 'v7' } });
    expect(await readFile(join(target, 'v'), 'utf8')).toBe('7');
  });

  test.for(['index', 'manifest'])('refuses an image without the platform of the site (%s)', async (shape) => {
    const { layout, target } = await setUp();
    const image = await buildImage(layout, { platform: ARM64, layers: [[file('a', 'a')]] });
    const root = shape === 'index' ? await buildImageIndex(layout, [image]) : image;
    await expect(flattenImage(layout, root.digest, target, { platform: AMD64 })).rejects.toMatchObject({ code: 'CONTENT_PLATFORM' });
    await gone(target);
  });

  test('refuses an index that calls the image of another platform ours', async () => {
    const { layout, target } = await setUp();
    const arm64 = await buildImage(layout, { platform: ARM64, layers: [[file('a', 'a')]] });
    const index = await buildImageIndex(layout, [{ ...arm64, platform: AMD64 }]);
    await expect(flattenImage(layout, index.digest, target, { platform: AMD64 })).rejects.toMatchObject({ code: 'CONTENT_PLATFORM' });
    await gone(target);
  });

  test('a layer corrupted on disk is refused by its digest, and nothing is left', async () => {
    const { layout, target } = await setUp();
    const { descriptor } = await buildLayer(layout, [file('b', 'second')]);
    const image = await buildImage(layout, { platform: AMD64, layers: [[file('a', 'first')], [file('b', 'second')]] });
    const bytes = await readFile(layout.blobPath(descriptor.digest));
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await writeFile(layout.blobPath(descriptor.digest), bytes);
    await expect(flattenImage(layout, image.digest, target, { platform: AMD64 })).rejects.toMatchObject({ code: 'CONTENT_DIGEST' });
    await gone(target);
  });

  test('a missing layer is named and nothing is left', async () => {
    const { layout, target } = await setUp();
    const { descriptor } = await buildLayer(layout, [file('b', 'second')]);
    const image = await buildImage(layout, { platform: AMD64, layers: [[file('a', 'first')], [file('b', 'second')]] });
    await layout.removeBlob(descriptor.digest);
    await expect(flattenImage(layout, image.digest, target, { platform: AMD64 })).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
    await gone(target);
  });

  async function imageOver(layout: Layout, layer: { digest: Digest; size: number }, mediaType: string, diffIds: Digest[]): Promise<Digest> {
    const config = await layout.putBlob(canonicalJson({ ...AMD64, rootfs: { type: 'layers', diff_ids: diffIds } }), { maxBytes: 10_000 });
    const manifest = canonicalJson({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, ...config },
      layers: [{ ...layer, mediaType }],
    });
    return (await layout.putBlob(manifest, { maxBytes: 10_000 })).digest;
  }

  test('refuses a layer whose plain tar is not the one that the config names', async () => {
    const { layout, target } = await setUp();
    const { descriptor, diffId } = await buildLayer(layout, [file('a', 'a')]);
    const good = await imageOver(layout, descriptor, descriptor.mediaType, [diffId]);
    const bad = await imageOver(layout, descriptor, descriptor.mediaType, [sha256(utf8('other'))]);
    await expect(flattenImage(layout, bad, target, { platform: AMD64 })).rejects.toMatchObject({ code: 'CONTENT_DIGEST' });
    await gone(target);
    await flattenImage(layout, good, target, { platform: AMD64 });
  });

  test.for([
    ['more diff ids than layers', 2, 'application/vnd.oci.image.layer.v1.tar+gzip', 'CONTENT_MALFORMED'],
    ['a zstd layer', 1, 'application/vnd.oci.image.layer.v1.tar+zstd', 'CONTENT_UNSUPPORTED'],
    ['a gzip layer that calls itself plain', 1, 'application/vnd.oci.image.layer.v1.tar', 'CONTENT_DIGEST'],
  ] as const)('refuses %s', async ([, count, mediaType, code]) => {
    const { layout, target } = await setUp();
    const { descriptor, diffId } = await buildLayer(layout, [file('a', 'a')]);
    const image = await imageOver(
      layout,
      descriptor,
      mediaType,
      Array.from({ length: count }, () => diffId),
    );
    await expect(flattenImage(layout, image, target, { platform: AMD64 })).rejects.toMatchObject({ code });
    await gone(target);
  });

  test('refuses an artifact as an image', async () => {
    const { layout, target } = await setUp();
    const files = await buildFiles(layout, 'application/vnd.x.v1', [file('a', 'a')]);
    await expect(flattenImage(layout, files.digest, target, { platform: AMD64 })).rejects.toMatchObject({ code: 'CONTENT_UNSUPPORTED' });
    await gone(target);
  });

  test('does not write into a folder that is there, nor remove it', async () => {
    const { layout, home } = await setUp();
    const image = await buildImage(layout, { platform: AMD64, layers: [[file('a', 'a')]] });
    await writeFile(join(home, 'kept'), 'x');
    await expect(flattenImage(layout, image.digest, home, { platform: AMD64 })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(join(home, 'kept'), 'utf8')).toBe('x');
  });

  test('counts entries and bytes over all layers', async () => {
    const { layout, target } = await setUp();
    const image = await buildImage(layout, { platform: AMD64, layers: [[file('a', 'aaaa')], [file('b', 'bbbb')]] });
    const limits = { maxTotalBytes: 7, maxEntries: 10, maxNameBytes: 255, maxPathBytes: 1024, maxDepth: 64, maxPaxBytes: 65_536 };
    await expect(flattenImage(layout, image.digest, target, { platform: AMD64, limits })).rejects.toMatchObject({ code: 'CONTENT_UNSAFE' });
    await gone(target);
  });
});

describe('artifacts', () => {
  test('a file set is laid down as it was packed', async () => {
    const { layout, target } = await setUp();
    const files = await buildFiles(layout, 'application/vnd.x.v1', [file('d/run', 'x', 'yes')]);
    await unpackFiles(layout, files.digest, target);
    expect((await stat(join(target, 'd/run'))).mode & 0o777).toBe(0o755);
  });

  test('a single file keeps its name and bytes', async () => {
    const { layout } = await setUp();
    const built = await buildArtifact(layout, {
      artifactType: 'application/vnd.x.v1',
      layerType: 'application/yaml',
      content: utf8('a: 1\n'),
      title: 'app.yaml',
    });
    const { artifactType, layer } = await readArtifact(layout, built.digest);
    expect(artifactType).toBe('application/vnd.x.v1');
    expect(layer.annotations).toEqual({ 'org.opencontainers.image.title': 'app.yaml' });
    expect(await layout.readBlob(layer.digest, 100)).toEqual(utf8('a: 1\n'));
    expect(descriptorJson(layer)).toMatchObject({ size: 5 });
  });

  test('the same content gives the same digests in every layout', async () => {
    const build = async (): Promise<Digest> => {
      const { layout } = await setUp();
      const entries = [file('b', 'b'), file('a', 'a')];
      return (await buildImageIndex(layout, [await buildImage(layout, { platform: AMD64, layers: [entries] })])).digest;
    };
    expect(await build()).toBe(await build());
  });
});
