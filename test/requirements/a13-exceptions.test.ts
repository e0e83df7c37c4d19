/** A13: a waiver is signed by people whom policy names, for one gate, release and stage; it expires, is counted, taints, and waits for a review. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { runJson } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let release: string;
let granted: string;

/** Two days of soak before prod, which alice alone may let through. */
function withSoak(text: string): string {
  return text
    .replace('people: [alice, bob], need: 1', 'people: [alice], need: 1')
    .replace(/( +)- use: approvals/, '$1- use: soak\n$1  with: { hours: 48 }\n$1- use: approvals');
}

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a13-'));
  lane = await makeLane(dir, { pipeline: withSoak });
  release = await lane.release('1.0.0');
  await lane.promote(release, 'edge-preprod');
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', release, '--to', 'prod', '--key', person]);
  site = await enrolSite(lane, path.join(dir, 'site'));
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const create = (gate: string, key: string, ...more: readonly string[]): readonly string[] => [
  'exception',
  'create',
  '--release',
  release,
  '--to',
  'prod',
  '--gate',
  gate,
  '--key',
  key,
  '--reason',
  'fixes an outage',
  ...more,
];

interface Check {
  readonly id: string;
  readonly verdict: string;
  readonly actual: string;
  readonly evidence: readonly string[];
}

const find = (checks: readonly Check[], id: string): Check | undefined => checks.find((check) => check.id === id);

it('A13 only whom policy names may waive, no gate of people, and not for longer or oftener than it allows', async () => {
  await lane.sealane(['plan', release, '--to', 'prod'], 5);
  for (const [words, code] of [
    [create('soak', 'bob'), 'EVIDENCE_SIGNER'],
    [create('soak', 'prod'), 'EVIDENCE_SIGNER'],
    [create('approvals', 'alice'), 'EXCEPTION_DENIED'],
    [create('soak', 'alice', '--days', '3'), 'EXCEPTION_DENIED'],
    [create('soak', 'alice', '--uses', '2'), 'EXCEPTION_DENIED'],
  ] as const)
    expect((await lane.sealane(words, 3)).error.code).toBe(code);
  expect((await lane.sealane(['exception', 'list'])).exceptions).toEqual([]);
});

it('A13 a waiver that was signed elsewhere and carried in lets the gate through once its approvers have seen it, and not after it expires', async () => {
  const file = path.join(dir, 'exception.json');
  const [written] = (await lane.sealane(create('soak', 'alice', '--days', '2', '--out', file))).statements;
  expect(written.logIndex).toBeNull();
  expect(find((await lane.sealane(['plan', release, '--to', 'prod'], 5)).checks, 'soak')?.verdict).toBe('pending');
  await lane.sealane(['statement', 'add', file]);
  granted = written.digest;
  const planned = await lane.sealane(['plan', release, '--to', 'prod'], 5);
  expect(find(planned.checks, 'soak')).toMatchObject({
    verdict: 'pass',
    actual: expect.stringMatching(/^let through by alice until .*: fixes an outage; without that: /),
  });
  expect(find(planned.checks, 'approvals')?.verdict).toBe('pending');
  const threeDays = await runJson('sealane', ['plan', release, '--to', 'prod', '--home', lane.home], clockAhead(3 * 86_400_000));
  expect(find(threeDays.json.checks, 'soak')?.actual).not.toMatch(/let through/);
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', release, '--to', 'prod', '--key', person]);
  const passed = await lane.sealane(['promote', release, '--to', 'prod']);
  expect(find(passed.checks, 'soak')?.evidence).toContain(granted);
});

it('A13 a site checks the waiver again; the decision that rests on it replays', async () => {
  const installed = await site.must(['update']);
  expect(installed).toMatchObject({ outcome: 'installed', release });
  expect(find(installed.checks, 'soak')).toMatchObject({ verdict: 'pass', actual: expect.stringMatching(/^let through by alice/) });
  const { decisions } = (await lane.sealane(['audit', 'trace', release])).answer;
  const { statement } = decisions.find(({ stage }: { stage: string }) => stage === 'prod');
  expect(await lane.sealane(['replay', statement])).toMatchObject({ sameVerdict: true });
});

it('A13 the use of a waiver is an open debt until somebody else has reviewed it', async () => {
  expect((await lane.sealane(['exception', 'list', '--open'])).exceptions).toMatchObject([
    { statements: [granted], gate: 'soak', stage: 'prod', release, grantedBy: ['alice'], usedBy: [expect.any(String)], state: 'open' },
  ]);
  const review = (key: string): readonly string[] => ['exception', 'review', granted, '--key', key, '--reason', 'the outage was real'];
  expect((await lane.sealane(review('alice'), 3)).error.code).toBe('EVIDENCE_SIGNER');
  await lane.sealane(review('bob'));
  expect((await lane.sealane(['exception', 'list', '--open'])).exceptions).toEqual([]);
  expect((await lane.sealane(['exception', 'list'])).exceptions).toMatchObject([{ state: 'reviewed', reviewedBy: ['bob'] }]);
});

it('A13 another release is not let through by it', async () => {
  const other = await lane.release('1.1.0');
  await lane.promote(other, 'edge-preprod');
  expect(find((await lane.sealane(['plan', other, '--to', 'prod'], 5)).checks, 'soak')?.verdict).toBe('pending');
});
