/** `sealane key export`. */
import { keyIdOf, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { homeOf, textArgument } from '../promoter.js';
import { publicPem } from '../signers/key-file.js';
import { signerAt } from '../signers/key-ref.js';
import { publicHalfNamed } from '../signers/key-store.js';

export const command: CommandSpec = {
  name: 'key export',
  summary: 'print the public half of a key',
  arguments: [{ name: 'key', description: 'name of the key, or a reference as --key takes it' }],
  example: 'sealane key export alice --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'KEY');
  const spki = await publicHalfAt(call, name);
  const pem = publicPem(spki);
  return { exit: 0, json: { name, id: keyIdOf(spki), public: pem }, text: pem };
}

/** A name asks for no private half; a reference opens what it names. */
async function publicHalfAt(call: CommandCall, name: string): Promise<Uint8Array> {
  const { io } = call;
  const home = homeOf(call);
  if (/[:/]/.test(name)) return (await signerAt(name, { home, env: io.env, cwd: io.cwd, isExampleLane: true })).spki;
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return publicHalfNamed(home, name);
  throw new PromoterError('USAGE', `read KEY: expected the name of a key, got ${JSON.stringify(name.slice(0, 80))}`);
}
