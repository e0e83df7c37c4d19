/** Routes that ask the gates, and the one that promotes. */
import { z } from 'zod';
import { command as explainCommand } from '../../commands/explain.js';
import { command as planCommand } from '../../commands/plan.js';
import { outcomeResult } from '../../decision/outcome-result.js';
import { explanationShape, outcomeShape, planShape } from '../answers.js';
import { route } from '../route.js';
import { releaseParam } from './release.js';

const question = z.strictObject({
  to: z.string().min(1).max(64).describe('the stage to go to'),
  group: z.string().min(1).max(64).exactOptional().describe('one group of the stage only (default: all)'),
});

export const DECISION_ROUTES = [
  route({
    id: 'plan',
    method: 'GET',
    path: '/api/v1/releases/{release}/plan',
    summary: 'say what promote would say, what is missing, and the earliest time it could pass',
    params: releaseParam,
    query: question,
    answer: planShape,
    run: ({ params, query }, { command }) => command(planCommand, [params.release], query),
  }),
  route({
    id: 'explain',
    method: 'GET',
    path: '/api/v1/releases/{release}/explanation',
    summary: 'show the digests that an approval would name, with every gate recomputed',
    params: releaseParam,
    query: question,
    answer: explanationShape,
    run: ({ params, query }, { command }) => command(explainCommand, [params.release], query),
  }),
  route({
    id: 'promote',
    method: 'POST',
    path: '/api/v1/releases/{release}/promotions',
    summary: 'move a release into a stage when every gate holds, and say why when not; asked again, it goes on where it stopped',
    params: releaseParam,
    json: question,
    answer: outcomeShape,
    urgency: 'normal',
    run: async ({ params: { release }, json: { to, group } }, { promote, expectStage }) => {
      expectStage(to);
      return outcomeResult(await promote({ release, stage: to, group }));
    },
  }),
];
