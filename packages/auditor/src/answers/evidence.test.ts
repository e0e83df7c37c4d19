/** What ends: approvals do, and a veto does not, whatever it says of itself. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TIMES } from '../../../trust/src/testing/statement-lane.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { evidenceState } from './evidence.js';

let lane: LedgerLane;

beforeEach(() => {
  lane = new LedgerLane();
  lane.evidence();
  lane.seal(TIMES.evidence);
});

afterEach(async () => {
  await lane.close();
});

it('is an approval, and no veto', async () => {
  const approval = lane.approve('alice');
  lane.approve('bob', { verdict: 'reject', reason: 'too hot' });
  lane.seal(TIMES.decided);
  const { answer } = await evidenceState(await lane.open(), lane.release, 90);
  expect(answer.expiring).toMatchObject([{ what: 'approval for prod', statement: approval }]);
  expect(answer.expired).toEqual([]);
});
