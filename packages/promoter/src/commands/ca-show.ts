/** `sealane ca show`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { writeOutput } from '../disk-shell.js';
import { optionalText, withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'ca show',
  summary: 'show who issues certificates of sites here, under which root, until when',
  options: [{ flags: '--out <file>', description: 'write the root’s certificate (PEM) there: what sites are given by hand' }],
  example: 'sealane ca show --out ca-root.pem --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withPromoter(call, async (promoter) => {
    const [{ homeAuthority }, { authorityResult }, { certificatePem }] = await Promise.all([
      import('../site-ca/home-authority.js'),
      import('../site-ca/authority-result.js'),
      import('../site-ca/x509.js'),
    ]);
    const { authority } = await homeAuthority(promoter);
    const out = optionalText(call, 'out');
    if (out !== undefined) writeOutput(path.resolve(call.io.cwd, out), certificatePem(authority.root));
    return authorityResult(authority);
  });
}
