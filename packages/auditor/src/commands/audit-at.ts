/** `sealane audit at`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { type AtSite, atSite } from '../answers/at-site.js';
import { answerQuestion, argument, ASKED } from './question.js';

export const auditAt: CommandSpec = {
  name: 'audit at',
  summary: 'what runs at a site, or ran there at a time, by the site’s own receipts',
  arguments: [{ name: 'site', description: 'name of the site' }],
  options: ASKED,
  example: 'sealane audit at harbour-7 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => atSite(context, argument(call, 0), asked), lines);
}

function lines({ site, name, version, since, history, summedUp, missing }: AtSite): readonly string[] {
  return [
    name === null ? `${site}: nothing installed` : `${site}: ${name}@${version ?? ''} since ${since ?? ''}`,
    ...history.map(
      ({ seq, event, release, reason, at }) => `  ${seq}  ${at}  ${event}  ${release ?? ''}${reason === null ? '' : `  ${reason}`}`,
    ),
    ...summedUp.flatMap(({ runs, count, since: first, until, refused, others }) => [
      `  ${counted(count, 'refusal')} of ${first} to ${until} summed up, receipts ${runs.map(({ from, to }) => `${from}–${to}`).join(', ')}`,
      ...refused.map(
        ({ reason, release, count: times }) => `    ${counted(times, 'time')} ${reason}${release === null ? '' : `  ${release}`}`,
      ),
      ...(others === 0 ? [] : [`    ${counted(others, 'other')}`]),
    ]),
    ...(missing.length === 0 ? [] : [`  receipts missing: ${missing.join(', ')}`]),
  ];
}
