/** `sealane trust sign`: needs the proposal and the key only, on any machine. */
import { EXAMPLE_KEY_IDS } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { KEY } from '../command-parts.js';
import { writeOutput } from '../disk-shell.js';
import { homeOf, textOption } from '../promoter.js';
import { signerAt } from '../signers/key-ref.js';
import { signProposal } from '../trust/ceremony.js';
import { KEPT_ROOT, readHeldProposal } from '../trust/held-proposal.js';
import { encodeProposal } from '../trust/proposal.js';
import { nextStep, proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'trust sign',
  summary: 'add an owner’s signature to a proposal; read it first with: sealane trust show FILE',
  arguments: [
    {
      name: '[file]',
      description: 'the proposal, here or on a medium; the signature is written into it (default: the open one of this home)',
    },
  ],
  options: [KEY, KEPT_ROOT],
  example: 'sealane trust sign my-lane/proposal.json --key targets-1 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { io } = call;
  const { file, proposal, held } = readHeldProposal(call);
  // an owner's machine knows no lane: whether example keys may sign is judged where the proposal is published
  const signer = await signerAt(textOption(call, 'key'), { home: homeOf(call), env: io.env, cwd: io.cwd, isExampleLane: true });
  const signed = await signProposal(proposal, signer);
  writeOutput(file, encodeProposal(signed));
  const result = proposalResult(signed, file, 0, held);
  const note = EXAMPLE_KEY_IDS.has(signer.keyId) ? ' (an example key, which everybody has)' : '';
  return {
    ...result,
    json: { ...result.json, keyId: signer.keyId },
    text: `signed by ${signer.keyId}${note}\n${result.text}`,
    hint: nextStep(signed, file),
  };
}
