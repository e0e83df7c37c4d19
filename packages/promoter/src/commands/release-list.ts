/** `sealane release list`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { stageDecisions } from '../decision/stage-decisions.js';
import { byAuthors } from '../release/records.js';
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
    const reached = new Set(passed.map(({ release }) => release));
    const all = await promoter.ledger.releases();
    // what a stage let in is shown also where its author counts no more: one must be able to find it to call it back
    const authors = new Set(byAuthors(promoter, all));
    const listed = all.filter((row) => authors.has(row) || reached.has(row.release));
    return listed.map(({ release, name, version, index }) => {
      const stages = [...new Set(passed.filter((decision) => decision.release === release).map(({ stage }) => stage))];
      return { release, name, version, logIndex: index, stages };
    });
  });
  const text = releases
    .map(({ release, name, version, stages }) => `${release}  ${name}@${version}  ${stages.join(' → ') || '-'}`)
    .join('\n');
  return { exit: 0, json: { releases }, text };
}
