/** `sealane audit trace`. */
import { AuditorError, type Digest, isDigest } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { AuditContext } from '../answers/context.js';
import { traceRelease } from '../answers/trace.js';
import { withAudit } from '../open-audit-shell.js';

export const auditTrace: CommandSpec = {
  name: 'audit trace',
  summary: 'the path of a release: how it was built, tested and on what, who approved, what was decided, where it ran',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  example: 'sealane audit trace readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const [name] = call.args;
  const answer = await withAudit(call, async (context) =>
    traceRelease(context, await releaseOf(context, typeof name === 'string' ? name : '')),
  );
  const { name: title, version, provenance, tests, testedOn, approvals, decisions, sites, elsewhere, doubts } = answer.answer;
  const lines = [
    `${title}@${version}  ${answer.answer.release}`,
    ...provenance.map(({ builder, commits }) => `  built by ${builder} from ${commits.join(', ')}`),
    ...tests.map(
      ({ suite, result, passed, total }) => `  tested: ${suite} ${result}, ${JSON.stringify(passed)} of ${JSON.stringify(total)} passed`,
    ),
    ...testedOn.map(({ label }) => `  on: ${label}`),
    ...approvals.map(({ person, stage, verdict, issuedAt }) => `  ${verdict} for ${stage} by ${person}, ${issuedAt}`),
    ...decisions.map(({ stage, result, counter, at }) => `  ${stage}: ${result}${counter === null ? '' : ` #${counter}`}, ${at}`),
    ...sites.map(({ site, event, at, reason }) => `  ${site}: ${event}${reason === null ? '' : ` (${reason})`}, ${at}`),
    ...elsewhere.flatMap(({ origin, size, decisions: there }) =>
      there.map(({ stage, result, at }) => `  in ${origin}, ${stage}: ${result}, ${at}, proved by its log at ${size} entries`),
    ),
    ...doubts.map(({ statement, message }) => `  in doubt: ${statement}: ${message}`),
    `${answer.statements.length} statements, each proved to be in the log`,
  ];
  return { exit: answer.complete ? 0 : 4, json: answer, text: lines.join('\n') };
}

async function releaseOf({ ledger }: AuditContext, text: string): Promise<Digest> {
  if (isDigest(text)) return text;
  const [name, version] = text.split('@', 2);
  const found = (await ledger.releases()).find((row) => row.name === name && row.version === version);
  if (found === undefined)
    throw new AuditorError(
      'RELEASE_UNKNOWN',
      `look up release ${JSON.stringify(text.slice(0, 80))}: there is no such release in the ledger`,
    );
  return found.release;
}
