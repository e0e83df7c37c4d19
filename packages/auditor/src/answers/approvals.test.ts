/** Who had two parts in a release: a person who approves what she tested had, one who bars it has not. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TIMES } from '../../../trust/src/testing/statement-lane.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { approvals } from './approvals.js';

let lane: LedgerLane;

beforeEach(() => {
  lane = new LedgerLane(({ signers }, { alice }) => ({ signers: { ...signers, tests: [...signers.tests, alice.keyId] } }));
  lane.evidence();
  lane.tests({ signer: lane.people.alice });
  lane.seal(TIMES.evidence);
});

afterEach(async () => {
  await lane.close();
});

it.each([
  ['approve', [{ who: 'alice', parts: ['tester', 'approver'] }]],
  ['reject', []],
] as const)('where the tester signs %s', async (verdict, conflicts) => {
  lane.approve('alice', { verdict });
  lane.approve('bob');
  lane.seal(TIMES.decided);
  const { answer } = await approvals(await lane.open(), lane.release);
  expect(answer.approvals.map(({ person }) => person)).toEqual(['alice', 'bob']);
  expect(answer.conflicts).toEqual(conflicts);
});
