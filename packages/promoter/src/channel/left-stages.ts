/** What all stages are to hear of is published in each of which the key can be had; those that were left are said, until it is done again. */
import type { SealaneError } from '@sealane/core';
import type { CommandResult } from '@sealane/core/command-line';

/** A stage whose sites have not heard of it yet, and why. */
export interface LeftStage {
  readonly stage: string;
  readonly why: string;
}

/** Takes note of stages that are left: for `publishLane`. */
export function noteLeft(left: LeftStage[]): (stage: string, error: SealaneError) => void {
  return (stage, { message }) => void left.push({ stage, why: message });
}

/** The answer of a command, which waits (exit 5) where stages were left; `again` is the command that ends it. */
export function withLeft(result: CommandResult, left: readonly LeftStage[], again: string): CommandResult {
  if (left.length === 0) return result;
  return {
    exit: 5,
    json: { ...result.json, left },
    text: [result.text, ...left.map(({ stage, why }) => `  not in the channel of ${stage} yet: ${why}`)].join('\n'),
    hint: `see that the keys of ${left.map(({ stage }) => stage).join(', ')} can be had here, then again: ${again}`,
  };
}
