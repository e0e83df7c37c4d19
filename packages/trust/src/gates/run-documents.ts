/** Test runs with a document of one kind (topology, fidelity, conditions, rehearsal): those that passed, and why the others do not count. */
import type { Digest, ErrorCode } from '@sealane/core';
import type { RunDocument } from '../reports/test-result.js';
import { digestsOf, whyNone } from './evidence-selection.js';
import type { GateContext, Problem, Read } from './gate.js';
import { describeFailure, outstandingFailures, selectRuns, soundReport, type TestRun } from './test-runs.js';

/** A run that passed, and what it is bound to. */
export interface DocumentedRun<T> {
  readonly run: TestRun;
  readonly document: T;
}

/** The runs oldest first, at least one; or the problem for which none counts. `evidence` = digests of what was read either way; `isNone` = nothing speaks against it either. */
export type DocumentedRuns<T> =
  | { readonly ok: true; readonly runs: readonly DocumentedRun<T>[]; readonly evidence: readonly Digest[] }
  | { readonly ok: false; readonly problem: Problem; readonly evidence: readonly Digest[]; readonly isNone?: true };

/**
 * Every passing run by a signer of tests that names such a document.
 *
 * A failure that stands refuses all. So does a suite whose last such run cannot be read: else who withholds a bad measurement would leave the good one
 * before it standing.
 */
export function documentedRuns<T>(
  context: GateContext,
  kind: RunDocument,
  read: (digest: Digest) => Read<T>,
  code: ErrorCode,
): DocumentedRuns<T> {
  const selection = selectRuns(context, context.policy.signers.tests);
  const failures = outstandingFailures(context, selection.accepted);
  const runs: DocumentedRun<T>[] = [];
  const problems = new Map<string, Problem>();
  for (const run of selection.accepted) {
    const digest = run.predicate[kind];
    if (digest === undefined || run.predicate.result !== 'PASSED') continue;
    const document = readDocument(context, run, () => read(digest));
    if (document.ok) runs.push({ run, document: document.value });
    if (document.ok) problems.delete(run.predicate.suite);
    else problems.set(run.predicate.suite, document.problem);
  }
  const evidence = digestsOf([...failures, ...runs.map(({ run }) => run)]);
  if (failures.length > 0)
    return { ok: false, problem: { code: 'EVIDENCE_RESULT', why: failures.map(describeFailure).join('; ') }, evidence };
  const [problem] = problems.values();
  if (problem !== undefined) return { ok: false, problem, evidence };
  if (runs.length > 0) return { ok: true, runs, evidence };
  const none: Problem =
    selection.accepted.length > 0
      ? { code, why: `no passing test result with ${kind}` }
      : whyNone(selection, `test result with ${kind}`, code);
  return { ok: false, problem: none, evidence, isNone: true };
}

function readDocument<T>(context: GateContext, run: TestRun, read: () => Read<T>): Read<T> {
  const report = soundReport(context, run);
  return report.ok ? read() : report;
}
