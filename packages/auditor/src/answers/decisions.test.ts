/** Decisions by the groups of sites that they are for: after a refusal stands the pass that answers it, and each answer says for whom a decision was. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TIMES } from '../../../trust/src/testing/statement-lane.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { decisions } from './decisions.js';
import { population } from './population.js';
import { traceRelease } from './trace.js';

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

it('are told with their groups in the trace of a release and in a population: what was refused for the last may run in the first', async () => {
  lane.decide('prod', 'edge-preprod', { rollout: ['first'], counter: 1 });
  lane.decide('prod', 'edge-preprod', { rollout: ['rest', 'last'], counter: null, fields: { result: 'FAILED' } });
  lane.seal(TIMES.decided);
  const context = await lane.open();
  const told = [
    { stage: 'prod', result: 'PASSED', rollout: ['first'] },
    { stage: 'prod', result: 'FAILED', rollout: ['rest', 'last'] },
  ];
  expect((await population(context, { stage: 'prod' })).answer.decisions).toMatchObject(told);
  const { answer } = await traceRelease(context, lane.release);
  expect(answer.decisions.filter(({ stage }) => stage === 'prod')).toMatchObject(told);
});
