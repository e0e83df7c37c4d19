/** Scans, bills of material and VEX against what a stranger may hand over: taken or refused by name, and at once. */
import { type JsonObject, LIMITS, parseStrictJson, PREDICATE, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { tryParser } from '../../../../test/support/hostile-input.js';
import { readBom, readVex } from './bom.js';
import { isSarif, scanOfSarif } from './sarif.js';
import { readScan } from './scan.js';

const PURL = 'pkg:deb/debian/openssl@3.0.11';
const text = (value: JsonObject): string => JSON.stringify(value);

const sarif = {
  $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
  version: '2.1.0',
  runs: [
    {
      tool: { driver: { name: 'scanner', version: '1.2.0', rules: [{ id: 'CVE-2026-1', properties: { 'security-severity': '9.8' } }] } },
      invocations: [{ executionSuccessful: true, endTimeUtc: '2026-11-24T08:00:00Z' }],
      results: [{ ruleId: 'CVE-2026-1' }, { ruleIndex: 0, kind: 'pass' }],
    },
  ],
};
const scan = {
  scanner: {
    uri: 'pkg:github/scanner@1.2.0',
    version: '1.2.0',
    db: { lastUpdate: '2026-11-24T07:00:00Z' },
    result: [{ id: 'CVE-2026-1', severity: [{ method: 'nvd', score: '9.8' }], annotations: [{ purl: PURL }] }],
  },
  metadata: { scanFinishedOn: '2026-11-24T08:00:00.5+01:00' },
};
const component = {
  type: 'library',
  name: 'openssl',
  purl: PURL,
  licenses: [{ license: { id: 'Apache-2.0' } }, { expression: 'MIT OR ISC' }],
};
const cyclonedx = { bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ ...component, components: [component] }] };
const vex = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  vulnerabilities: [
    { id: 'CVE-2026-1', analysis: { state: 'not_affected', justification: 'code_not_reachable' }, affects: [{ ref: PURL }] },
  ],
};
const spdx = {
  spdxVersion: 'SPDX-2.3',
  packages: [
    {
      name: 'openssl',
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: 'Apache-2.0',
      externalRefs: [{ referenceType: 'purl', referenceLocator: PURL }],
    },
  ],
};

/** As the parser of a statement hands it on: strict JSON, an object. */
function objectOf(bytes: Uint8Array): JsonObject {
  const value = parseStrictJson(bytes, { maxBytes: LIMITS.statementBytes, maxDepth: LIMITS.jsonDepth });
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : { value };
}

const JSON_CODES = /^(?:JSON_\w+|BYTES_MALFORMED|TRUST_MALFORMED|EVIDENCE_RESULT)$/;

describe('taken or refused by name', () => {
  test('SARIF', () => {
    const times = { finishedAt: '2026-11-24T10:00:00Z' };
    const parse = (bytes: Uint8Array): unknown => {
      const document = objectOf(bytes);
      return [isSarif(document), scanOfSarif(document, times)];
    };
    tryParser({ parse, samples: [text(sarif)], codes: JSON_CODES, runs: 300 });
  });

  test('what is made of SARIF is a scan that gates can read', () => {
    const predicate = scanOfSarif(sarif, { finishedAt: '2026-11-24T10:00:00Z' });
    expect(readScan({ predicateType: PREDICATE.vulnerabilities, predicate }).found).toMatchObject([{ id: 'CVE-2026-1' }]);
  });

  test.each<[string, JsonObject, string, (statement: { predicateType: string; predicate: JsonObject }) => unknown]>([
    ['in-toto vulnerabilities', scan, PREDICATE.vulnerabilities, readScan],
    ['CycloneDX', cyclonedx, PREDICATE.cyclonedx, readBom],
    ['SPDX', spdx, PREDICATE.spdx, readBom],
    ['VEX', vex, PREDICATE.cyclonedx, readVex],
  ])('%s', (_, sample, predicateType, read) => {
    tryParser({
      parse: (bytes) => read({ predicateType, predicate: objectOf(bytes) }),
      samples: [text(sample)],
      codes: JSON_CODES,
      runs: 300,
    });
  });

  test('components nested as deep as JSON may go, and deeper', () => {
    const nested = (depth: number): JsonObject =>
      depth === 0 ? component : { type: 'library', name: 'outer', components: [nested(depth - 1)] };
    const bom = (depth: number): Uint8Array => utf8(text({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [nested(depth)] }));
    const count = (depth: number): number => readBom({ predicateType: PREDICATE.cyclonedx, predicate: objectOf(bom(depth)) }).length;
    expect(count(12)).toBe(13);
    expect(() => count(400)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^JSON_/) as string }) as Error);
  });
});
