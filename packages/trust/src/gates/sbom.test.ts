/** SBOMs: an image that nobody listed, an empty list, a forbidden package or licence never passes. */
import { type Digest, type JsonObject, PREDICATE, sha256, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { licenceVerdict } from '../scans/licence.js';
import { digestOf, gate, GateLane, RELEASE } from '../testing/gate-lane.js';
import { validateGateConfig } from './index.js';
import { sbomGate } from './sbom.js';

const IMAGE = utf8('{"config":{},"layers":[]}');

const component = (name: string, licence?: string, purl = `pkg:npm/${name}@1.0.0`): JsonObject => ({
  type: 'library',
  name,
  purl,
  ...(licence === undefined ? {} : { licenses: [{ expression: licence }] }),
});
const cyclone = (components: readonly JsonObject[]): JsonObject => ({ bomFormat: 'CycloneDX', specVersion: '1.6', components });
const spdx = (packages: readonly JsonObject[]): JsonObject => ({ spdxVersion: 'SPDX-2.3', packages });

function judge(
  document: JsonObject,
  settings: JsonObject = {},
  change: { readonly key?: string; readonly subject?: Digest; readonly predicateType?: string } = {},
): ReturnType<GateLane['check']> {
  const lane = new GateLane(gate('sbom', settings));
  lane.blobs.set(sha256(IMAGE), IMAGE);
  lane.components = [{ name: 'app', kind: 'image', digest: sha256(IMAGE) }];
  const { key = 'builder', subject = sha256(IMAGE), predicateType = PREDICATE.cyclonedx } = change;
  lane.sign(predicateType, document, { key, subject });
  return lane.check('sbom', [sbomGate]);
}

describe('sbom', () => {
  test('passes a list by a named signer, in either format', () => {
    expect(judge(cyclone([component('a')]))).toMatchObject({ verdict: 'pass', actual: '1 component in 1 document' });
    const packages = spdx([{ name: 'a', externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:npm/a@1.0.0' }] }]);
    expect(judge(packages, {}, { predicateType: PREDICATE.spdx }).verdict).toBe('pass');
  });

  test.each([
    ['an empty list', cyclone([]), {}, {}, 'EVIDENCE_RESULT'],
    ['no list', { bomFormat: 'CycloneDX', specVersion: '1.6' }, {}, {}, 'EVIDENCE_RESULT'],
    ['another format', { hello: 1 }, {}, {}, 'EVIDENCE_RESULT'],
    ['too few', cyclone([component('a')]), { minComponents: 2 }, {}, 'EVIDENCE_RESULT'],
    ['another key', cyclone([component('a')]), {}, { key: 'lab' }, 'EVIDENCE_SIGNER'],
    ['another image', cyclone([component('a')]), {}, { subject: digestOf('other') }, 'EVIDENCE_SUBJECT'],
    ['the release and no image', cyclone([component('a')]), {}, { subject: RELEASE }, 'EVIDENCE_RESULT'],
    ['a forbidden package', cyclone([component('a')]), { forbidden: ['pkg:npm/a'] }, {}, 'EVIDENCE_FORBIDDEN'],
    ['one of several that are forbidden', cyclone([component('a')]), { forbidden: ['pkg:npm/b', 'pkg:npm/a'] }, {}, 'EVIDENCE_FORBIDDEN'],
    ['a forbidden version', cyclone([component('a')]), { forbidden: ['pkg:npm/A@1.0.0'] }, {}, 'EVIDENCE_FORBIDDEN'],
    [
      'a forbidden package of a scope',
      cyclone([component('b', undefined, 'pkg:npm/%40a/b@1')]),
      { forbidden: ['pkg:npm/@a/b'] },
      {},
      'EVIDENCE_FORBIDDEN',
    ],
    [
      'a forbidden package with qualifiers',
      cyclone([component('a', undefined, 'pkg:npm/a@1.0.0?arch=x')]),
      { forbidden: ['pkg:npm/a@1.0.0'] },
      {},
      'EVIDENCE_FORBIDDEN',
    ],
    [
      'a forbidden package inside another',
      cyclone([{ ...component('b'), components: [component('a')] }]),
      { forbidden: ['pkg:npm/a'] },
      {},
      'EVIDENCE_FORBIDDEN',
    ],
    [
      'a package of a forbidden name without a URL',
      cyclone([{ type: 'library', name: 'a' }]),
      { forbidden: ['pkg:npm/b', 'pkg:npm/a'] },
      {},
      'EVIDENCE_FORBIDDEN',
    ],
    [
      'a forbidden licence',
      cyclone([component('a', 'MIT AND GPL-3.0-only')]),
      { forbiddenLicences: ['GPL-3.0-only'] },
      {},
      'EVIDENCE_FORBIDDEN',
    ],
    ['a licence that nobody tells', cyclone([component('a')]), { forbiddenLicences: ['GPL-3.0-only'] }, {}, 'EVIDENCE_FORBIDDEN'],
  ] as const)('refuses %s', (_, document, settings, change, code) => {
    expect(judge(document, settings, change)).toMatchObject({ verdict: 'fail', code });
  });

  test('a release without an image, or whose image is not there, is refused', () => {
    const lane = new GateLane(gate('sbom'));
    const check = (): ReturnType<GateLane['check']> => lane.check('sbom', [sbomGate]);
    lane.sign(PREDICATE.cyclonedx, cyclone([component('a')]), { key: 'builder' });
    expect(check()).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT', actual: 'the release has no image to list' });
    lane.components = [{ name: 'app', kind: 'image', digest: sha256(IMAGE) }];
    expect(check()).toMatchObject({ verdict: 'fail', code: 'CONTENT_MISSING' });
  });

  test('a later document that lists nothing, as VEX does, does not take the place of a list', () => {
    const lane = new GateLane(gate('sbom', { forbidden: ['pkg:npm/a'] }));
    lane.blobs.set(sha256(IMAGE), IMAGE);
    lane.components = [{ name: 'app', kind: 'image', digest: sha256(IMAGE) }];
    for (const document of [cyclone([component('a')]), cyclone([])])
      lane.sign(PREDICATE.cyclonedx, document, { key: 'builder', subject: sha256(IMAGE) });
    expect(lane.check('sbom', [sbomGate])).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_FORBIDDEN' });
  });

  test('another version, a choice of licences and a waiver with an end pass', () => {
    expect(judge(cyclone([component('a')]), { forbidden: ['pkg:npm/a@2.0.0', 'pkg:npm/ab'] }).verdict).toBe('pass');
    expect(judge(cyclone([component('a', 'MIT OR GPL-3.0-only')]), { forbiddenLicences: ['GPL-3.0-only'] }).verdict).toBe('pass');
    const waiver = { purl: 'pkg:npm/a', owner: 'legal', reason: 'bought', expiresAt: '2026-11-24T10:00:01Z' };
    expect(judge(cyclone([component('a')]), { forbidden: ['pkg:npm/a'], waivers: [waiver] }).verdict).toBe('pass');
    const late = { ...waiver, expiresAt: '2026-11-24T10:00:00Z' };
    expect(judge(cyclone([component('a')]), { forbidden: ['pkg:npm/a'], waivers: [late] }).verdict).toBe('fail');
  });

  test.each([[{ forbidden: ['left-pad'] }], [{ minComponents: 0 }], [{ waivers: [{ purl: 'pkg:npm/a' }] }], [{ licences: [] }]])(
    'settings %j are refused',
    (settings) => {
      expect(() => validateGateConfig('sbom', settings, [sbomGate])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      expect(judge(cyclone([component('a')]), settings).verdict).toBe('error');
    },
  );

  test.each([
    ['GPL-3.0-only', 'forbidden'],
    ['gpl-3.0-ONLY', 'forbidden'],
    ['MIT', 'allowed'],
    ['MIT OR GPL-3.0-only', 'allowed'],
    ['(MIT OR Apache-2.0) AND GPL-3.0-only', 'forbidden'],
    ['GPL-3.0-only WITH Classpath-exception-2.0', 'forbidden'],
    ['GPL-3.0+', 'forbidden'],
    ['MIT OR', 'unknown'],
    ['(MIT', 'unknown'],
    ['MIT Apache-2.0', 'unknown'],
    ['', 'unknown'],
  ])('licence %j is %s', (expression, verdict) => {
    expect(licenceVerdict(expression, new Set(['gpl-3.0-only', 'gpl-3.0-or-later']))).toBe(verdict);
  });
});
