/** `sealane site replace`: needs the request, the delegation and the delegate's key only, on any machine. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { nowText, randomHex } from '../clock.js';
import { KEY } from '../command-parts.js';
import { readNamed, writeOutput } from '../disk-shell.js';
import { homeOf, textArgument, textOption } from '../promoter.js';
import { signerAt } from '../signers/key-ref.js';
import { replaceSite } from '../site/delegate.js';

export const command: CommandSpec = {
  name: 'site replace',
  summary: 'give the replaced node of a site its record, as the registrar’s delegate; without lane or network',
  arguments: [{ name: 'request', description: 'the file that sealane-site enroll --name wrote on the new node' }],
  options: [
    { flags: '--delegation <file>', description: 'what the registrar signed', required: true },
    { ...KEY, description: 'the delegate’s key' },
    { flags: '--out <record>', description: 'where to write the record for the node', required: true },
  ],
  example: 'sealane site replace request.json --delegation delegation.json --key file:town.pem --out record.json',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { io } = call;
  const at = (name: string): string => path.resolve(io.cwd, textOption(call, name));
  const request = readNamed(path.resolve(io.cwd, textArgument(call, 0, 'REQUEST')), 'site request');
  const delegation = readNamed(at('delegation'), 'delegation');
  const delegate = await signerAt(textOption(call, 'key'), { home: homeOf(call), env: io.env, cwd: io.cwd, isExampleLane: true });
  const { record, ...replaced } = await replaceSite({ request, delegation, delegate, now: nowText(), nonce: randomHex() });
  const out = at('out');
  writeOutput(out, `${JSON.stringify(record)}\n`);
  return {
    exit: 0,
    json: { ...replaced, out },
    text: `${replaced.site}, key ${replaced.keyId}: the record is in ${out} and holds until ${replaced.expiresAt}`,
    hint: 'before that day the registrar gives the node a record of its own: sealane site add REQUEST',
  };
}
