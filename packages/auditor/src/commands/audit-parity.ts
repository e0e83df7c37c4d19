/** `sealane audit parity`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { LinkParity } from '../answers/link-parity.js';
import { parity, type Parity } from '../answers/parity.js';
import { answerQuestion, argument, ASKED, given } from './question.js';

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

function lines({ site, name, version, hardware, topology, variables, link, conditions, fidelity, notSeen }: Parity): readonly string[] {
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
    ...(link === null ? [] : linkText(link)),
    `  measured conditions: ${counted(conditions.length, 'run')}; fidelity: ${counted(fidelity.length, 'run')}`,
    ...notSeen.map((what) => `  not seen: ${what}`),
  ];
}

/** The word of a process, and said to be that. */
function linkText({ measured, beside }: LinkParity): readonly string[] {
  const told = measured.map(({ over, requests, unanswered, firstByteMs, bulkBytes, bulkMs }) => {
    const firstByte = firstByteMs === undefined ? '' : `first byte after ${firstByteMs} ms, `;
    const counts = `${counted(requests, 'request')}, ${unanswered} without a whole answer, ${firstByte}${counted(bulkBytes, 'byte')} of bulk in ${bulkMs} ms`;
    return `  link ${over}, as its fetch process measured: ${counts}`;
  });
  if (beside === null) return told;
  const { profile, differences } = beside;
  const worse = differences.map(
    ({ over, what, ...sides }) => `  link ${over} ${what}: tested ${sides.tested} (${profile}), there ${sides.site}`,
  );
  return [...told, ...(worse.length === 0 ? [`  link: latency and loss no worse than tested (${profile})`] : worse)];
}

function differencesText(what: string, all: readonly { path: string; tested: string | null; site: string | null }[]): readonly string[] {
  if (all.length === 0) return [`  ${what}: as tested`];
  return all.map(({ path, tested, site }) => `  ${what} ${path}: tested ${tested ?? 'absent'}, there ${site ?? 'absent'}`);
}
