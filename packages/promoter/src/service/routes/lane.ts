/** Routes about what is published: channels, and proofs out of the log. */
import { z } from 'zod';
import { command as channelCommand } from '../../commands/channel-show.js';
import { command as proveCommand } from '../../commands/log-prove.js';
import { channelShape, proofShape } from '../answers.js';
import { route } from '../route.js';

export const LANE_ROUTES = [
  route({
    id: 'channel.show',
    method: 'GET',
    path: '/api/v1/channels/{stage}',
    summary: 'show what a stage runs, group by group, and what is held, fenced, drained, revoked',
    params: z.strictObject({ stage: z.string().min(1).max(64) }),
    answer: channelShape,
    run: ({ params }, { command }) => command(channelCommand, [params.stage], {}),
  }),
  route({
    id: 'log.prove',
    method: 'GET',
    path: '/api/v1/log/{statement}',
    summary: 'give a statement as a Sigstore bundle with its proof under the latest cosigned checkpoint',
    params: z.strictObject({ statement: z.string().min(1).max(80).describe('sha256:… of the statement, or its log index') }),
    answer: proofShape,
    run: ({ params }, { command }) => command(proveCommand, [params.statement], {}),
  }),
];
