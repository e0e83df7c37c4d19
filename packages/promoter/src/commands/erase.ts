/** `sealane erase`: takes a report or an inventory out of the lane for good; what named it stays proved. */
import { isDigest, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { REASON } from '../command-parts.js';
import { eraseDocuments } from '../erasure/erase.js';
import { textOption, withLockedPromoter } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'erase',
  summary: 'erase reports and inventories that test results name: their digests and proofs stay, their bytes go',
  arguments: [{ name: 'document...', description: 'sha256:… of each' }],
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
    const { statements, erased } = await eraseDocuments(promoter, { documents, reason: textOption(call, 'reason'), registrar });
    await publishLane(promoter, new Map());
    const lines = erased.map(({ digest, bytes }) => `erased ${digest}: ${bytes === 0 ? 'it was not there any more' : `${bytes} bytes`}`);
    return {
      exit: 0,
      json: { statements, erased },
      text: lines.join('\n'),
      hint: 'copies that left before have it still: backups, exports, media and mirrors of sites',
    };
  });
}
