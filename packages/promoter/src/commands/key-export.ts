/** `sealane key export`. */
import { keyIdOf, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { homeOf, textArgument } from '../promoter.js';
import { publicPem } from '../signers/key-file.js';
import { publicHalfNamed } from '../signers/key-store.js';

export const command: CommandSpec = {
  name: 'key export',
  summary: 'print the public half of a key',
  arguments: [{ name: 'name', description: 'name of the key' }],
  example: 'sealane key export alice --home my-lane',
  run,
};

function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'NAME');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new PromoterError('USAGE', `read NAME: expected the name of a key, got ${JSON.stringify(name.slice(0, 80))}`);
  const spki = publicHalfNamed(homeOf(call), name);
  const pem = publicPem(spki);
  return Promise.resolve({ exit: 0, json: { name, id: keyIdOf(spki), public: pem }, text: pem });
}
