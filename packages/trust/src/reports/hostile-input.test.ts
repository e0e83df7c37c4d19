/** Reports and documents of a run against what a stranger may have written: none makes a parser fail, and none passes by being broken. */
import { readFileSync } from 'node:fs';
import { canonicalJson, type JsonValue } from '@sealane/core';
import { expect, test } from 'vitest';
import { tryParser } from '../../../../test/support/hostile-input.js';
import { shownIn } from '../../../../test/support/shown-in.js';
import { parseConditions } from './conditions.js';
import { parseCtrf } from './ctrf.js';
import { parseFidelity } from './fidelity.js';
import { parseLava } from './lava.js';
import { parseRehearsal } from './rehearsal.js';
import { parseTap } from './tap.js';
import type { TestReport } from './test-report.js';
import { parseTopology } from './topology.js';

const ROOT = new URL('../../../../', import.meta.url);
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, ROOT)));

const LAVA = `- {case: boot, suite: lava, result: pass, metadata: {}}
- {case: network, suite: "0_smoke", result: pass, metadata: {definition: smoke}}
`;

test.each<[string, (bytes: Uint8Array) => TestReport, readonly Uint8Array[]]>([
  ['CTRF', parseCtrf, [file('test/vectors/junit/ctrf/jest-pass.json'), file('test/vectors/junit/ctrf/jest-one-failure.json')]],
  ['LAVA', parseLava, [Buffer.from(LAVA)]],
  ['TAP', parseTap, [Buffer.from('TAP version 14\n1..2\nok 1 - a\n# Subtest: b\n    ok 1 - c\n    1..1\nok 2 - b\n')]],
])('%s: any bytes are a report with a verdict, and only true passes are PASSED', (_, parseReport, samples) => {
  const parse = (bytes: Uint8Array): void => {
    const { verdict, counts } = parseReport(bytes);
    if (verdict === 'PASSED') expect([counts.passed > 0, counts.failed]).toEqual([true, 0]);
  };
  tryParser({ parse, samples, codes: /^$/ });
});

test.each<[string, (bytes: Uint8Array) => unknown]>([
  ['conditions', parseConditions],
  ['fidelity', parseFidelity],
  ['rehearsal', parseRehearsal],
  ['topology', parseTopology],
])('%s: taken as it was written, or refused by name', (page, parse) => {
  tryParser({
    parse,
    write: (document) => canonicalJson(document as JsonValue),
    samples: [shownIn(page)],
    codes: /^TRUST_(?:MALFORMED|TOO_LARGE)$/,
  });
});
