/**
 * JUnit XML, as a dozen tools write it. Cases are counted, attributes are not believed, and what is not well-formed is no report.
 *
 * There is no schema, only habits; where habits differ, the reading that passes less is taken.
 */
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { LIMITS } from '@sealane/core';
import {
  type CaseOutcome,
  finishReport,
  MAX_CASES,
  MAX_NAME,
  reportTime,
  type TestCase,
  type TestReport,
  Unreadable,
  unreadableReport,
} from './test-report.js';
import { eachXmlText, XmlTextError } from './xml-text.js';

/** Deepest nesting of elements; the deepest real report seen has 9. */
const MAX_DEPTH = 64;

/** Values of `status`, `result` and `outcome` on a case that say nothing bad. Any value in neither list has failed: unknown never passes. */
const PASSING_STATUS: ReadonlySet<string> = new Set(['', 'completed', 'ok', 'pass', 'passed', 'run', 'success', 'successful']);
const SKIPPING_STATUS: ReadonlySet<string> = new Set(['disabled', 'ignored', 'notrun', 'pending', 'skip', 'skipped', 'suppressed', 'todo']);

/** Elements of a case that did not end well, in whatever case a tool writes them. */
const BAD_END = /^(?:failure|error|aborted|crashed|time-?out|timed-?out)$/i;

/**
 * Reads a report. Never throws: what cannot be read has the verdict UNREADABLE and no cases.
 *
 * A document type is refused before anything in it is looked at, so entities neither expand nor reach a file. Of a case
 * that stands twice under one name each try counts: two tests may share a name, and the passing one must not hide the other.
 * Attributes can only make it worse: a suite that claims failures which no case shows is FAILED.
 */
export function parseJUnit(bytes: Uint8Array): TestReport {
  if (bytes.length > LIMITS.evidenceBlobBytes) {
    return unreadableReport(`expected at most ${LIMITS.evidenceBlobBytes} bytes, got ${bytes.length}`);
  }
  const reader = createReader();
  // XML 1.1 would let control characters in; no tool writes it.
  const parser = new SaxesParser({ xmlns: false, position: false, forceXMLVersion: true, defaultXMLVersion: '1.0' });
  parser.on('error', (error) => refuse(`expected well-formed XML, got: ${error.message.slice(0, 200)}`));
  parser.on('doctype', () => refuse('expected no document type, got one'));
  parser.on('opentag', reader.open);
  parser.on('closetag', (tag) => reader.close(localName(tag.name)));
  try {
    eachXmlText(bytes, (text) => parser.write(text));
    parser.close();
    return reader.report();
  } catch (error) {
    if (error instanceof Unreadable || error instanceof XmlTextError) return unreadableReport(error.message);
    throw error;
  }
}

interface OpenCase {
  readonly className: string;
  readonly name: string;
  failed: boolean;
  skipped: boolean;
  flaky: boolean;
}

interface Reader {
  readonly open: (tag: SaxesTagPlain) => void;
  readonly close: (name: string) => void;
  readonly report: () => TestReport;
}

/** The state between two tags. */
interface State {
  readonly cases: TestCase[];
  /** Names of the open suites; replaced, never changed, so that cases share it. */
  suites: readonly string[];
  depth: number;
  current: OpenCase | undefined;
  name: string | undefined;
  suiteErrors: number;
  claimed: number;
  /** The latest `timestamp` of a suite, in ms; 0 where there is none. */
  ranAtMs: number;
}

function createReader(): Reader {
  const state: State = { cases: [], suites: [], depth: 0, current: undefined, name: undefined, suiteErrors: 0, claimed: 0, ranAtMs: 0 };
  return {
    open: (tag) => {
      state.depth += 1;
      if (state.depth > MAX_DEPTH) refuse(`expected at most ${MAX_DEPTH} nested elements, got more`);
      openElement(state, localName(tag.name), tag.attributes);
    },
    close: (name) => {
      state.depth -= 1;
      closeElement(state, name);
    },
    report: () => reportOf(state),
  };
}

type Attributes = Readonly<Record<string, string>>;

