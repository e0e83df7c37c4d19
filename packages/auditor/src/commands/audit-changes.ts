/** `sealane audit changes`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { changes, type Changes } from '../answers/changes.js';
import { answerQuestion, argument, ASKED, given } from './question.js';

export const auditChanges: CommandSpec = {
  name: 'audit changes',
  summary: 'what is different between a release and the one before it: parts, layers, commits, variables, packages',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [
    { flags: '--from <release>', description: 'compare with this release' },
    { flags: '--site <name>', description: 'compare with what ran before it at a site' },
    ...ASKED,
  ],
  example: 'sealane audit changes readings@1.0.0 --from readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(
    call,
    (context, asked) => changes(context, argument(call, 0), { from: given(call, 'from'), site: given(call, 'site') }, asked),
    lines,
  );
}

function lines({ name, version, previous, components, layers, commits, declares, packages }: Changes): readonly string[] {
  const line = ({ name: what, before, after }: { name: string; before: string | null; after: string | null }): string =>
    `  ${what}: ${before ?? 'not there'} → ${after ?? 'not there'}`;
  return [
    `${name}@${version} after ${previous.name}@${previous.version}`,
    ...components.flatMap((component) => [line(component), ...layers.filter((one) => one.component === component.name).map(layerLine)]),
    `  commits: ${commits.before.join(', ')} → ${commits.after.join(', ')}`,
    ...declares.map(line),
    ...(packages === null ? ['  packages: not known, an SBOM is missing'] : packages.map(line)),
  ];
}

function layerLine({ platform, layers }: Changes['layers'][number]): string {
  const where = platform === null ? '' : `${platform}: `;
  if (layers === null) return `    ${where}layers not known: a manifest is not here`;
  const { same, before, after } = layers;
  return `    ${where}${counted(same.length, 'layer')} the same, ${before.length} gone, ${after.length} new`;
}
