/** `sealane key export`. */
import { keyIdOf } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { homeOf, textArgument } from '../promoter.js';
import { publicPem, readPublicHalf } from '../signers/key-file.js';

export const command: CommandSpec = {
  name: 'key export',
  summary: 'print the public half of a key',
  arguments: [{ name: 'name', description: 'name of the key' }],
  example: 'sealane key export alice --home my-lane',
  run,
};

function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'NAME');
  const spki = readPublicHalf(homeOf(call).keys, name);
  const pem = publicPem(spki);
  return Promise.resolve({ exit: 0, json: { name, id: keyIdOf(spki), public: pem }, text: pem });
}