function openElement(state: State, name: string, attributes: Attributes): void {
  if (state.depth === 1) openRoot(state, name, attributes);
  switch (BAD_END.test(name) ? 'failure' : name) {
    case 'testsuites':
    case 'testsuite':
      openSuite(state, name, attributes);
      break;
    case 'testcase':
      openCase(state, attributes);
      break;
    case 'failure':
    case 'rerunFailure':
    case 'rerunError':
      // surefire's rerun… stand beside the failure of a test that failed in every try
      if (state.current === undefined) state.suiteErrors += 1;
      else state.current.failed = true;
      break;
    case 'skipped':
      if (state.current !== undefined) state.current.skipped = true;
      break;
    case 'flakyFailure':
    case 'flakyError':
      if (state.current !== undefined) state.current.flaky = true;
      break;
    default: // properties, system-out and what a tool adds of its own
  }
}

function openRoot(state: State, name: string, attributes: Attributes): void {
  if (name !== 'testsuites' && name !== 'testsuite') refuse(`expected testsuites or testsuite as the root, got ${name.slice(0, 60)}`);
  const own = attributes.name?.trim().slice(0, MAX_NAME);
  state.name = own === '' ? undefined : own;
}

function openSuite(state: State, name: string, attributes: Attributes): void {
  if (state.current !== undefined) refuse('expected no suite inside a case, got one');
  state.claimed += claimedCount(attributes.failures) + claimedCount(attributes.errors);
  state.ranAtMs = Math.max(state.ranAtMs, timestampMs(attributes.timestamp));
  if (name === 'testsuite') state.suites = [...state.suites, (attributes.name ?? '').slice(0, MAX_NAME)];
}

function openCase(state: State, attributes: Attributes): void {
  if (state.current !== undefined) refuse('expected no case inside a case, got one');
  const status = [attributes.status, attributes.result, attributes.outcome].map((value) => (value ?? '').trim().toLowerCase());
  state.current = {
    className: (attributes.classname ?? '').slice(0, MAX_NAME),
    name: (attributes.name ?? '').slice(0, MAX_NAME),
    failed: status.some((value) => !PASSING_STATUS.has(value) && !SKIPPING_STATUS.has(value)),
    skipped: status.some((value) => SKIPPING_STATUS.has(value)),
    flaky: false,
  };
}

function closeElement(state: State, name: string): void {
  if (name === 'testsuite') state.suites = state.suites.slice(0, -1);
  if (name !== 'testcase' || state.current === undefined) return;
  if (state.cases.length >= MAX_CASES) refuse(`expected at most ${MAX_CASES} cases, got more`);
  const { className, name: caseName, failed, skipped, flaky } = state.current;
  const outcome = outcomeOf(failed, skipped);
  state.cases.push({ suites: state.suites, className, name: caseName, outcome, ...(flaky ? { flaky } : {}) });
  state.current = undefined;
}

function outcomeOf(failed: boolean, skipped: boolean): CaseOutcome {
  if (failed) return 'failed';
  return skipped ? 'skipped' : 'passed';
}

function reportOf({ cases, suiteErrors, claimed, name, ranAtMs }: State): TestReport {
  const claim = claimed > 0 ? 'a suite claims failures that no case shows' : undefined;
  return finishReport({ cases, suiteErrors, claim, name, ranAt: reportTime(ranAtMs), isHollow: isFileName });
}

/** JUnit's times say no zone as a rule; such a one is read as UTC. 0 for what is no time. */
function timestampMs(text: string | undefined): number {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text)) return 0;
  const ms = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? 0 : ms;
}

/** node --test reports a file without any test as one passing test, named by the file's absolute path. */
function isFileName({ className, name }: TestCase): boolean {
  return className === 'test' && /^(?:\/|[A-Za-z]:[\\/]).*\.[cm]?[jt]sx?$/.test(name);
}

/** Anything but nothing or a zero, however it is written, claims a failure. */
function claimedCount(text: string | undefined): number {
  return text === undefined || /^\s*[+-]?0*(?:\.0*)?\s*$/.test(text) ? 0 : 1;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function refuse(why: string): never {
  throw new Unreadable(why);
}
