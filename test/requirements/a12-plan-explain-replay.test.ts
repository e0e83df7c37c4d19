/** A12: a plan says what promote will say, what is missing, who could supply it and when; any decision replays from the ledger alone. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, runJson } from '../support/run.js';

let dir: string;
let lane: TestLane;
let first: string;
let refused: string;

const HOUR_MS = 3_600_000;
const FIVE_YEARS_MS = 5 * 365 * 24 * HOUR_MS;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a12-'));
  lane = await makeLane(dir, { pipeline: withArchive });
  refused = await lane.release('0.9.0');
  await lane.sealane(['promote', refused, '--to', 'dev'], 3);
  first = await lane.release('1.0.0');
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A fourth stage, two days behind prod. */
function withArchive(text: string): string {
  const stage = '  - name: archive\n    key: dev\n    from: [prod]\n    gates:\n      - use: soak\n        with: { hours: 48 }\n';
  return text.replace(/\n(?=groups:|people:)/, `\n${stage}`);
}

interface Check {
  readonly id: string;
  readonly verdict: string;
  readonly code?: string;
  readonly actual: string;
}

const short = (checks: readonly Check[]): readonly string[] => checks.map(({ id, verdict, code }) => `${id} ${verdict} ${code ?? ''}`);

/** What plan predicts and promote then says, which must be the same. */
async function planAndPromote(release: string, stage: string, exit: number): Promise<{ plan: Answer['json']; promote: Answer['json'] }> {
  const plan = await lane.sealane(['plan', release, '--to', stage], exit);
  const promote = await lane.sealane(['promote', release, '--to', stage], exit);
  expect(promote.decision).toBe(plan.decision);
  expect(short(promote.checks)).toEqual(short(plan.checks));
  return { plan, promote };
}

const whoFor = (plan: Answer['json'], check: string): readonly string[] =>
  plan.missing
    .find((each: { check: string }) => each.check === check)
    ?.who.map(({ kind, name }: Record<string, string>) => `${kind} ${name}`);

it('A12 a plan predicts a refusal, and names who could supply what is missing', async () => {
  const { plan } = await planAndPromote(first, 'dev', 3);
  expect(plan.decision).toBe('refused');
  expect(whoFor(plan, 'provenance')).toEqual(['signer builder']);
  expect(whoFor(plan, 'tests')).toEqual(['signer lab']);
  await lane.evidence(first);
  expect((await planAndPromote(first, 'dev', 0)).plan.missing).toEqual([]);
  const early = (await planAndPromote(first, 'prod', 3)).plan;
  expect(whoFor(early, 'stage-order')).toEqual(['stage edge-preprod']);
});

it('A12 a plan predicts waiting, and names the people that it waits for', async () => {
  await lane.sealane(['promote', first, '--to', 'edge-preprod']);
  const waiting = await lane.sealane(['plan', first, '--to', 'prod'], 5);
  expect(waiting).toMatchObject({ decision: 'pending', statement: null, logIndex: null });
  expect(whoFor(waiting, 'approvals')).toEqual(['person alice', 'person bob']);
  await lane.sealane(['approve', first, '--to', 'prod', '--key', 'alice']);
  const one = await lane.sealane(['plan', first, '--to', 'prod'], 5);
  expect(whoFor(one, 'approvals')).toEqual(['person bob']);
  const explained = await lane.sealane(['explain', first, '--to', 'prod']);
  expect(short(explained.checks)).toEqual(short(one.checks));
  expect(explained.seen.length).toBeGreaterThan(0);
  await lane.sealane(['approve', first, '--to', 'prod', '--key', 'bob']);
  await planAndPromote(first, 'prod', 0);
});

it('A12 a plan names the earliest time at which it could pass: an hour before it still waits, an hour after it passes', async () => {
  const { plan } = await planAndPromote(first, 'archive', 5);
  expect(plan.missing).toMatchObject([{ check: 'soak', verdict: 'pending', who: [], earliest: plan.earliest }]);
  const aheadMs = Date.parse(plan.earliest) - Date.now();
  expect(aheadMs).toBeGreaterThan(47 * HOUR_MS);
  const planned = async (ms: number): Promise<string> =>
    (await runJson('sealane', ['plan', first, '--to', 'archive', '--home', lane.home], clockAhead(ms))).json.decision;
  expect([await planned(aheadMs - HOUR_MS), await planned(aheadMs + HOUR_MS)]).toEqual(['pending', 'passed']);
});

