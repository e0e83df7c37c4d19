/** `sealane audit at`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { atSite } from '../answers/at-site.js';
import { withAudit } from '../open-audit-shell.js';

export const auditAt: CommandSpec = {
  name: 'audit at',
  summary: 'what runs at a site, or ran there at a time, by the site’s own receipts',
  arguments: [{ name: 'site', description: 'name of the site' }],
  options: [{ flags: '--as-of <time>', description: 'a time such as 2026-11-24T10:00:00Z (default: now)' }],
  example: 'sealane audit at harbour-7 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const [site] = call.args;
  const { asOf } = call.options;
  const answer = await withAudit(call, (context) =>
    atSite(context, typeof site === 'string' ? site : '', typeof asOf === 'string' ? asOf : undefined),
  );
  const { name, version, since, history, missing, doubts } = answer.answer;
  const lines = [
    name === null ? `${answer.answer.site}: nothing installed` : `${answer.answer.site}: ${name}@${version ?? ''} since ${since ?? ''}`,
    ...history.map(
      ({ seq, event, release, reason, at }) => `  ${seq}  ${at}  ${event}  ${release ?? ''}${reason === null ? '' : `  ${reason}`}`,
    ),
    ...(missing.length === 0 ? [] : [`  receipts missing: ${missing.join(', ')}`]),
    ...doubts.map(({ statement, message }) => `  in doubt: ${statement}: ${message}`),
  ];
  return { exit: answer.complete ? 0 : 4, json: answer, text: lines.join('\n') };
}
