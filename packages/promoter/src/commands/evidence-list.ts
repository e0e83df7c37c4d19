/** `sealane evidence list`. */
import { PREDICATE } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { statementsResult } from '../command-parts.js';
import { allAbout } from '../evidence/all-about.js';
import { describeEntry } from '../log/log-statements.js';
import { textArgument, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'evidence list',
  summary: 'list the evidence about a release and its images',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  example: 'sealane evidence list readings@1.0.0 --home my-lane',
  run,
};

/** What is about a release but is no evidence for a gate. */
const OTHERS: readonly string[] = [PREDICATE.release, PREDICATE.decision, PREDICATE.receipt];

async function run(call: CommandCall): Promise<CommandResult> {
  const entries = await withPromoter(call, async (promoter) => {
    const { digest } = await releaseOf(promoter, textArgument(call, 0, 'RELEASE'));
    return (await allAbout(promoter, digest)).map(describeEntry);
  });
  return statementsResult(entries.filter(({ predicateType }) => !OTHERS.includes(predicateType)));
}
