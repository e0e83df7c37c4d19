/** `sealane audit remedy`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { remedy, type Remedy } from '../answers/remedy.js';
import { answerQuestion, argument, ASKED } from './question.js';

export const auditRemedy: CommandSpec = {
  name: 'audit remedy',
  summary: 'how long each site ran what a vulnerability was found in, and what fixed it',
  arguments: [{ name: 'vulnerability', description: 'as scans name it: CVE-2026-1234' }],
  options: ASKED,
  example: 'sealane audit remedy CVE-2026-1234 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => remedy(context, argument(call, 0), asked), lines);
}

function lines({ vulnerability, knownAt, sites, open }: Remedy): readonly string[] {
  return [
    `${vulnerability}: ${knownAt === null ? 'no scan found it' : `found ${knownAt}`}${open.length === 0 ? '' : `; open at ${open.join(', ')}`}`,
    ...sites.map(
      ({ site, release, from, until, seconds, fixedBy }) =>
        `  ${site}  ${release}  ${from} to ${until ?? 'now'}, ${seconds} s${fixedBy === null ? '' : `, then ${fixedBy.release ?? 'nothing'}${fixedBy.scannedClean ? ', scanned and free of it' : ''}`}`,
    ),
  ];
}
