/** After a refusal stands the pass that answers it: one for other groups of sites does not. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TIMES } from '../../../trust/src/testing/statement-lane.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { decisions } from './decisions.js';

let lane: LedgerLane;

beforeEach(() => {
  lane = new LedgerLane();
  lane.evidence();
  lane.earlierStages();
});

afterEach(async () => {
  await lane.close();
});

it('is the next one for any of the groups that were refused', async () => {
  const refuse = (...rollout: readonly string[]): string =>
    lane.decide('prod', 'edge-preprod', { rollout, counter: null, fields: { result: 'FAILED' } });
  const pass = (counter: number, ...rollout: readonly string[]): string => lane.decide('prod', 'edge-preprod', { rollout, counter });
  const [all, rest] = [refuse('first', 'rest'), refuse('rest')];
  const first = pass(1, 'first');
  const nobody = refuse('last');
  const both = pass(2, 'rest', 'first');
  lane.seal(TIMES.decided);
  const { answer } = await decisions(await lane.open(), lane.release, 'prod');
  const then = new Map(answer.decisions.map((decision) => [decision.statement as string, decision.then]));
  expect(then.get(all)).toMatchObject({ statement: first, groups: ['first'] });
  expect(then.get(rest)).toMatchObject({ statement: both, groups: ['rest'], between: [{ statement: first }, { statement: nobody }] });
  expect(then.get(nobody)).toBeNull();
});
