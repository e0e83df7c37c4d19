/**
 * The in-toto test result (https://in-toto.io/attestation/test-result/v0.1) as Sealane writes and reads it: writer and gate side by side.
 *
 * `configuration` is: the suite with its raw report first, then what else is known of that run (hardware inventory, topology, fidelity, conditions,
 * rehearsal), each by digest and at most once.
 */
import { type Digest, digestFromHex, digestHex, type JsonObject, PREDICATE, sha256, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { parseShape } from '../policy/document.js';
import { type PredicateFormat, readPredicate, writePredicate } from '../evidence/predicates/statement.js';
import { countShape, hexShape, saltShape, timeShape } from '../policy/shapes.js';
import { REPORT_MEDIA_TYPES, type ReportFormat } from './report-format.js';
import { caseName, type TestCounts, type TestReport } from './test-report.js';

/** Names of cases that a statement lists, of each kind: the raw report has them all, a payload stays below 1 MiB. */
const MAX_LISTED_TESTS = 2000;
/** Longest listed name, and all names of one kind together, in UTF-16 units (up to 3 bytes each). */
const MAX_LISTED_NAME = 120;
const MAX_LISTED_TEXT = 100_000;

/** Longest name of a suite, in UTF-16 units. */
const MAX_SUITE_NAME = 255;
/** A report without a name of its own is called so. */
const DEFAULT_SUITE = 'tests';

/** Media types of what a test result names; the blobs lie in `content/` under these. */
/** The documents of a run beside its report: their entry of `configuration`, and its media type. */
const RUN_DOCUMENTS = {
  hardware: 'application/vnd.cyclonedx+json',
  topology: 'application/vnd.sealane.topology.v1+json',
  fidelity: 'application/vnd.sealane.fidelity.v1+json',
  conditions: 'application/vnd.sealane.conditions.v1+json',
  rehearsal: 'application/vnd.sealane.rehearsal.v1+json',
} as const;
/** A kind of document that is bound to a run. */
export type RunDocument = keyof typeof RUN_DOCUMENTS;
const DOCUMENT_KINDS = ['hardware', 'topology', 'fidelity', 'conditions', 'rehearsal'] as const satisfies readonly RunDocument[];

/** What a test result says, read: digests of raw report and documents of the run, and the counts that its signer vouches for. */
export interface TestResult extends Readonly<Record<RunDocument, Digest | undefined>> {
  readonly result: 'PASSED' | 'WARNED' | 'FAILED';
  readonly suite: string;
  readonly report: Digest;
  readonly format: string;
  readonly counts: TestCounts;
  readonly finishedAt: string | undefined;
}

/** What `evidence add` knows of one run. `report` = the raw bytes that `parsed` was read from, as `format`. */
export interface TestResultInput extends Readonly<Partial<Record<RunDocument, Digest>>> {
  readonly report: Uint8Array;
  readonly format: ReportFormat;
  readonly parsed: TestReport;
  /** Name of the suite; default: the report's own name. A failure of a suite is lifted by a later pass of the same name. */
  readonly suite?: string;
  /** When the run ended; a gate that asks for freshness needs it. */
  readonly finishedAt?: string;
  readonly salt: string;
}

const annotationsShape = z.looseObject({
  format: z.string().min(1).max(32),
  total: countShape,
  passed: countShape,
  failed: countShape,
  skipped: countShape,
  finishedAt: timeShape.optional(),
});

const entryShape = z.looseObject({
  name: z.string().min(1).max(MAX_SUITE_NAME),
  digest: z.looseObject({ sha256: hexShape }),
  mediaType: z.string().max(255).optional(),
});
const namesShape = z.array(z.string().max(4096)).max(10_000).optional();

/** Zod's shape of the predicate. Fields that we do not read are let through: other tools write this format too. */
const testResultShape = z.looseObject({
  result: z.enum(['PASSED', 'WARNED', 'FAILED']),
  configuration: z
    .tuple([entryShape.extend({ annotations: annotationsShape })], entryShape)
    .refine((entries) => entries.length <= 64, 'expected at most 64 entries'),
  passedTests: namesShape,
  warnedTests: namesShape,
  failedTests: namesShape,
  salt: saltShape.optional(),
});

type Fields = z.output<typeof testResultShape>;

const read: PredicateFormat<Fields> = { what: 'test result', predicateType: PREDICATE.testResult, shape: testResultShape };
const format: PredicateFormat<JsonObject> = {
  ...read,
  shape: testResultShape.transform((value): JsonObject => ({ ...value }) as JsonObject),
};

/** The suite's name that a report gives itself: its own, else that of its only top suite, else `tests`. */
export function suiteNameOf(report: TestReport): string {
  if (report.name !== undefined) return report.name;
  const top = new Set(report.cases.map((each) => each.suites[0] ?? ''));
  const [only] = top;
  return top.size === 1 && only !== undefined && only.trim() !== '' ? only.trim() : DEFAULT_SUITE;
}

/**
 * The predicate of a test result.
 *
 * @throws TrustError `EVIDENCE_RESULT` the report is EMPTY or UNREADABLE: there is nothing to sign
 */
export function testResultPredicate(input: TestResultInput): JsonObject {
  const { parsed, finishedAt } = input;
  if (parsed.verdict === 'EMPTY' || parsed.verdict === 'UNREADABLE') {
    throw new TrustError(
      'EVIDENCE_RESULT',
      `take in a test report: expected a report in which something passed or failed, got ${parsed.verdict}: ${parsed.why}`,
      { verdict: parsed.verdict },
    );
  }
  const annotations = { format: input.format, ...parsed.counts, finishedAt };
  const suite = {
    name: cut(input.suite ?? suiteNameOf(parsed), MAX_SUITE_NAME),
    ...entry(sha256(input.report), REPORT_MEDIA_TYPES[input.format]),
    annotations,
  };
  const documents = DOCUMENT_KINDS.flatMap((name) => {
    const digest = input[name];
    return digest === undefined ? [] : [{ name, ...entry(digest, RUN_DOCUMENTS[name]) }];
  });
  return {
    result: parsed.verdict,
    configuration: [suite, ...documents],
    passedTests: listed(parsed, 'passed'),
    failedTests: listed(parsed, 'failed'),
    salt: input.salt,
  };
}

/**
 * The payload of a test result about `subjects`: the release first, then its components and their child manifests.
 *
 * @throws TrustError `TRUST_MALFORMED` the predicate is no test result
 */
export function testResultStatement(
  subjects: readonly { readonly name?: string; readonly digest: Digest }[],
  predicate: JsonObject,
): Uint8Array {
  readEntries(parseShape('test result', testResultShape, predicate));
  return writePredicate(format, subjects, predicate);
}

/**
 * Reads a test result.
 *
 * @throws TrustError `TRUST_MALFORMED` another shape, or a document of one kind named twice (which one was there is then unknown)
 */
export function readTestResult(statement: Statement): TestResult {
  const result = known.get(statement) ?? readEntries(readPredicate(read, statement));
  known.set(statement, result);
  return result;
}

/** What was read of statements, which nobody changes in place: several gates read each of hundreds. */
const known = new WeakMap<Statement, TestResult>();

function readEntries({ result, configuration }: Fields): TestResult {
  const [suite, ...others] = configuration;
  const { total, passed, failed, skipped } = suite.annotations;
  return {
    result,
    suite: suite.name,
    report: digestFromHex(suite.digest.sha256),
    format: suite.annotations.format,
    counts: { total, passed, failed, skipped },
    finishedAt: suite.annotations.finishedAt,
    hardware: onlyEntry(others, 'hardware'),
    topology: onlyEntry(others, 'topology'),
    fidelity: onlyEntry(others, 'fidelity'),
    conditions: onlyEntry(others, 'conditions'),
    rehearsal: onlyEntry(others, 'rehearsal'),
  };
}

function onlyEntry(
  entries: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[],
  name: RunDocument,
): Digest | undefined {
  const found = entries.filter((each) => each.name === name);
  if (found.length > 1)
    throw new TrustError('TRUST_MALFORMED', `read test result: expected ${name} once in configuration, got it ${found.length} times`);
  return found[0] === undefined ? undefined : digestFromHex(found[0].digest.sha256);
}

function entry(digest: Digest, mediaType: string): { readonly digest: { readonly sha256: string }; readonly mediaType: string } {
  return { digest: { sha256: digestHex(digest) }, mediaType };
}

/** Names of cases with this outcome, as many as fit. */
function listed(report: TestReport, outcome: 'passed' | 'failed'): readonly string[] {
  const names: string[] = [];
  let left = MAX_LISTED_TEXT;
  for (const each of report.cases) {
    if (each.outcome !== outcome) continue;
    const name = cut(caseName(each), MAX_LISTED_NAME);
    left -= name.length;
    if (left < 0 || names.length >= MAX_LISTED_TESTS) break;
    names.push(name);
  }
  return names;
}

/** The first `length` units of a text, never half of a surrogate pair: that has no canonical JSON. */
function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}
