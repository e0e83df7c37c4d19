/** `sealane key create`. */
import path from 'node:path';
import { base64, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { homeOf, optionalText, textArgument } from '../promoter.js';
import { publicPem } from '../signers/key-file.js';
import { KEEPING, keepingOf, makeKey } from '../signers/make-key.js';

export const command: CommandSpec = {
  name: 'key create',
  summary: 'make a key pair; the private half is readable by its owner only',
  arguments: [{ name: 'name', description: 'name of the key, or a path that ends in .pem' }],
  options: [
    { flags: '--type <type>', description: 'p256 (default: signs statements and metadata) or ed25519 (logs and witnesses)' },
    ...KEEPING,
  ],
  example: 'sealane key create carol --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'NAME');
  const kind = optionalText(call, 'type') ?? 'p256';
  if (kind !== 'p256' && kind !== 'ed25519') throw new PromoterError('USAGE', `read --type: expected p256 or ed25519, got ${kind}`);
  if (!name.endsWith('.pem') && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new PromoterError('USAGE', `read NAME: expected letters, digits, dots and dashes, got ${JSON.stringify(name)}`);
  const [home, { io }] = [homeOf(call), call];
  const base = name.endsWith('.pem') ? path.resolve(io.cwd, name.slice(0, -'.pem'.length)) : path.join(home.keys, name);
  const { id, spki, file } = await makeKey(base, kind, keepingOf(call), { home, env: io.env, cwd: io.cwd, isExampleLane: true });
  return { exit: 0, json: { id, path: file, public: publicPem(spki), spki: base64(spki) }, text: `${id}  ${file}` };
}
