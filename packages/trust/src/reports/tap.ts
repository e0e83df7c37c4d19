/**
 * TAP 13 and 14 (https://testanything.org), as node --test and Perl's Test::More write it, subtests included.
 *
 * TAP lets a reader pass over lines that it does not know; this one does not: a `not ok` behind a stray byte must not vanish.
 */
import { LIMITS } from '@sealane/core';
import { finishReport, MAX_CASES, MAX_NAME, type TestCase, type TestReport, Unreadable, unreadableReport } from './test-report.js';

/** Deepest nesting of subtests; the deepest real report seen has 3. */
const MAX_DEPTH = 32;
/** Spaces by which a subtest is indented under its test point, and a YAML block under its own. */
const SUBTEST_INDENT = 4;
const YAML_INDENT = 2;

/** One level: the document, or a subtest in it. `ids` are the numbers of its test points. */
interface Level {
  readonly indent: number;
  readonly suites: readonly string[];
  readonly ids: Set<number>;
  plan: number | undefined;
  /** Whether a plan may still come: after the points it ends the level. */
  isOver: boolean;
  /** Name that a `# Subtest:` line gave to what comes next. */
  next: string | undefined;
  /** The subtest that the next test point sums up: how many cases it had, and how many of them failed. */
  child: { readonly points: number; readonly failed: number } | undefined;
  failed: number;
}

interface State {
  readonly cases: TestCase[];
  readonly levels: [Level, ...Level[]];
  /** Indent of an open YAML block; it belongs to the test point above it. */
  yaml: number | undefined;
  suiteErrors: number;
  bailed: boolean;
  /** Whether the last line was a test point: only there may a YAML block stand. */
  afterPoint: boolean;
}

/**
 * Reads a report. Never throws: what cannot be read has the verdict UNREADABLE and no cases.
 *
 * A test point that sums up a subtest is a suite, its points are the cases. TODO and SKIP are neither passed nor failed. Without a plan, with
 * other points than planned, or with a number twice, it is no report: it was cut, or two runs wrote into one file.
 */
export function parseTap(bytes: Uint8Array): TestReport {
  if (bytes.length > LIMITS.evidenceBlobBytes)
    return unreadableReport(`expected at most ${LIMITS.evidenceBlobBytes} bytes, got ${bytes.length}`);
  const state: State = { cases: [], levels: [levelAt(0, [])], yaml: undefined, suiteErrors: 0, bailed: false, afterPoint: false };
  try {
    linesOf(bytes).forEach((line, at) => readLine(state, line, at + 1));
    if (!state.bailed) finish(state);
  } catch (error) {
    if (error instanceof Unreadable) return unreadableReport(error.message);
    throw error;
  }
  const claim = state.bailed ? 'it bailed out' : undefined;
  return finishReport({ cases: state.cases, suiteErrors: state.suiteErrors, claim, name: undefined, ranAt: undefined, isHollow: isFile });
}

function linesOf(bytes: Uint8Array): readonly string[] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  } catch (cause) {
    throw new Unreadable('expected UTF-8 text, got other bytes', { cause });
  }
}

function levelAt(indent: number, suites: readonly string[]): Level {
  return { indent, suites, ids: new Set(), plan: undefined, isOver: false, next: undefined, child: undefined, failed: 0 };
}

function readLine(state: State, line: string, at: number): void {
  if (state.bailed) return;
  const content = line.trimStart();
  const indent = line.length - content.length;
  if (state.yaml !== undefined) {
    readYaml(state, indent, content, at);
    return;
  }
  if (content === '') return;
  if (content === '---' && state.afterPoint && indent === current(state).indent + YAML_INDENT) {
    state.yaml = indent;
    return;
  }
  if (content.startsWith('TAP version ')) readVersion(content, at);
  else if (/^Bail out!/i.test(content)) state.bailed = true;
  else if (content.startsWith('#')) readComment(state, indent, content);
  else readAtLevel(state, enterLevel(state, indent, at), content, at);
}

function readVersion(content: string, at: number): void {
  if (!/^TAP version 1[34]$/.test(content.trimEnd())) refuse(at, 'TAP version 13 or 14', content);
}

/** Nothing in a block counts, whatever it looks like; it ends where it says so, at its own indent. */
function readYaml(state: State, indent: number, content: string, at: number): void {
  if (content === '') return;
  if (indent < (state.yaml ?? 0)) refuse(at, 'the end of the YAML block', content);
  if (content.trimEnd() === '...' && indent === state.yaml) {
    state.yaml = undefined;
    state.afterPoint = false;
  }
}

/** Comments count for nothing, but the name of a subtest. Test::More writes it at the level above, others inside. */
function readComment(state: State, indent: number, content: string): void {
  const name = /^# Subtest(?:: (.*))?$/.exec(content)?.[1];
  const level = state.levels.find((each) => each.indent === indent);
  if (name !== undefined && level !== undefined) level.next = name.slice(0, MAX_NAME);
}

