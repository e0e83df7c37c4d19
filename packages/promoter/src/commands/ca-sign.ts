/** `sealane ca sign`: needs the request and the owners' key only, on any machine. */
import path from 'node:path';
import { PromoterError, shellWord } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { nowText, randomHex } from '../clock.js';
import { KEY } from '../command-parts.js';
import { readNamed, readOptional, writeOutput } from '../disk-shell.js';
import { homeOf, textArgument, textOption } from '../promoter.js';
import { wholeDays } from '../site-ca/days.js';
import { siteSubtree } from '../site-ca/names.js';
import { signerAt } from '../signers/key-ref.js';

/** Life of an issuer, in days: it is on a host with a network, and asking the owners once a year is no burden. */
const [ISSUER_DAYS, MAX_ISSUER_DAYS] = [365, 1100];

export const command: CommandSpec = {
  name: 'ca sign',
  summary: 'certify the key that issues certificates of sites: for one lane, for no authority below it; on the owners’ machine',
  arguments: [{ name: 'file', description: 'what sealane ca request wrote' }],
  options: [
    { flags: '--origin <name>', description: 'the lane whose sites it may name', required: true },
    { ...KEY, description: 'the owners’ root key' },
    { flags: '--root <file>', description: 'certificate of the root key (PEM); made when it is not there', required: true },
    { flags: '--days <n>', description: `how long it may issue (default: ${ISSUER_DAYS})` },
    { flags: '--out <file>', description: 'the chain, to be installed on the promoter’s host', required: true },
  ],
  example: 'sealane ca sign site-ca.csr --origin lane.example --key file:ca-root-key.pem --root ca-root.pem --out chain.pem',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { io } = call;
  const at = (name: string): string => path.resolve(io.cwd, textOption(call, name));
  const [origin, rootFile, out] = [textOption(call, 'origin'), at('root'), at('out')];
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(origin))
    throw new PromoterError('USAGE', `read --origin: expected the host name of a lane, got ${JSON.stringify(origin)}`);
  const days = wholeDays(call, ISSUER_DAYS, MAX_ISSUER_DAYS);
  const [{ readAuthorityCsr }, { makeIssuer, makeRoot, checkAuthority }, { certificatePem, readCertificates }] = await Promise.all([
    import('../site-ca/csr.js'),
    import('../site-ca/authority.js'),
    import('../site-ca/x509.js'),
  ]);
  const { name, spki } = await readAuthorityCsr(readNamed(path.resolve(io.cwd, textArgument(call, 0, 'FILE')), 'request'));
  if (name !== siteSubtree(origin))
    throw new PromoterError(
      'CERTIFICATE_REQUEST',
      `certify an issuer for ${origin}: expected a request of ${siteSubtree(origin)}, got one of ${JSON.stringify(name.slice(0, 300))}`,
    );
  // an owner's machine knows no lane: an example key may sign for whoever has it
  const signer = await signerAt(textOption(call, 'key'), { home: homeOf(call), env: io.env, cwd: io.cwd, isExampleLane: true });
  const making = () => ({ origin, nowMs: Date.parse(nowText()), serial: `4${randomHex().slice(1)}` });
  const pem = readOptional(rootFile);
  const [root = await makeRoot(making(), signer)] = pem === undefined ? [] : readCertificates(pem, rootFile);
  const issuer = await makeIssuer(making(), { spki, days }, { certificate: root, signer });
  // also says that --root is of --key: another root has not signed this
  await checkAuthority([issuer, root], { origin, nowMs: Date.parse(nowText()), source: rootFile, issuerSpki: spki });
  if (pem === undefined) writeOutput(rootFile, certificatePem(root));
  writeOutput(out, certificatePem(issuer, root));
  const notAfter = issuer.notAfter.toISOString();
  return {
    exit: 0,
    json: { name, notAfter, root: rootFile, chain: out },
    text: `${name} may issue until ${notAfter}; the chain is in ${out}`,
    hint: `on the promoter’s host: sealane ca install ${shellWord(path.basename(out))}`,
  };
}
