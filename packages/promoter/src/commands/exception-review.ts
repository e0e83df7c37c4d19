/** `sealane exception review`. */
import { parseDigest } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { KEY, OUT, REASON } from '../command-parts.js';
import { signedByPerson } from '../exception/signed-by-person.js';
import { signReview } from '../exception/sign.js';
import { textArgument, textOption } from '../promoter.js';

export const command: CommandSpec = {
  name: 'exception review',
  summary: 'sign that the use of an exception was looked at, by somebody who did not grant it',
  arguments: [{ name: 'statement', description: 'sha256:… of the exception' }],
  options: [KEY, REASON, OUT],
  example:
    'sealane exception review "$(sealane exception list --home my-lane | cut -d" " -f1)" --key bob --reason "the outage was real" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await signedByPerson(call, async (promoter) => {
    const signer = await promoter.signer(textOption(call, 'key'));
    return await signReview(promoter, parseDigest(textArgument(call, 0, 'STATEMENT')), textOption(call, 'reason'), signer);
  });
}
