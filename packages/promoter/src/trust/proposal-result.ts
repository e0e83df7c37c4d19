/** The answer of the ceremony's commands. */
import { counted, type Digest, sha256, shellWord } from '@sealane/core';
import type { CommandResult } from '@sealane/core/command-line';
import { effectsIn } from './described-changes.js';
import { type Proposal, proposalState } from './proposal.js';

/** A proposal for programs and people: where it lies, what it changes, who has signed. `exit` is 5 while owners still have to sign; `held`: what of that it stands on was compared already. */
export function proposalResult(proposal: Proposal, file: string, exit: 0 | 5, held?: 'root'): CommandResult {
  const { lane, basedOn, changes, currentRoot, currentTargets } = proposal;
  const { root, targets } = proposalState(proposal);
  const lines = Object.entries({ root, targets }).flatMap(([role, count]) =>
    count === null ? [] : [`${role}: signed by ${counted(count.signedBy.length, 'owner')}, ${count.missing} missing`],
  );
  const comparedWith = { root: digestOf(currentRoot), targets: digestOf(currentTargets) };
  const text = [...changeLines(proposal, { ...comparedWith, held }), ...lines, file].join('\n');
  return {
    exit,
    json: { file, lane, basedOn, comparedWith, changes, root, targets },
    text,
    ...(exit === 5 ? { hint: nextStep(proposal, file) } : {}),
  };
}

/** What is done next with a proposal that is not published: on an owner's machine `file` is a copy, which the promoter has to be given. */
export function nextStep(proposal: Proposal, file: string): string {
  const { root, targets } = proposalState(proposal);
  const missing = (root?.missing ?? 0) + (targets?.missing ?? 0);
  return missing > 0
    ? `have an owner who has not signed run: sealane trust sign ${shellWord(file)} --key KEY`
    : `publish it, where the lane is kept: sealane trust publish ${shellWord(file)}`;
}

interface ComparedWith {
  readonly root: Digest | null;
  readonly targets: Digest | null;
  readonly held: 'root' | undefined;
}

/** What was made of the files themselves, and on top of what; behind it what only the promoter can know. */
function changeLines({ changes, basedOn }: Proposal, { root, targets, held }: ComparedWith): readonly string[] {
  const effects = effectsIn(changes);
  const base = `compared with root ${basedOn.root} (${root ?? 'none'}) and targets ${basedOn.targets} (${targets ?? 'none'}): ${held === undefined ? 'hold them against what you published last' : 'that root is the one you keep'}`;
  const own = changes.filter((line) => !effects.includes(line));
  const said = effects.length === 0 ? [] : ['by the word of the promoter alone:', ...effects];
  return [base, ...[...own, ...said].map((line) => `  ${line}`)];
}

function digestOf(bytes: Uint8Array | null): Digest | null {
  return bytes === null ? null : sha256(bytes);
}

/** What is asked for is published already. */
export function nothingProposed(lane: string): CommandResult {
  return {
    exit: 0,
    json: { file: null, lane, basedOn: null, changes: [], root: null, targets: null, effects: { letsIn: [], refuses: [] } },
    text: 'nothing differs from what is published',
  };
}
