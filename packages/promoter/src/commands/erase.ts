/** `sealane erase`: takes a report, an inventory, or what a statement says away for good; what named it, and that it was there, stays proved. */
import { counted, type Digest, isDigest, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { REASON } from '../command-parts.js';
import { eraseDocuments } from '../erasure/erase.js';
import { entriesWith, eraseStatements, type EraseStatementsWish } from '../erasure/erase-statements.js';
import { type Promoter, textOption, withLockedPromoter } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'erase',
  summary: 'erase reports and inventories that test results name, or what statements say: digests and proofs stay, bytes go',
  arguments: [{ name: 'document...', description: 'sha256:… of each: of documents, or of statements, not of both' }],
  options: [REASON, { flags: '--key <keyref>', description: "the registrar's key", required: true }],
  example: 'sealane erase "sha256:$(sha256sum < junit-2.xml | cut -c 1-64)" --reason "names a colleague" --key registrar --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const documents = call.args.flat().map((text) => {
    if (isDigest(text)) return text;
    throw new PromoterError('USAGE', `read DOCUMENT: expected sha256: and 64 hex digits, got ${JSON.stringify(String(text).slice(0, 80))}`);
  });
  return await withLockedPromoter(call, async (promoter) => {
    const registrar = await promoter.signer(textOption(call, 'key'));
    const reason = textOption(call, 'reason');
    if (await areStatements(promoter, documents)) return await eraseSaid(promoter, { statements: documents, reason, registrar });
    const { statements, erased } = await eraseDocuments(promoter, { documents, reason, registrar });
    await publishLane(promoter, new Map());
    const lines = erased.map(
      ({ digest, bytes }) => `erased ${digest}: ${bytes === 0 ? 'it was not there any more' : counted(bytes, 'byte')}`,
    );
    return {
      exit: 0,
      json: { statements, erased },
      text: lines.join('\n'),
      hint: 'copies that left before have it still: backups, exports, media and mirrors of sites',
    };
  });
}

/** Whether these name statements of the log. @throws PromoterError `USAGE` some do, and some do not */
async function areStatements({ ledger }: Promoter, digests: readonly Digest[]): Promise<boolean> {
  const found = await Promise.all(digests.map(async (digest) => (await entriesWith(ledger, digest)).length > 0));
  if (found.every((is) => is === found[0])) return found[0] === true;
  throw new PromoterError('USAGE', 'erase: expected documents or statements, got both', {}, { hint: 'erase one kind, then the other' });
}

async function eraseSaid(promoter: Promoter, wish: EraseStatementsWish): Promise<CommandResult> {
  const { statements, erased } = await eraseStatements(promoter, wish);
  await publishLane(promoter, new Map());
  return {
    exit: 0,
    json: { statements, erased },
    text: erased.map(({ digest, logIndex }) => `erased what entry ${logIndex} says: ${digest}`).join('\n'),
    hint: 'copies that left before have it still: backups, exports, media, registries and mirrors of sites',
  };
}
