import { canonicalJson, type Digest, sha256, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.js';
import { buildArtifact, buildFiles, buildImage, buildImageIndex } from './build-image.js';
import { type Layout, openLayout } from './layout.js';
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from './media-types.js';
import { packedFile } from './pack.js';
import {
  COMPONENT_ARTIFACT_TYPES,
  encodeReleaseManifest,
  parseReleaseManifest,
  type ReleaseComponent,
  type ReleaseDoc,
} from './release-manifest.js';
import { walkRelease } from './release-walk.js';

const component = (name: string, digest: Digest = sha256(utf8(name))): ReleaseComponent => ({
  name,
  kind: 'image',
  digest,
  size: 10,
  mediaType: OCI_MANIFEST,
});
const doc: ReleaseDoc = { name: 'press-line', version: '1.4.0+build.7', components: [component('api'), component('web')] };

describe('release manifest', () => {
  test('is these bytes', () => {
    const text = Buffer.from(encodeReleaseManifest({ ...doc, components: [component('api')] })).toString();
    expect(text).toBe(
      `{"annotations":{"org.opencontainers.image.title":"press-line","org.opencontainers.image.version":"1.4.0+build.7"},"artifactType":"application/vnd.sealane.release.v1+json","manifests":[{"annotations":{"dev.sealane.component.kind":"image","dev.sealane.component.name":"api"},"digest":"${sha256(utf8('api'))}","mediaType":"${OCI_MANIFEST}","size":10}],"mediaType":"${OCI_INDEX}","schemaVersion":2}`,
    );
  });

  test('does not depend on the order in which components are named', () => {
    expect(encodeReleaseManifest({ ...doc, components: doc.components.toReversed() })).toEqual(encodeReleaseManifest(doc));
  });

  test('read and written again is byte for byte the same', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,3}$/);
    const arbitrary = fc.record({
      name,
      version: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,20}$/),
      components: fc.uniqueArray(
        fc.record({
          name,
          kind: fc.constantFrom('image', 'files', 'manifest', 'firmware'),
          digest: fc.uint8Array().map((bytes) => sha256(bytes)),
          size: fc.nat(),
          mediaType: fc.constant(OCI_MANIFEST),
        }),
        { minLength: 1, maxLength: 6, selector: (row) => row.name },
      ),
      declares: fc.constantFrom({}, { dependencies: [] }, { variables: [{ name: 'A', type: 'number', min: 0.5, max: 1 }] }),
    });
    fc.assert(
      fc.property(arbitrary, (release) => {
        const bytes = encodeReleaseManifest(release);
        expect(encodeReleaseManifest(parseReleaseManifest(bytes))).toEqual(bytes);
        expect(parseReleaseManifest(bytes).components).toHaveLength(release.components.length);
        expect(parseReleaseManifest(bytes).declares).toEqual(release.declares);
      }),
      { numRuns: 30 },
    );
  });

  test('one changed byte is refused or another release, never a fault', () => {
    const bytes = encodeReleaseManifest(doc);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        try {
          expect(encodeReleaseManifest(parseReleaseManifest(changed))).toEqual(changed);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CONTENT_MALFORMED' });
        }
      }),
      { numRuns: 500 },
    );
  });

  test.for([
    ['no component', { ...doc, components: [] }],
    ['a component twice', { ...doc, components: [component('api'), component('api')] }],
    ['a name that is a path', { ...doc, components: [component('../api')] }],
    ['a name in upper case, which is another folder on some disks only', { ...doc, components: [component('API')] }],
    ['a version with an @', { ...doc, version: '1@2' }],
    ['an empty name', { ...doc, name: '' }],
    ['an image that is a config', { ...doc, components: [{ ...component('api'), mediaType: OCI_CONFIG }] }],
    ['a file set that is an index', { ...doc, components: [{ ...component('api'), kind: 'files', mediaType: OCI_INDEX }] }],
  ] as [string, ReleaseDoc][])('cannot have %s', ([, bad]) => {
    expect(() => encodeReleaseManifest(bad)).toThrow(expect.objectContaining({ code: 'CONTENT_MALFORMED' }));
  });

  test('with white space, another order or an unknown field is refused: it would be a second digest for one release', () => {
    const text = Buffer.from(encodeReleaseManifest(doc)).toString();
    for (const other of [
      ` ${text}`,
      text.replace('"schemaVersion":2', '"schemaVersion":2,"x":1'),
      JSON.stringify(JSON.parse(text), null, 1),
    ]) {
      expect(() => parseReleaseManifest(utf8(other))).toThrow(expect.objectContaining({ code: 'CONTENT_MALFORMED' }));
    }
  });

  test('a plain image index is no release', () => {
    const index = canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });
    expect(() => parseReleaseManifest(index)).toThrow(expect.objectContaining({ code: 'CONTENT_MALFORMED' }));
  });
});

