/** `sealane key create`. */
import path from 'node:path';
import { base64, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { homeOf, optionalText, textArgument } from '../promoter.js';
import { createKeyFile, publicPem } from '../signers/key-file.js';

export const command: CommandSpec = {
  name: 'key create',
  summary: 'make a key pair; the private half is readable by its owner only',
  arguments: [{ name: 'name', description: 'name of the key, or a path that ends in .pem' }],
  options: [{ flags: '--type <type>', description: 'p256 (default: signs statements and metadata) or ed25519 (logs and witnesses)' }],
  example: 'sealane key create carol --home my-lane',
  run,
};

function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'NAME');
  const kind = optionalText(call, 'type') ?? 'p256';
  if (kind !== 'p256' && kind !== 'ed25519') throw new PromoterError('USAGE', `read --type: expected p256 or ed25519, got ${kind}`);
  if (!name.endsWith('.pem') && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new PromoterError('USAGE', `read NAME: expected letters, digits, dots and dashes, got ${JSON.stringify(name)}`);
  const file = name.endsWith('.pem') ? path.resolve(call.io.cwd, name) : path.join(homeOf(call).keys, `${name}.pem`);
  const { id, spki } = createKeyFile(file, kind);
  return Promise.resolve({ exit: 0, json: { id, path: file, public: publicPem(spki), spki: base64(spki) }, text: `${id}  ${file}` });
}
