import { canonicalJson, type JsonValue, sha256, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { descriptorJson, parseDescriptor } from './descriptor.js';
import { parseImageConfig, parseManifest } from './manifest.js';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from './media-types.js';

const digest = sha256(utf8('x'));
const config = { mediaType: OCI_CONFIG, digest, size: 1 };
const layer = { mediaType: OCI_LAYER_GZIP, digest, size: 1 };
const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
const json = (value: JsonValue): Uint8Array => canonicalJson(value);
const malformed = expect.objectContaining({ code: 'CONTENT_MALFORMED' });

describe('manifests', () => {
  test('reads a manifest', () => {
    expect(parseManifest(json(manifest), OCI_MANIFEST)).toEqual({
      kind: 'manifest',
      mediaType: OCI_MANIFEST,
      annotations: {},
      config,
      layers: [layer],
    });
  });

  test.for([
    ['an index to one reader and a manifest to another', { ...manifest, manifests: [] }],
    ['a manifest that calls itself an index', { ...manifest, mediaType: OCI_INDEX }],
    ['schema 1', { ...manifest, schemaVersion: 1 }],
    ['no layers', { schemaVersion: 2, config }],
    ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }],
    ['half a byte', { ...manifest, layers: [{ ...layer, size: 0.5 }] }],
    ['another digest algorithm', { ...manifest, layers: [{ ...layer, digest: `sha512:${'0'.repeat(128)}` }] }],
    ['a digest that walks', { ...manifest, layers: [{ ...layer, digest: 'sha256:../../../etc/passwd' }] }],
    ['an annotation that is no text', { ...manifest, annotations: { a: 1 } }],
    ['more layers than any image', { ...manifest, layers: Array.from({ length: 5000 }, () => layer) }],
  ] as [string, JsonValue][])('refuses %s', ([, value]) => {
    expect(() => parseManifest(json(value), OCI_MANIFEST)).toThrow(malformed);
  });

  test('refuses a key twice', () => {
    const bytes = utf8(JSON.stringify(manifest).replace('{', '{"schemaVersion":1,'));
    expect(() => parseManifest(bytes, OCI_MANIFEST)).toThrow(malformed);
  });

  test('names a type that is no manifest', () => {
    expect(() => parseManifest(json(manifest), 'application/vnd.docker.distribution.manifest.v1+json')).toThrow(
      expect.objectContaining({ code: 'CONTENT_UNSUPPORTED' }),
    );
  });

  test('any JSON is a manifest, an index, a config, or malformed', () => {
    const keys = fc.constantFrom(
      'schemaVersion',
      'mediaType',
      'config',
      'layers',
      'manifests',
      'rootfs',
      'diff_ids',
      'os',
      'architecture',
      'digest',
      'size',
      'platform',
      '__proto__',
    );
    const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<JsonValue>(2, null, true, digest, OCI_MANIFEST, OCI_INDEX, -1, 1),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(OCI_INDEX, OCI_MANIFEST), (document, type) => {
        const bytes = json(document);
        for (const parse of [() => parseManifest(bytes, type), () => parseImageConfig(bytes)]) {
          try {
            parse();
          } catch (error) {
            expect(error).toMatchObject({ code: 'CONTENT_MALFORMED' });
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a descriptor survives being written and read', () => {
    const text = fc.string({ maxLength: 20 });
    const arbitrary = fc.record(
      {
        mediaType: fc.constantFrom(OCI_INDEX, OCI_MANIFEST),
        digest: fc.constant(digest),
        size: fc.nat(),
        annotations: fc.dictionary(text, text).map((map) => ({ ...map })),
        artifactType: fc.constant('application/vnd.x.v1'),
        platform: fc.record({ os: text, architecture: text, variant: text }, { requiredKeys: ['os', 'architecture'] }),
      },
      { requiredKeys: ['mediaType', 'digest', 'size'] },
    );
    fc.assert(
      fc.property(arbitrary, (descriptor) => {
        expect(parseDescriptor(descriptorJson(descriptor), 'a descriptor')).toEqual(descriptor);
      }),
    );
  });
});
