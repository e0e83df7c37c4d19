/** `sealane audit coverage`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { coverage, type Coverage } from '../answers/coverage.js';
import { answerQuestion, argument, ASKED, given } from './question.js';

export const auditCoverage: CommandSpec = {
  name: 'audit coverage',
  summary: 'which hardware at the sites is covered by which passing tests of a release, on which units, and which is not',
  arguments: [{ name: '[release]', description: 'sha256:… or NAME@VERSION (default: what the stage let in last)' }],
  options: [
    { flags: '--stage <name>', description: 'the stage whose sites are asked about (default: the last)' },
    { flags: '--site <name>', description: 'one site only' },
    ...ASKED,
  ],
  example: 'sealane audit coverage readings@1.0.0 --stage prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const where = { stage: given(call, 'stage'), site: given(call, 'site') };
  return await answerQuestion(call, (context, asked) => coverage(context, argument(call, 0) || undefined, where, asked), lines);
}

function lines({ name, version, stage, classes, covered, uncovered, unknown, problems }: Coverage): readonly string[] {
  const sites = covered.length + uncovered.length + unknown.length;
  return [
    `${name}@${version} in ${stage}: ${covered.length} of ${counted(sites, 'site')} covered`,
    ...classes.map(({ role, label, units, sites: at, why }) =>
      units.length > 0
        ? `  ${role}: ${label}: ${counted(units.length, 'unit')}, at ${counted(at.length, 'site')}`
        : `  ${role}: ${label}: not covered, at ${at.join(', ')}${why === '' ? '' : ` (${why})`}`,
    ),
    ...uncovered.map(({ site, why }) => `  uncovered: ${site}${why === '' ? '' : `: ${why}`}`),
    ...unknown.map(({ site, why }) => `  not known: ${site}: ${why}`),
    ...problems.map((why) => `  does not count: ${why}`),
  ];
}
