/** `sealane audit population`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { population, type Population } from '../answers/population.js';
import { answerQuestion, ASKED, given, STAGE } from './question.js';

export const auditPopulation: CommandSpec = {
  name: 'audit population',
  summary: 'every decision, release and site of a period, with the proof that none was left out',
  options: [
    STAGE,
    { flags: '--from <time>', description: 'the first moment of the period (default: the beginning)' },
    { flags: '--to <time>', description: 'its last moment (default: none)' },
    ...ASKED,
  ],
  example: 'sealane audit population --stage prod --from 2026-01-01T00:00:00Z --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const question = { stage: given(call, 'stage'), from: given(call, 'from'), to: given(call, 'to') };
  return await answerQuestion(call, (context, asked) => population(context, question, asked), lines);
}

function lines({ decisions, releases, sites, scanned }: Population): readonly string[] {
  return [
    `${counted(decisions.length, 'decision')}, ${counted(releases.length, 'release')}, ${counted(sites.length, 'site')}`,
    ...decisions.map(({ at, stage, result, release, logIndex }) => `  ${at}  ${stage}  ${result}  ${release}  entry ${logIndex}`),
    ...releases.map(({ at, name, version, logIndex }) => `  ${at}  ${name}@${version}  entry ${logIndex}`),
    ...sites.map(({ at, site, stage, logIndex }) => `  ${at}  ${site} in ${stage}  entry ${logIndex}`),
    `all ${scanned.entries} entries were read; their root is that of the checkpoint: ${scanned.root}`,
  ];
}