describe('walking a release', () => {
  const entries = (text: string) => [packedFile('app', utf8(text))];

  async function makeRelease(): Promise<{ layout: Layout; release: Digest }> {
    const layout = await openLayout(`${await tempFolder()}/content`, { create: 'if-missing' });
    const amd64 = await buildImage(layout, {
      platform: { os: 'linux', architecture: 'amd64' },
      layers: [entries('base'), entries('amd64')],
    });
    const arm64 = await buildImage(layout, {
      platform: { os: 'linux', architecture: 'arm64' },
      layers: [entries('base'), entries('arm64')],
    });
    const index = await buildImageIndex(layout, [amd64, arm64]);
    const files = await buildFiles(layout, COMPONENT_ARTIFACT_TYPES.files, entries('conf'));
    const bytes = encodeReleaseManifest({
      name: 'line',
      version: '1',
      components: [
        { ...index, name: 'app', kind: 'image' },
        { ...files, name: 'conf', kind: 'files' },
      ],
    });
    const { digest } = await layout.putBlob(bytes, { maxBytes: bytes.length });
    return { layout, release: digest };
  }

  test('finds every blob once, children first, and none of another release', async () => {
    const { layout, release } = await makeRelease();
    await layout.putBlob(utf8('of another release'), { maxBytes: 100 });
    const walked = walkRelease((digest, maxBytes) => layout.readBlobSync(digest, maxBytes), release);
    expect(walked.doc.components.map(({ name, kind }) => [name, kind])).toEqual([
      ['app', 'image'],
      ['conf', 'files'],
    ]);
    expect(walked.blobs.map(({ mediaType }) => mediaType)).toEqual([
      ...[OCI_CONFIG, OCI_LAYER_GZIP, OCI_LAYER_GZIP, OCI_MANIFEST],
      // the base layer is the first image's
      ...[OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, OCI_INDEX],
      ...[OCI_EMPTY, OCI_LAYER_GZIP, OCI_MANIFEST],
    ]);
    for (const { digest, size } of walked.blobs) expect(await layout.verifyBlob(digest, size)).toBe(true);
  });

  test('names a manifest that is missing, wrong or of another length', async () => {
    const { layout, release } = await makeRelease();
    const { blobs } = walkRelease((digest, maxBytes) => layout.readBlobSync(digest, maxBytes), release);
    const index = blobs.find(({ mediaType }) => mediaType === OCI_INDEX)?.digest;
    const outcome = (changed: (bytes: Uint8Array) => Uint8Array | undefined) => () =>
      walkRelease((digest, maxBytes) => {
        const bytes = layout.readBlobSync(digest, maxBytes);
        return digest === index ? changed(bytes) : bytes;
      }, release);
    expect(outcome(() => undefined)).toThrow(expect.objectContaining({ code: 'CONTENT_MISSING' }));
    expect(outcome((bytes) => bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)))).toThrow(
      expect.objectContaining({ code: 'CONTENT_DIGEST' }),
    );
    expect(outcome((bytes) => bytes.subarray(1))).toThrow(expect.objectContaining({ code: 'CONTENT_LENGTH' }));
  });

  /** A release over hand-made manifests. */
  function handMade(component_: ReleaseComponent, documents: Uint8Array[]) {
    const bytes = encodeReleaseManifest({ name: 'line', version: '1', components: [component_] });
    const blobs = new Map([bytes, ...documents].map((document) => [sha256(document), document]));
    return () => walkRelease((digest) => blobs.get(digest), sha256(bytes));
  }
  const indexOf = (children: Uint8Array[], mediaType = OCI_INDEX): Uint8Array =>
    canonicalJson({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: children.map((child) => ({ mediaType, digest: sha256(child), size: child.length })),
    });
  const asImage = (bytes: Uint8Array): ReleaseComponent => ({
    name: 'app',
    kind: 'image',
    digest: sha256(bytes),
    size: bytes.length,
    mediaType: OCI_INDEX,
  });

  test('stops at indexes nested deeper than any image', () => {
    const documents = [indexOf([])];
    for (let level = 0; level < 6; level += 1) documents.unshift(indexOf(documents.slice(0, 1)));
    expect(handMade(asImage(documents[0] ?? new Uint8Array()), documents)).toThrow(expect.objectContaining({ code: 'CONTENT_MALFORMED' }));
    const flat = documents.slice(-3);
    expect(handMade(asImage(flat[0] ?? new Uint8Array()), flat)().blobs).toHaveLength(3);
  });

  test('stops at more blobs than it bears', () => {
    const leaves = Array.from({ length: 3 }, (_, part) =>
      canonicalJson({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: OCI_CONFIG, digest: sha256(utf8(`c${part}`)), size: 1 },
        layers: Array.from({ length: 4000 }, (_unused, at) => ({
          mediaType: OCI_LAYER_GZIP,
          digest: sha256(utf8(`${part}/${at}`)),
          size: 1,
        })),
      }),
    );
    const index = indexOf(leaves, OCI_MANIFEST);
    expect(handMade(asImage(index), [index, ...leaves])).toThrow(expect.objectContaining({ code: 'CONTENT_MALFORMED' }));
  });

  test('refuses one digest with two sizes', () => {
    const manifest = canonicalJson({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, digest: sha256(utf8('x')), size: 1 },
      layers: [{ mediaType: OCI_LAYER_GZIP, digest: sha256(utf8('x')), size: 2 }],
    });
    expect(handMade({ ...asImage(manifest), mediaType: OCI_MANIFEST }, [manifest])).toThrow(
      expect.objectContaining({ code: 'CONTENT_MALFORMED' }),
    );
  });

  test('refuses a component that is another kind of artifact than the release says', async () => {
    const layout = await openLayout(`${await tempFolder()}/content`, { create: 'if-missing' });
    const firmware = await buildArtifact(layout, {
      artifactType: COMPONENT_ARTIFACT_TYPES.firmware,
      layerType: 'application/octet-stream',
      content: utf8('fw'),
      title: 'fw.bin',
    });
    const { digest } = await layout.putBlob(
      encodeReleaseManifest({ name: 'line', version: '1', components: [{ ...firmware, name: 'fw', kind: 'files' }] }),
      { maxBytes: 10_000 },
    );
    expect(() => walkRelease((wanted, maxBytes) => layout.readBlobSync(wanted, maxBytes), digest)).toThrow(
      expect.objectContaining({ code: 'CONTENT_MALFORMED' }),
    );
  });
});
