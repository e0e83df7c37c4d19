/** `sealane audit cases`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { cases, type Cases } from '../answers/cases.js';
import { answerQuestion, argument, ASKED } from './question.js';

export const auditCases: CommandSpec = {
  name: 'audit cases',
  summary: 'which test cases of a release passed, failed, were skipped or were flaky, out of the raw reports',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: ASKED,
  example: 'sealane audit cases readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => cases(context, argument(call, 0), asked), lines);
}

function lines({ name, version, runs }: Cases): readonly string[] {
  return [
    `${name}@${version}: ${counted(runs.length, 'run')}`,
    ...runs.flatMap(({ suite, signed, verdict, counts, flaky, at, cases: all }) => [
      `  ${at}  ${suite}: signed as ${signed}, report ${verdict ?? 'missing'}${counts === null ? '' : `: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${flaky ?? 0} flaky`}`,
      ...all
        .filter(({ outcome, flaky: isFlaky }) => outcome !== 'passed' || isFlaky)
        .map(({ name: one, outcome }) => `    ${outcome}: ${one}`),
    ]),
  ];
}
