/** Every parser of oci against what a stranger may hand to it. */
import { canonicalJson, parseDigest, utf8 } from '@sealane/core';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { tryParser, tryReader } from '../../../test/support/hostile-input.js';
import { gunzipIfNeeded } from './gunzip.js';
import { descriptorJson, parseDescriptor } from './descriptor.js';
import { encodeLayoutIndex, parseLayoutIndex } from './layout-index.js';
import { parseImageConfig, parseManifest, parseOciJson } from './manifest.js';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from './media-types.js';
import { formatReference, parseReference } from './reference.js';
import { parseReferrers } from './referrers-list.js';
import { parseChallenges } from './registry-challenge.js';
import { encodeReleaseManifest, parseReleaseManifest } from './release-manifest.js';
import { parseTarHeader } from './tar-header.js';
import { checkGlobalPax, parsePax } from './tar-pax.js';
import { readTar } from './tar-reader.js';

const DIGEST = parseDigest(`sha256:${'ab'.repeat(32)}`);
const CODES = /^(?:CONTENT_|JSON_|DIGEST_|REFERENCE_)/;
const blob = (mediaType: string): object => ({ mediaType, digest: DIGEST, size: 12 });
const bytesOf = (value: object): Uint8Array => canonicalJson(value as Parameters<typeof canonicalJson>[0]);
/** Archives of test/vectors/archives that are taken. */
const ARCHIVES = ['good-plain.tar', 'good-pax-long.tar', 'good-gnu-long.tar'];

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const manifest = bytesOf({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: blob(OCI_CONFIG), layers: [blob(OCI_LAYER_GZIP)] });
const index = bytesOf({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...blob(OCI_MANIFEST), platform: { os: 'linux', architecture: 'amd64' } }],
});

describe('hostile input', () => {
  test('image manifests and indexes', () => {
    tryParser({ parse: (bytes) => parseManifest(bytes, OCI_MANIFEST), samples: [manifest], codes: CODES });
    tryParser({ parse: (bytes) => parseManifest(bytes, OCI_INDEX), samples: [index], codes: CODES });
  });

  test('image configs', () => {
    const config = bytesOf({ os: 'linux', architecture: 'amd64', config: {}, rootfs: { type: 'layers', diff_ids: [DIGEST] } });
    tryParser({ parse: parseImageConfig, samples: [config], codes: CODES });
  });

  test('descriptors', () => {
    const parse = (bytes: Uint8Array): ReturnType<typeof parseDescriptor> =>
      parseDescriptor(parseOciJson(bytes, 100_000, 'a descriptor'), 'here');
    tryParser({ parse, samples: [bytesOf(blob(OCI_LAYER_GZIP))], codes: CODES });
    // a descriptor that is written says what was read
    tryParser({ parse: (bytes) => parse(bytesOf(descriptorJson(parse(bytes)))), samples: [bytesOf(blob(OCI_MANIFEST))], codes: CODES });
  });

  test('the index of a layout', () => {
    tryParser({ parse: (bytes) => encodeLayoutIndex(parseLayoutIndex(bytes)), samples: [index], codes: CODES });
  });

  test('release manifests', () => {
    const doc = {
      name: 'readings',
      version: '1.0.0',
      components: [{ name: 'app', kind: 'image', mediaType: OCI_MANIFEST, digest: DIGEST, size: 12 }],
    } as const;
    tryParser({ parse: parseReleaseManifest, write: encodeReleaseManifest, samples: [encodeReleaseManifest(doc)], codes: CODES });
  });

  test('references', () => {
    const samples = [`docker://registry.example:5000/a/b@${DIGEST}`, `oci:folder@${DIGEST}`, 'oci-archive:file.tar'];
    tryParser({ parse: (bytes) => formatReference(parseReference(text(bytes))), samples, codes: CODES });
  });

  test('lists of referrers', () => {
    tryParser({ parse: (bytes) => parseReferrers(bytes, DIGEST), samples: [index], codes: CODES });
  });

  test('what a registry asks for: any header is read, and never into anything but the two schemes', () => {
    const parse = (bytes: Uint8Array): void => {
      for (const { scheme } of parseChallenges(Buffer.from(bytes).toString('latin1'))) expect(['basic', 'bearer']).toContain(scheme);
    };
    const samples = ['Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull"', 'Basic realm="x"'];
    tryParser({ parse, samples, codes: /^$/ });
  });

  test('archives, plain and compressed, from one end to the other', async () => {
    const limits = { maxTotalBytes: 1_000_000, maxEntries: 1000, maxNameBytes: 255, maxPathBytes: 1024, maxDepth: 8, maxPaxBytes: 65_536 };
    const vector = (name: string): Uint8Array =>
      new Uint8Array(readFileSync(new URL(`../../../test/vectors/archives/${name}`, import.meta.url)));
    const read = async (bytes: Uint8Array): Promise<void> => {
      const pieces = (async function* () {
        yield await Promise.resolve(bytes);
      })();
      let sizeBytes = 0;
      for await (const { content } of readTar(gunzipIfNeeded(pieces), limits)) for await (const piece of content) sizeBytes += piece.length;
      expect(sizeBytes).toBeLessThanOrEqual(limits.maxTotalBytes);
    };
    const samples = ARCHIVES.flatMap((name) => [vector(name), new Uint8Array(gzipSync(vector(name)))]);
    await tryReader({ read, samples, codes: CODES });
  });

  test('tar headers', () => {
    const header = Buffer.alloc(512);
    header.write('srv/version', 0);
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write('00000000005\0', 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    tryParser({
      parse: (bytes) => parseTarHeader(Buffer.concat([bytes, Buffer.alloc(512)]).subarray(0, 512)),
      samples: [new Uint8Array(header)],
      codes: CODES,
    });
  });

  test('pax records', () => {
    const sample = utf8('18 path=srv/other\n');
    tryParser({ parse: parsePax, samples: [sample], codes: CODES });
    tryParser({
      parse: (bytes) => {
        checkGlobalPax(bytes);
        return true;
      },
      samples: [utf8('16 comment=none\n')],
      codes: CODES,
    });
  });
});
