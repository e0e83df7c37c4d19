/** `sealane ledger thaw`: brings archived payloads back into the database. */
import { counted, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { thawDocuments } from '../archive/documents.js';
import { withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'ledger thaw',
  summary: 'bring what was archived back into the database, documents into the lane; the archive stays as it is',
  options: [
    { flags: '--from <index>', description: 'entries from this index on (default: 0)' },
    { flags: '--below <index>', description: 'entries below this index (default: all)' },
  ],
  example: 'sealane ledger thaw --below 10 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const { ledger } = promoter;
    const range = { from: indexOption(call, 'from') ?? 0, to: indexOption(call, 'below') ?? (await ledger.size()) };
    const { entries } = await ledger.moveIn(range);
    const documents = await thawDocuments(promoter, range);
    return {
      exit: 0,
      json: { entries, documents },
      text: `brought back ${counted(entries, 'entry')} and ${counted(documents, 'document')}`,
    };
  });
}

function indexOption({ options }: CommandCall, name: string): number | undefined {
  const text = options[name];
  if (typeof text !== 'string') return undefined;
  if (/^(0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  throw new PromoterError('USAGE', `read --${name}: expected the index of an entry, got ${JSON.stringify(text.slice(0, 40))}`);
}
