/**
 * A18, and questions 8 and 24 of auditors: what a change of policy would let through and refuse, beside a naive oracle. Random evidence, late and contradicting, random
 * decisions and random policies; then the owners sign, and what the proposal foretold is so. Afterwards an auditor's copy is asked the same of each of these days, and
 * for each decision again.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Random, seeded } from '../reliability/disk-states.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, expectJson } from '../support/run.js';

const RELEASES = 5;
const ROUNDS = 4;

/** One run of the only suite: how many cases ended so. */
interface Run {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The gates of stage dev. */
interface DevPolicy {
  readonly provenance: boolean;
  readonly minPassed: number;
  readonly maxSkipped: number | undefined;
}

/** What is known of a release. */
interface Known {
  readonly digest: string;
  built: boolean;
  readonly runs: Run[];
  /** The result of the last decision on it. */
  decided: 'PASSED' | 'FAILED' | undefined;
}

/** What all histories foretold, and what of it differs from what is so at their ends: without it nothing was tried. */
const foretold = { letIn: 0, refused: 0, decided: 0 };

/** A proposal as it was asked about: its file, the time, and what the oracle said. */
interface AskedThen {
  readonly file: string;
  readonly at: string;
  readonly effects: Effects;
}

/** Digests of releases, sorted. */
interface Effects {
  readonly letsIn: readonly string[];
  readonly refuses: readonly string[];
}

let dir: string;
let lane: TestLane;

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a18-random-'));
  lane = await makeLane(dir);
});