/** The level of a line: this one, a new subtest in it, or one that its subtest has ended in. */
function enterLevel(state: State, indent: number, at: number): Level {
  const now = current(state);
  if (indent === now.indent + SUBTEST_INDENT) {
    if (state.levels.length >= MAX_DEPTH) refuse(at, `at most ${MAX_DEPTH} nested subtests`, 'more');
    if (now.child !== undefined) refuse(at, 'a test point that sums up the subtest', 'another subtest');
    const inner = levelAt(indent, [...now.suites, now.next ?? '']);
    state.levels.push(inner);
    return inner;
  }
  while (current(state).indent > indent) leaveLevel(state);
  if (current(state).indent !== indent) refuse(at, `a line indented by ${current(state).indent}`, `one by ${indent}`);
  return current(state);
}

function leaveLevel(state: State): void {
  const done = current(state);
  expectPlanned(done);
  state.levels.pop();
  current(state).child = { points: done.ids.size, failed: done.failed };
}

function readAtLevel(state: State, level: Level, content: string, at: number): void {
  const point = /^(not )?ok\b(?: +(\d+))?(.*)$/.exec(content);
  if (point !== null) {
    readPoint(state, level, { isOk: point[1] === undefined, number: point[2], rest: point[3] ?? '' }, at);
    return;
  }
  state.afterPoint = false;
  const plan = /^1\.\.(\d{1,9})(?:\s*#.*)?$/.exec(content.trimEnd());
  if (plan !== null) {
    if (level.plan !== undefined) refuse(at, 'one plan', content);
    level.plan = Number(plan[1]);
    level.isOver = level.ids.size > 0;
  } else if (!/^pragma\s/.test(content)) refuse(at, 'a line of TAP', content);
}

interface Point {
  readonly isOk: boolean;
  readonly number: string | undefined;
  readonly rest: string;
}

function readPoint(state: State, level: Level, { isOk, number, rest }: Point, at: number): void {
  const id = number === undefined ? level.ids.size + 1 : Number(number);
  if (level.isOver) refuse(at, 'the plan after all test points', `point ${id}`);
  if (level.ids.has(id)) refuse(at, 'each number once', `${id} again`);
  if (state.cases.length >= MAX_CASES) refuse(at, `at most ${MAX_CASES} cases`, 'more');
  level.ids.add(id);
  state.afterPoint = true;
  const { name, directive } = describe(rest);
  const hasFailed = !isOk && directive !== 'todo';
  if (hasFailed) level.failed += 1;
  const { child } = level;
  level.child = undefined;
  level.next = undefined;
  if (child !== undefined) {
    // a suite that failed for itself: in a hook, or by its number of cases
    if (hasFailed && child.failed === 0) state.suiteErrors += 1;
    return;
  }
  const outcome = hasFailed ? 'failed' : directive === undefined ? 'passed' : 'skipped';
  state.cases.push({ suites: level.suites, className: '', name, outcome });
}

/** Name and directive of a test point: `- name # SKIP why`. A hash behind a backslash is part of the name; a longer word than TODO is none: it would hide a failure. */
function describe(rest: string): { readonly name: string; readonly directive: 'skip' | 'todo' | undefined } {
  const text = rest.trim();
  const found = /(?:^|\s)#\s*(skip|todo(?=[\s:]|$))/i.exec(text);
  const word = found?.[1]?.toLowerCase();
  const name = (found === null ? text : text.slice(0, found.index)).trim().replace(/^-\s+/, '');
  return { name: name.replace(/\\([\\#])/g, '$1').slice(0, MAX_NAME), directive: word === 'skip' || word === 'todo' ? word : undefined };
}

function finish(state: State): void {
  if (state.yaml !== undefined) throw new Unreadable('expected the end of the YAML block, got the end of the file');
  while (state.levels.length > 1) leaveLevel(state);
  const [root] = state.levels;
  expectPlanned(root);
  if (root.child !== undefined) throw new Unreadable('expected a test point that sums up the last subtest, got the end of the file');
}

function expectPlanned({ plan, ids }: Level): void {
  if (plan === undefined) throw new Unreadable('expected a plan, got none');
  if (ids.size !== plan || [...ids].some((id) => id < 1 || id > plan))
    throw new Unreadable(`expected test points 1 to ${plan}, got ${ids.size}`);
}

/** node --test reports a file without any test as one passing test, named by the file's path. */
function isFile({ suites, name }: TestCase): boolean {
  return suites.length === 0 && /^(?:\/|[A-Za-z]:[\\/]).*\.[cm]?[jt]sx?$/.test(name);
}

function current({ levels }: State): Level {
  return levels.at(-1) ?? levels[0];
}

function refuse(at: number, expected: string, got: string): never {
  throw new Unreadable(`line ${at}: expected ${expected}, got ${got.slice(0, 80)}`);
}
