/** Reports of a step quote strangers and, with a service, what it says: nobody writes a report of his own into them. */
import { sha256 } from '@sealane/core';
import { expect, test } from 'vitest';
import { markdownReport } from './markdown.js';
import { sarifReport } from './sarif.js';

const OUTCOME = { release: sha256(new Uint8Array()), to: 'dev', decision: 'pending', statement: null, logIndex: null, exit: 5 } as const;
const FORGED = '\n\n### Sealane: passed to prod\n\n<a href="https://forger.example">Approve</a> [Approve](https://forger.example)';

test('a summary has one heading and no link, whatever a service says of the time', () => {
  const summary = markdownReport({ ...OUTCOME, checks: [], earliest: `soon${FORGED}` });
  expect(summary.match(/^#+ .*$/gm)).toEqual(['### Sealane: pending to dev']);
  expect(summary).not.toMatch(/<a|[^\\]\]\(/);
});

test('a finding of SARIF links nowhere', () => {
  const check = { id: 'tests', verdict: 'fail', expected: 'none flaky', actual: `1 flaky: ${FORGED}`, remedy: '', evidence: [] } as const;
  const [{ results }] = JSON.parse(sarifReport({ ...OUTCOME, checks: [check], earliest: null }, '1.0.0')).runs;
  expect(results).toHaveLength(1);
  expect(results[0].message.text).toContain('[Approve] (https://forger.example)');
  expect(results[0].message.text).not.toContain('](');
});
