/** Row A9: approvals expire, and by nobody's clock but the witnesses': not the promoter's before the decision, not a site's after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { logVkeys } from '../support/log-key.js';
import { type Answer, runJson, type Server, startServer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const TWO_DAYS_MS = 2 * 24 * 60 * 60 * 1000;

let dir: string;
let lane: TestLane;
let site: TestSite;
let witness: Server;
let first: string;
let second: string;

/** Both releases are in edge-preprod and approved: by alice for a day, by bob for a month. */
beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a9-'));
  lane = await makeLane(dir);
  ({ witness } = lane);
  site = await enrolSite(lane, path.join(dir, 'site'));
  first = await lane.release('1.0.0');
  second = await lane.release('1.1.0');
  for (const release of [first, second]) {
    await lane.promote(release, 'edge-preprod');
    await lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice', '--days', '1']);
    await lane.sealane(['approve', release, '--to', 'prod', '--key', 'bob']);
  }
});

afterAll(async () => {
  await site.stop();
  await witness.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const approvals = ({ json }: Answer): unknown => json.checks.find(({ id }: { id: string }) => id === 'approvals');
const promote = (release: string, aheadMs = 0): Promise<Answer> =>
  runJson('sealane', ['promote', release, '--to', 'prod', '--home', lane.home], clockAhead(aheadMs));

test('A9 an approval holds for as long as witnesses say, whatever the clock of the promoter says', async () => {
  const planned = await runJson('sealane', ['plan', first, '--to', 'prod', '--home', lane.home], clockAhead(TWO_DAYS_MS));
  expect(approvals(planned)).toMatchObject({ verdict: 'pending' });
  const { exit, json } = await promote(first, TWO_DAYS_MS);
  expect({ exit, decision: json.decision }).toEqual({ exit: 0, decision: 'passed' });
});

test('A9 a decision that was witnessed in time stands at a site, days after its approvals have expired', async () => {
  const { exit, json, stderr } = await site.run(['update'], clockAhead(TWO_DAYS_MS));
  expect({ exit, outcome: json?.outcome }, stderr).toEqual({ exit: 0, outcome: 'installed' });
});

test('A9 an approval that has expired when witnesses see it counts no more, until its person approves again', async () => {
  await witness.stop();
  const words = [
    '--state',
    path.join(dir, 'witness'),
    '--listen',
    new URL(witness.url).host,
    ...logVkeys(lane).flatMap((key) => ['--log', key]),
  ];
  witness = await startServer('sealane', ['witness', 'serve', ...words], clockAhead(TWO_DAYS_MS));
  // something to see: a checkpoint that was cosigned before keeps its time
  await lane.release('1.2.0');
  const refused = await promote(second);
  expect(refused.exit).toBe(5);
  expect(approvals(refused)).toMatchObject({ verdict: 'pending', actual: expect.stringContaining('bob') as string });
  await lane.sealane(['approve', second, '--to', 'prod', '--key', 'alice']);
  expect((await promote(second)).json).toMatchObject({ decision: 'passed' });
});
