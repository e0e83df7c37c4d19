/** T4: who has one approver's laptop has one vote, however often he casts it; and the other approver sees on his own machine which digest he is asked for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { runJson } from '../support/run.js';

let dir: string;
let lane: TestLane;
/** What bob means to approve, and what the thief would like to see in prod. */
let wanted: string;
let evil: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-approver-'));
  lane = await makeLane(dir);
  wanted = await lane.release('1.0.0');
  evil = await lane.release('1.0.0-1', { 'srv/more': 'not what was asked for' });
  for (const release of [wanted, evil]) await lane.promote(release, 'edge-preprod');
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const approve = (release: string): Promise<unknown> => lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice']);

it('one laptop is one vote, twice cast too', async () => {
  for (let again = 0; again < 2; again += 1) await approve(evil);
  const { checks } = await lane.sealane(['promote', evil, '--to', 'prod'], 5);
  expect(checks.find(({ id }: { id: string }) => id === 'approvals')).toMatchObject({
    verdict: 'pending',
    actual: expect.stringContaining('1 of 2'),
  });
});

it('the other approver is shown the digest, and his approval of another release is none for this one', async () => {
  // verified on bob's machine: from the published lane alone, and a root that he was given
  const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
  const words = ['explain', evil, '--to', 'prod', '--person', 'bob', '--lane', lane.lane, '--root', root];
  const { exit, json } = await runJson('sealane', words, { cwd: dir });
  expect({ exit, release: json.release, decision: json.decision }).toEqual({ exit: 0, release: evil, decision: 'pending' });
  expect(json.release).not.toBe(wanted);
  await lane.sealane(['approve', wanted, '--to', 'prod', '--key', 'bob']);
  await lane.sealane(['promote', evil, '--to', 'prod'], 5);
});

it('a veto of the other approver ends it, whatever the laptop goes on to sign', async () => {
  await lane.sealane(['reject', evil, '--to', 'prod', '--reason', 'nobody built this', '--key', 'bob']);
  await approve(evil);
  await lane.sealane(['promote', evil, '--to', 'prod'], 3);
  // and what he did mean goes on, once alice says so herself
  await approve(wanted);
  await lane.sealane(['promote', wanted, '--to', 'prod']);
});
