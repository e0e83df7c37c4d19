/** `sealane explain`: what an approver should see before signing. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { sinceLastApproval, sinceLastText } from '../approval/since-last.js';
import { checksText, GROUP, TO_STAGE } from '../command-parts.js';
import { evidenceFor } from '../decision/gate-input.js';
import { plan } from '../decision/plan.js';
import { rolloutOf } from '../decision/rollout.js';
import { publishedLane, ROOT, withPublishedLane } from '../client/published-lane-shell.js';
import { optionalText, type Promoter, stageOf, textArgument, textOption, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'explain',
  summary: 'recompute every gate here and show the digests that an approval would name',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [
    TO_STAGE,
    GROUP,
    ROOT,
    { flags: '--person <id>', description: 'whose last approval to compare with: shows what is new since then' },
  ],
  example: 'sealane explain readings@1.0.0 --to prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const stage = textOption(call, 'to');
  const published = publishedLane(call);
  const explain = async (promoter: Promoter): Promise<CommandResult> => {
    const { digest, name, version } = await releaseOf(promoter, textArgument(call, 0, 'RELEASE'));
    const rollout = rolloutOf(promoter, stage, optionalText(call, 'group'));
    const { checks, decision, earliest } = await plan(promoter, { release: digest, stage, rollout });
    const seen = await evidenceFor(promoter, digest, stage);
    const policy = stageOf(promoter, stage).digest;
    const person = optionalText(call, 'person');
    const since = person === undefined ? null : await sinceLastApproval(promoter, { release: digest, stage, rollout, seen }, person);
    const text = [
      `${name}@${version} to ${stage}, groups ${rollout.join(', ')}: ${decision}`,
      `policy ${policy}`,
      checksText(checks),
      'an approval would name these statements:',
      ...seen.map((statement) => `  ${statement}`),
      ...(person === undefined ? [] : sinceLastText(since, person)),
    ];
    return {
      exit: 0,
      json: { release: digest, to: stage, rollout, policy, decision, checks, earliest, seen, since },
      text: text.join('\n'),
    };
  };
  if (published === undefined) return await withPromoter(call, explain);
  const release = textArgument(call, 0, 'RELEASE');
  return await withPublishedLane(call, published, async (promoter) => (await releaseOf(promoter, release)).digest, explain);
}
