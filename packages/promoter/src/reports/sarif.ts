/** Checks that do not pass as SARIF 2.1.0, for code scanning: each gate is a rule, placed at the pipeline that asks for it. */
import type { Check } from '@sealane/core';
import type { ReportedOutcome } from './outcome.js';

/** Where a viewer puts a finding: what asks for the gate. */
const PIPELINE_FILE = 'pipeline.yaml';

/** The log, one run. */
export function sarifReport({ release, to, checks }: ReportedOutcome, version: string): string {
  const rules = [...new Set(checks.map(({ id }) => id))].map((id) => ({ id, shortDescription: { text: `gate ${id}` } }));
  const results = checks.flatMap((check) => (check.verdict === 'pass' ? [] : [resultOf(check, release, to)]));
  const run = { tool: { driver: { name: 'Sealane', version, rules } }, results };
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

function resultOf({ id, verdict, expected, actual, remedy }: Check, release: string, to: string): object {
  return {
    ruleId: id,
    level: verdict === 'pending' ? 'note' : 'error',
    message: { text: withoutLinks(`${release} to ${to}: expected ${expected}; got ${actual}.${remedy === '' ? '' : ` Next: ${remedy}`}`) },
    locations: [{ physicalLocation: { artifactLocation: { uri: PIPELINE_FILE }, region: { startLine: 1 } } }],
    partialFingerprints: { 'gate/v1': `${release} ${to} ${id}` },
  };
}

/** SARIF 2.1.0, 3.11.6: `[text](address)` is a link. What is quoted comes from reports and inventories, and leads nobody anywhere. */
function withoutLinks(text: string): string {
  return text.replaceAll('](', '] (');
}
