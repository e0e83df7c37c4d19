/** `sealane release list`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { stageDecisions } from '../decision/stage-decisions.js';
import { withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'release list',
  summary: 'list releases with the stages they reached',
  example: 'sealane release list --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const releases = await withPromoter(call, async (promoter) => {
    const passed = (await stageDecisions(promoter)).filter(({ result }) => result === 'PASSED');
    return (await promoter.ledger.releases()).map(({ release, name, version, index }) => {
      const stages = [...new Set(passed.filter((decision) => decision.release === release).map(({ stage }) => stage))];
      return { release, name, version, logIndex: index, stages };
    });
  });
  const text = releases
    .map(({ release, name, version, stages }) => `${release}  ${name}@${version}  ${stages.join(' → ') || '-'}`)
    .join('\n');
  return { exit: 0, json: { releases }, text };
}
