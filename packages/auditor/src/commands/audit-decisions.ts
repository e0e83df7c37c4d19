/** `sealane audit decisions`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { decisions, type Decisions } from '../answers/decisions.js';
import { answerQuestion, argument, ASKED, given, STAGE } from './question.js';

export const auditDecisions: CommandSpec = {
  name: 'audit decisions',
  summary: 'which policy decided about a release and by which checks; after a refusal, what changed until it passed',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [STAGE, ...ASKED],
  example: 'sealane audit decisions readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => decisions(context, argument(call, 0), given(call, 'stage'), asked), lines);
}

function lines({ name, version, decisions: all }: Decisions): readonly string[] {
  return [
    `${name}@${version}`,
    ...all.flatMap(({ stage, result, at, rollout, policy, replay, checks, then }) => [
      `  ${at}  ${stage}: ${result} under policy ${policy}; make it again: ${replay}`,
      ...checks.filter(({ verdict }) => verdict !== 'pass').map(({ id, verdict, actual }) => `    ${id} ${verdict}: ${actual}`),
      ...(then === null ? [] : [passedText(then, rollout)]),
    ]),
  ];
}

/** Groups are named where some of those that were refused have not passed by it. */
function passedText({ at, groups, between }: NonNullable<Decisions['decisions'][number]['then']>, refused: readonly string[]): string {
  const some = groups.length < refused.length ? ` for ${groups.join(', ')} of ${refused.join(', ')}` : '';
  return `    passed ${at}${some}, after: ${between.map(({ predicateType }) => predicateType).join(', ')}`;
}
