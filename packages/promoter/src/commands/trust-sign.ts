/** `sealane trust sign`: needs the file and the key only, on any machine. */
import path from 'node:path';
import { EXAMPLE_KEY_IDS } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { KEY } from '../command-parts.js';
import { homeOf, textArgument, textOption } from '../promoter.js';
import { signerAt } from '../signers/key-ref.js';
import { signProposal } from '../trust/ceremony.js';

export const command: CommandSpec = {
  name: 'trust sign',
  summary: 'add an owner’s signature to a proposed root or targets file',
  arguments: [{ name: 'file', description: 'the proposed metadata, here or on a medium' }],
  options: [KEY],
  example: 'sealane trust sign my-lane/proposal/targets.json --key targets-1 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { io } = call;
  // an owner's machine knows no lane: whether example keys may sign is judged where the proposal is published
  const signer = signerAt(textOption(call, 'key'), { home: homeOf(call), env: io.env, cwd: io.cwd, isExampleLane: true });
  const signed = await signProposal(path.resolve(io.cwd, textArgument(call, 0, 'FILE')), signer);
  const note = EXAMPLE_KEY_IDS.has(signer.keyId) ? ' with an example key' : '';
  return { exit: 0, json: { ...signed, keyId: signer.keyId }, text: `signed ${signed.type} version ${signed.version}${note}` };
}
