/** `sealane audit trace`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { releaseNamed } from '../answers/inquiry.js';
import { type Trace, traceRelease } from '../answers/trace.js';
import { answerQuestion, argument, ASKED } from './question.js';

export const auditTrace: CommandSpec = {
  name: 'audit trace',
  summary: 'the path of a release: how it was built, tested and on what, who approved, what was decided, where it ran',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: ASKED,
  example: 'sealane audit trace readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(
    call,
    async (context, asked) => traceRelease(context, await releaseNamed(context, argument(call, 0)), asked),
    lines,
  );
}

function lines({ release, name, version, provenance, tests, testedOn, approvals, decisions, sites, elsewhere }: Trace): readonly string[] {
  return [
    `${name}@${version}  ${release}`,
    ...provenance.map(({ builder, commits }) => `  built by ${builder} from ${commits.join(', ')}`),
    ...tests.map(({ suite, result, passed, total }) => `  tested: ${suite} ${result}, ${passed} of ${total} passed`),
    ...testedOn.map(({ label }) => `  on: ${label}`),
    ...approvals.map(({ person, stage, verdict, issuedAt }) => `  ${verdict} for ${stage} by ${person}, ${issuedAt}`),
    ...decisions.map(({ stage, result, counter, at }) => `  ${stage}: ${result}${counter === null ? '' : ` #${counter}`}, ${at}`),
    ...sites.map(({ site, event, at, reason }) => `  ${site}: ${event}${reason === null ? '' : ` (${reason})`}, ${at}`),
    ...elsewhere.flatMap(({ origin, size, decisions: there }) =>
      there.map(({ stage, result, at }) => `  in ${origin}, ${stage}: ${result}, ${at}, proved by its log at ${counted(size, 'entry')}`),
    ),
  ];
}
