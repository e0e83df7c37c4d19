/** `sealane evidence show`. */
import { type Digest, isDigest, PromoterError, SealaneError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { LedgerEntry } from '@sealane/ledger';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, textArgument, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'evidence show',
  summary: 'show a statement as it was signed, or every one about a release',
  arguments: [{ name: 'statement', description: 'sha256:… of the statement; or a release: sha256:… or NAME@VERSION' }],
  example: 'sealane evidence show "$(sealane evidence list readings@1.0.0 --home my-lane | head -1 | cut -d" " -f1)" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'STATEMENT');
  return await withPromoter(call, async (promoter) => {
    const [entry] = isDigest(name) ? await promoter.ledger.byStatement(name) : [];
    if (entry !== undefined) return { exit: 0, json: shown(entry), text: textOf(entry) };
    const release = await releaseNamed(promoter, name);
    const entries = await promoter.ledger.statementsAbout(release);
    return { exit: 0, json: { release, statements: entries.map(shown) }, text: entries.map(textOf).join('\n') };
  });
}

/** @throws PromoterError `STATEMENT_UNKNOWN` no release has this digest either; as `releaseOf` for what is no digest */
async function releaseNamed(promoter: Promoter, name: string): Promise<Digest> {
  try {
    return (await releaseOf(promoter, name)).digest;
  } catch (error) {
    if (!(error instanceof SealaneError && error.code === 'RELEASE_UNKNOWN' && isDigest(name))) throw error;
    throw new PromoterError('STATEMENT_UNKNOWN', `look up statement ${name}: it is not in the ledger`, { digest: name });
  }
}

function shown(entry: LedgerEntry): object {
  const { statementDigest: digest, index, keyId, loggedAt } = entry;
  return { digest, logIndex: index, keyId, loggedAt, statement: statementOf(entry) };
}

function textOf(entry: LedgerEntry): string {
  return JSON.stringify(statementOf(entry), undefined, 2);
}