afterEach(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The oracle: of a suite the last run counts. */
function passes({ provenance, minPassed, maxSkipped = Infinity }: DevPolicy, built: boolean, last: Run | undefined): boolean {
  if (provenance && !built) return false;
  return last?.failed === 0 && last.passed >= minPassed && last.skipped <= maxSkipped;
}

const passesNow = (policy: DevPolicy, { built, runs }: Known): boolean => passes(policy, built, runs.at(-1));

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** A strict one refuses much of what comes, a lenient one little: so each has something to let in, or to refuse. */
function randomPolicy(random: Random, isStrict: boolean): DevPolicy {
  const minPassed = (isStrict ? 3 : 1) + below(random, isStrict ? 3 : 2);
  const maxSkipped = random() < 0.5 ? undefined : below(random, isStrict ? 1 : 3);
  return { provenance: random() < (isStrict ? 0.7 : 0.3), minPassed, maxSkipped };
}

function writePolicy({ provenance, minPassed, maxSkipped }: DevPolicy): void {
  const file = path.join(lane.home, 'pipeline.yaml');
  const builder = "{ builder: 'https://ci.example/builder', source: 'https://git.example/readings' }";
  const gates = [
    ...(provenance ? [`{ use: provenance, with: ${builder} }`] : []),
    `{ use: tests, with: { minPassed: ${minPassed}${maxSkipped === undefined ? '' : `, maxSkipped: ${maxSkipped}`} } }`,
  ];
  const stage = `  - name: dev\n    gates: [${gates.join(', ')}]\n`;
  writeFileSync(file, readFileSync(file, 'utf8').replace(/ {2}- name: dev\n[^]*?(?= {2}- name: )/, stage));
}

/** Adds a report whose cases ended so, at random. */
async function addRun(random: Random, release: Known): Promise<void> {
  const run = { passed: 1 + below(random, 6), failed: random() < 0.1 ? 1 : 0, skipped: below(random, 3) };
  const inside = [
    ...Array<string>(run.passed).fill(''),
    ...Array<string>(run.failed).fill('<failure/>'),
    ...Array<string>(run.skipped).fill('<skipped/>'),
  ];
  const cases = inside.map((said, at) => `<testcase classname="readings" name="case ${at}">${said}</testcase>`);
  const file = path.join(dir, `run-${release.digest.slice(-8)}-${release.runs.length}.xml`);
  const counts = `tests="${cases.length}" failures="${run.failed}" skipped="${run.skipped}"`;
  // no two reports are the same bytes
  const properties = `<properties><property name="run" value="${release.runs.length}"/></properties>`;
  writeFileSync(file, `<testsuites><testsuite name="readings" ${counts}>${properties}${cases.join('')}</testsuite></testsuites>\n`);
  await lane.sealane(['evidence', 'add', release.digest, '--tests', file, '--key', 'lab']);
  release.runs.push(run);
}

async function addProvenance(release: Known): Promise<void> {
  await lane.sealane(['evidence', 'add', release.digest, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder']);
  release.built = true;
}

/** A release that stage dev offers, as it was known when it was decided. */
interface Live {
  readonly digest: string;
  readonly built: boolean;
  readonly last: Run | undefined;
}

/** More is said of what did not pass yet, and decided; returns the last that passed. */
async function decideAll(
  random: Random,
  policy: DevPolicy,
  { releases, decided }: { readonly releases: readonly Known[]; readonly decided: Map<string, string> },
): Promise<Live | undefined> {
  let live: Live | undefined;
  for (const release of releases.filter(({ decided }) => decided !== 'PASSED')) {
    if (release.runs.length === 0 || random() < 0.3) await addRun(random, release);
    if (!release.built && random() < 0.5) await addProvenance(release);
    const isIn = passesNow(policy, release);
    const { statement } = await lane.sealane(['promote', release.digest, '--to', 'dev'], isIn ? 0 : 3);
    release.decided = isIn ? 'PASSED' : 'FAILED';
    decided.set(statement, release.decided);
    if (isIn) live = { digest: release.digest, built: release.built, last: release.runs.at(-1) };
  }
  return live;
}

/** What the proposal of this policy foretells of stage dev. */
async function propose(policy: DevPolicy, isNew: boolean): Promise<Effects> {
  writePolicy(policy);
  return inDev((await lane.sealane(['trust', 'propose'], isNew ? 5 : 0)).effects);
}

function inDev({ letsIn, refuses }: Answer['json']): Effects {
  const releases = (list: readonly { stage: string; release: string }[]): readonly string[] =>
    list.flatMap(({ stage, release }) => (stage === 'dev' ? [release] : [])).sort();
  return { letsIn: releases(letsIn), refuses: releases(refuses) };
}

/** Asks the auditor of a proposal, and holds the answer to what each owes: nothing in doubt, every entry read, statements below the size of the checkpoint. */
async function audited(home: string, file: string, times: readonly string[] = []): Promise<Effects> {
  const { answer, statements, checkpoint, complete } = await expectJson('sealane', ['audit', 'policy', file, ...times, '--home', home]);
  const size = Number((checkpoint as string).split('\n')[1]);
  expect({ complete, doubts: answer.doubts, entries: answer.scanned.entries }).toEqual({ complete: true, doubts: [], entries: size });
  for (const { logIndex } of statements) expect(logIndex).toBeLessThan(size);
  return inDev(answer);
}

/** Ledger and lane alone: no keys, no pipeline, no proposals. */
function auditorsCopy(): string {
  const copy = path.join(dir, 'auditor');
  for (const folder of ['ledger', 'lane']) cpSync(path.join(lane.home, folder), path.join(copy, folder), { recursive: true });
  return copy;
}

/** A time after all that was seen before, and before all that comes. */
async function aSecondOfItsOwn(): Promise<string> {
  const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  return at;
}

async function signAndPublish(): Promise<void> {
  for (const key of ['targets-1', 'targets-2']) await lane.sealane(['trust', 'sign', path.join(lane.home, 'proposal.json'), '--key', key]);
  await lane.sealane(['trust', 'publish']);
}

const HISTORY =
  'A18 what a proposal foretells is what a naive oracle says, what is so once it is signed, and what an auditor reads later (random history %i)';

it.each([1, 2])(HISTORY, async (seed) => {
  const random = seeded(seed);
  // that of the quickstart
  let policy: DevPolicy = { provenance: true, minPassed: 5, maxSkipped: undefined };
  let live: Live | undefined;
  const releases: Known[] = [];
  const decided = new Map<string, string>();
  const asked: AskedThen[] = [];
  for (let n = 0; n < RELEASES; n += 1)
    releases.push({ digest: await lane.release(`1.${n}.0`), built: false, runs: [], decided: undefined });
  for (let round = 0; round < ROUNDS; round += 1) {
    live = (await decideAll(random, policy, { releases, decided })) ?? live;
    // said too late for what was decided, and in time for what is asked now
    for (const release of releases) if (random() < 0.5) await addRun(random, release);
    // witnesses see it: what they have not seen yet no auditor's answer rests on
    await lane.sealane(['publish']);
    const [before, after] = [policy, randomPolicy(random, round % 2 === 1)];
    const isNew = JSON.stringify(before) !== JSON.stringify(after);
    const said = await propose(after, isNew);
    const letIn = releases.filter((each) => each.decided === 'FAILED' && !passesNow(before, each) && passesNow(after, each));
    const refused = live === undefined || passes(after, live.built, live.last) ? [] : [live.digest];
    const effects = { letsIn: letIn.map(({ digest }) => digest).sort(), refuses: refused };
    expect(said).toEqual(effects);
    if (isNew) {
      const file = path.join(dir, `proposal-${round}.json`);
      cpSync(path.join(lane.home, 'proposal.json'), file);
      expect(await audited(lane.home, file)).toEqual(effects);
      asked.push({ file, at: await aSecondOfItsOwn(), effects });
    }
    foretold.letIn += letIn.length;
    foretold.refused += refused.length;
    if (isNew) await signAndPublish();
    policy = after;
    for (const release of releases) await lane.sealane(['plan', release.digest, '--to', 'dev'], passesNow(policy, release) ? 0 : 3);
  }
  const copy = auditorsCopy();
  for (const { file, at, effects } of asked)
    for (const time of ['--as-known', '--as-of'])
      expect({ time, ...(await audited(copy, file, [time, at])) }).toEqual({ time, ...effects });
  for (const [statement, result] of decided) {
    const { answer, complete } = await expectJson('sealane', ['audit', 'replay', statement, '--home', copy]);
    expect({ complete, ...answer }).toMatchObject({ complete: true, recorded: result, replayed: result, sameVerdict: true, doubts: [] });
  }
  foretold.decided += decided.size;
});

it('A18 the random histories had something to let in and to refuse', () => {
  expect(Math.min(foretold.letIn, foretold.refused)).toBeGreaterThan(1);
  expect(foretold.decided).toBeGreaterThan(10);
});
