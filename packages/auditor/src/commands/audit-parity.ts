/** `sealane audit parity`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { parity, type Parity } from '../answers/parity.js';
import { answerQuestion, argument, ASKED, counted, given } from './question.js';

export const auditParity: CommandSpec = {
  name: 'audit parity',
  summary: 'how a site differs from the rigs that tested what it runs: hardware, topology, variables, link',
  arguments: [{ name: 'site', description: 'name of the site' }],
  options: [{ flags: '--release <release>', description: 'another release than the one that runs there' }, ...ASKED],
  example: 'sealane audit parity harbour-7 --release readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => parity(context, argument(call, 0), given(call, 'release'), asked), lines);
}

function lines({ site, name, version, hardware, topology, variables, conditions, fidelity, notSeen }: Parity): readonly string[] {
  return [
    `${site} beside the tests of ${name}@${version}`,
    ...(hardware === null
      ? ['  hardware: nothing to compare']
      : differencesText(
          'hardware',
          hardware.differences.map(({ fact, ...sides }) => ({ path: fact, ...sides })),
        )),
    ...(topology === null ? ['  topology: nothing to compare'] : differencesText('topology', topology.differences)),
    ...variables.map(({ name: one, usual, site: set }) => `  ${one}: ${set ?? `not set (${usual ?? 'no default'})`}`),
    `  measured conditions: ${counted(conditions.length, 'run')}; fidelity: ${counted(fidelity.length, 'run')}`,
    ...notSeen.map((what) => `  not seen: ${what}`),
  ];
}

function differencesText(what: string, all: readonly { path: string; tested: string | null; site: string | null }[]): readonly string[] {
  if (all.length === 0) return [`  ${what}: as tested`];
  return all.map(({ path, tested, site }) => `  ${what} ${path}: tested ${tested ?? 'absent'}, there ${site ?? 'absent'}`);
}
