/** The answer of the ceremony's commands. */
import { counted, shellWord } from '@sealane/core';
import type { CommandResult } from '@sealane/core/command-line';
import { type Proposal, proposalState } from './proposal.js';

/** A proposal for programs and people: where it lies, what it changes, who has signed. `exit` is 5 while owners still have to sign. */
export function proposalResult(proposal: Proposal, file: string, exit: 0 | 5): CommandResult {
  const { lane, basedOn, changes } = proposal;
  const { root, targets } = proposalState(proposal);
  const lines = Object.entries({ root, targets }).flatMap(([role, count]) =>
    count === null ? [] : [`${role}: signed by ${counted(count.signedBy.length, 'owner')}, ${count.missing} missing`],
  );
  const missing = (root?.missing ?? 0) + (targets?.missing ?? 0);
  const hint = missing > 0 ? `have an owner run: sealane trust sign ${shellWord(file)} --key KEY` : `publish it: sealane trust publish`;
  const text = [...changes.map((change) => `  ${change}`), ...lines, file].join('\n');
  return { exit, json: { file, lane, basedOn, changes, root, targets }, text, ...(exit === 5 ? { hint } : {}) };
}

/** What is asked for is published already. */
export function nothingProposed(lane: string): CommandResult {
  return {
    exit: 0,
    json: { file: null, lane, basedOn: null, changes: [], root: null, targets: null, effects: { letsIn: [], refuses: [] } },
    text: 'nothing differs from what is published',
  };
}
