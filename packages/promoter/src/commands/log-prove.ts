/** `sealane log prove`. */
import { isDigest, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { bundleOf, statementOf } from '../log/log-statements.js';
import { type Promoter, textArgument, withPromoter } from '../promoter.js';
import type { LedgerEntry } from '@sealane/ledger';

export const command: CommandSpec = {
  name: 'log prove',
  summary: 'print a statement as a Sigstore bundle with its proof under the latest cosigned checkpoint',
  arguments: [{ name: 'statement', description: 'sha256:… of the statement, or its log index' }],
  example: 'sealane log prove 0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'STATEMENT');
  return await withPromoter(call, async (promoter) => {
    const entry = await entryOf(promoter, name);
    const note = await promoter.ledger.latestCosigned();
    if (note === null) throw new PromoterError('LOG_WITNESS', `prove ${name}: expected a cosigned checkpoint, got none`);
    const bundle = await bundleOf(promoter.ledger, entry, note);
    const { predicateType } = statementOf(entry);
    return { exit: 0, json: { predicateType, digest: entry.statementDigest, logIndex: entry.index, bundle }, text: JSON.stringify(bundle) };
  });
}

async function entryOf({ ledger }: Promoter, name: string): Promise<LedgerEntry> {
  const found = isDigest(name)
    ? await firstOf(ledger.byStatement(name))
    : /^\d{1,15}$/.test(name)
      ? await ledger.entry(Number(name))
      : undefined;
  if (found === undefined) throw new PromoterError('STATEMENT_UNKNOWN', `look up statement ${name}: it is not in the ledger`);
  return found;
}

async function firstOf<T>(list: Promise<readonly T[]>): Promise<T | undefined> {
  return (await list)[0];
}
