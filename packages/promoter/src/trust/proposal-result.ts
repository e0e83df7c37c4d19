/** The answer of the ceremony's commands. */
import type { CommandResult } from '@sealane/core/command-line';
import type { Proposal } from './ceremony.js';

/** A proposal for programs and people; `exit` is 5 while owners still have to sign. */
export function proposalResult(proposal: Proposal, exit: 0 | 5): CommandResult {
  const text = proposal.files.map(({ file, type, version, signedBy, missing }) => `${type} version ${version}: ${signedBy.length} signatures, ${missing} missing  ${file}`).join('\n');
  const open = proposal.files.find(({ missing }) => missing > 0);
  const hint = open === undefined ? 'publish it: sealane trust publish' : `have an owner run: sealane trust sign --key KEY ${open.file}`;
  return { exit, json: proposal, text, ...(exit === 5 ? { hint } : {}) };
}
