/** `sealane replay`: any past decision, made again from a copy of ledger and lane. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withLaneCopy } from '../decision/lane-copy-shell.js';
import { entryNamed, type Replay, replay, type ReplayedCheck } from '../decision/replay.js';
import { textArgument } from '../promoter.js';

export const command: CommandSpec = {
  name: 'replay',
  summary: 'make a past decision again, from the ledger and lane alone, and show each check that comes out otherwise',
  arguments: [{ name: 'decision', description: 'sha256:… of the decision’s statement, or its log index' }],
  example: 'sealane audit trace readings@1.0.0 --home my-lane\nsealane replay 4 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'DECISION');
  const { replay: result } = await withLaneCopy(call, async (copy) => await replay(copy, await entryNamed(copy.ledger, name)));
  const hint = 'see that nothing was changed since: sealane audit verify';
  return { exit: result.sameVerdict ? 0 : 4, json: result, text: replayLines(result).join('\n'), ...(result.sameVerdict ? {} : { hint }) };
}

/** The replay in lines for people, each check that comes out otherwise with what differs. */
export function replayLines({ decision, logIndex, to, recorded, replayed, checks, version, policy, judgedAt }: Replay): readonly string[] {
  const otherwise = replayed === null ? 'and cannot be made again' : `but comes out ${replayed}`;
  const verdict = recorded === replayed ? `${recorded}, and comes out so again` : `${recorded}, ${otherwise}`;
  return [
    `decision ${decision} (entry ${logIndex}) of ${to}: ${verdict}`,
    `policy ${policy}, ${judgedAt.replayed === null ? 'not judged again' : `judged at ${judgedAt.replayed.lowest} to ${judgedAt.replayed.highest}`}`,
    `decided by version ${version.recorded ?? 'unknown: it did not say'} of sealane, replayed by ${version.replayed}`,
    ...checks.flatMap(checkLines),
  ];
}

function checkLines({ id, recorded, replayed, differences }: ReplayedCheck): readonly string[] {
  const mark = recorded?.verdict === replayed?.verdict ? (replayed?.verdict ?? '') : 'differs';
  return [
    `  ${mark.padEnd(8)} ${id}`,
    ...differences.map(({ field, recorded: before, replayed: now }) => `           ${field}: recorded ${before || '–'}; now ${now || '–'}`),
  ];
}
