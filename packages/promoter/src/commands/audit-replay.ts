/** `sealane audit replay`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { answerQuestion, argument, ASKED } from '@sealane/auditor';
import { homeOf } from '../promoter.js';
import { type ReplayAnswer, replayAnswer } from '../questions/replay-answer.js';
import { readLaneTrust } from '../trust/lane-trust.js';
import { replayLines } from './replay.js';

export const command: CommandSpec = {
  name: 'audit replay',
  summary: 'make a past decision again by the policy of then, with proofs of what it rests on',
  arguments: [{ name: 'decision', description: 'sha256:… of the decision’s statement, or its log index' }],
  options: ASKED,
  example: 'sealane audit decisions readings@1.0.0 --home my-lane\nsealane audit replay 4 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const home = homeOf(call);
  const place = { home, lane: readLaneTrust(home) };
  return await answerQuestion(call, (context, asked) => replayAnswer(context, place, argument(call, 0), asked), lines);
}

function lines(answer: ReplayAnswer): readonly string[] {
  const { policyIs, leftOut, notSeen } = answer;
  return [
    ...replayLines(answer),
    `the policy of then is ${policyIs} in this copy`,
    ...leftOut.map(({ statement, why }) => `  counted for nothing: ${statement}: ${why}`),
    ...notSeen.map((what) => `  not seen: ${what}`),
  ];
}