it('A12 the same refusal is logged once, another one again', async () => {
  const refusals = async (): Promise<number> =>
    (await lane.sealane(['audit', 'trace', refused])).answer.decisions.filter(({ result }: { result: string }) => result === 'FAILED')
      .length;
  const [once, again] = [
    await lane.sealane(['promote', refused, '--to', 'dev'], 3),
    await lane.sealane(['promote', refused, '--to', 'dev'], 3),
  ];
  expect([again.statement, again.logIndex]).toEqual([once.statement, once.logIndex]);
  expect(await refusals()).toBe(1);
  await lane.sealane(['evidence', 'add', refused, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder']);
  expect((await lane.sealane(['promote', refused, '--to', 'dev'], 3)).statement).not.toBe(once.statement);
  expect(await refusals()).toBe(2);
});

/** A copy of ledger and lane on another machine: no pipeline, no keys. */
function copyOfLane(name: string): string {
  const copy = path.join(dir, name);
  for (const folder of ['ledger', 'lane']) cpSync(path.join(lane.home, folder), path.join(copy, folder), { recursive: true });
  return copy;
}

const replay = (copy: string, decision: string): Promise<Answer> =>
  runJson('sealane', ['replay', decision, '--home', copy], { ...clockAhead(FIVE_YEARS_MS), cwd: '/' });

it('A12 every decision replays to its verdict on a machine that has neither keys nor pipeline, five years on, whatever was logged since', async () => {
  await lane.sealane(['revoke', first, '--reason', 'fails in the field']);
  await lane.sealane(['freeze', 'prod', '--reason', 'year-end']);
  expect((await lane.sealane(['promote', first, '--to', 'prod'], 3)).decision).toBe('refused');
  const copy = copyOfLane('elsewhere');
  const decisions: readonly { statement: string; result: string }[] = [
    ...(await lane.sealane(['audit', 'trace', first])).answer.decisions,
    ...(await lane.sealane(['audit', 'trace', refused])).answer.decisions,
  ];
  expect(decisions.map(({ result }) => result).sort()).toEqual([
    'FAILED',
    'FAILED',
    'FAILED',
    'FAILED',
    'FAILED',
    'PASSED',
    'PASSED',
    'PASSED',
  ]);
  for (const { statement, result } of decisions) {
    const answer = await replay(copy, statement);
    expect(answer.exit, answer.stdout + answer.stderr).toBe(0);
    expect(answer.json).toMatchObject({ decision: statement, recorded: result, replayed: result, sameVerdict: true });
    expect(answer.json.version).toEqual({ recorded: '0.1.0', replayed: '0.1.0' });
    expect(answer.json.judgedAt.replayed).toEqual(answer.json.judgedAt.recorded);
    expect(answer.json.checks.flatMap(({ differences }: { differences: unknown[] }) => differences)).toEqual([]);
  }
});

it('A12 a decision that comes out otherwise is shown check by check (4): its report was lost', async () => {
  const copy = copyOfLane('tampered');
  const { decisions } = (await lane.sealane(['audit', 'trace', first])).answer;
  const passed = decisions.find(({ stage, result }: Record<string, string>) => stage === 'edge-preprod' && result === 'PASSED');
  const blobs = path.join(copy, 'lane', 'content', 'blobs', 'sha256');
  const junit = readdirSync(blobs).find((name) => isReport(path.join(blobs, name)));
  rmSync(path.join(blobs, junit ?? ''));
  const answer = await replay(copy, passed.statement);
  expect(answer.exit).toBe(4);
  expect(answer.json).toMatchObject({ recorded: 'PASSED', replayed: 'FAILED', sameVerdict: false });
  const differing = answer.json.checks.filter(({ differences }: { differences: unknown[] }) => differences.length > 0);
  expect(differing.map(({ id }: { id: string }) => id)).toContain('tests');
  expect(differing.find(({ id }: { id: string }) => id === 'tests').differences).toContainEqual({
    field: 'code',
    recorded: '',
    replayed: 'CONTENT_MISSING',
  });
  expect(differing.map(({ id }: { id: string }) => id)).not.toContain('provenance');
  // the auditor's answer has the same checks, and names what it could not read
  const audited = await runJson('sealane', ['audit', 'replay', passed.statement, '--home', copy], {
    ...clockAhead(FIVE_YEARS_MS),
    cwd: '/',
  });
  expect(audited.exit).toBe(4);
  expect(audited.json).toMatchObject({ complete: false, answer: { ...answer.json, checks: answer.json.checks } });
  const { doubts } = audited.json.answer;
  expect(doubts).toContainEqual(expect.objectContaining({ statement: passed.statement, code: 'CONTENT_MISSING' }));
  expect(doubts).toContainEqual(expect.objectContaining({ code: 'CONTENT_MISSING', message: expect.stringContaining(`sha256:${junit}`) }));
});

function isReport(file: string): boolean {
  return statSync(file).size < 10_000 && readFileSync(file, 'utf8').startsWith('<testsuites');
}

it('A12 what is no decision, or is not there, is not replayed', async () => {
  const copy = copyOfLane('other');
  for (const none of ['0', '99999', `sha256:${'0'.repeat(64)}`]) {
    const answer = await replay(copy, none);
    expect([answer.exit, answer.json.error.code]).toEqual([2, 'STATEMENT_UNKNOWN']);
  }
});
