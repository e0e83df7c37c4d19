/** `sealane evidence show`. */
import { parseDigest, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { statementOf } from '../log/log-statements.js';
import { textArgument, withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'evidence show',
  summary: 'show a statement as it was signed',
  arguments: [{ name: 'statement', description: 'sha256:… of the statement' }],
  example: 'sealane evidence show "$(sealane evidence list readings@1.0.0 --home my-lane | head -1 | cut -d" " -f1)" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const digest = parseDigest(textArgument(call, 0, 'STATEMENT'));
  const [entry] = await withPromoter(call, ({ ledger }) => ledger.byStatement(digest));
  if (entry === undefined) throw new PromoterError('STATEMENT_UNKNOWN', `look up statement ${digest}: it is not in the ledger`, { digest });
  const statement = statementOf(entry);
  const { index, keyId, loggedAt } = entry;
  return { exit: 0, json: { digest, logIndex: index, keyId, loggedAt, statement }, text: JSON.stringify(statement, undefined, 2) };
}
