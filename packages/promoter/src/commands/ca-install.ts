/** `sealane ca install`: takes in the chain that the owners signed. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { durableWrite, PUBLIC_FILE, readNamed } from '../disk-shell.js';
import { textArgument, withPromoter } from '../promoter.js';
import { chainFile } from '../site-ca/names.js';

export const command: CommandSpec = {
  name: 'ca install',
  summary: 'take in the chain that the owners signed: certificates of sites are issued under it',
  arguments: [{ name: 'file', description: 'what sealane ca sign wrote' }],
  example: 'sealane ca install chain.pem --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const file = path.resolve(call.io.cwd, textArgument(call, 0, 'FILE'));
  const pem = readNamed(file, 'chain');
  return await withPromoter(call, async (promoter) => {
    const [{ checkAuthority }, { issuerSigner }, { readCertificates, certificatePem }, { authorityResult }] = await Promise.all([
      import('../site-ca/authority.js'),
      import('../site-ca/home-authority.js'),
      import('../site-ca/x509.js'),
      import('../site-ca/authority-result.js'),
    ]);
    const { spki } = await issuerSigner(promoter);
    const wanted = { origin: promoter.pipeline.lane, nowMs: Date.parse(promoter.now()), source: file, issuerSpki: spki };
    const authority = await checkAuthority(readCertificates(pem, file), wanted);
    durableWrite(chainFile(promoter.home), certificatePem(authority.issuer, authority.root), PUBLIC_FILE);
    return { ...authorityResult(authority), hint: 'certify a site: sealane site certify REQUEST --out CHAIN' };
  });
}
