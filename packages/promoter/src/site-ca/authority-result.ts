/** An authority as commands tell of it. */
import { sha256 } from '@sealane/core';
import type { CommandResult } from '@sealane/core/command-line';
import { commonName, type SiteAuthority } from './authority.js';
import { certificatePem, derOf } from './x509.js';

/** Names, lives and digests of issuer and root, and the root in PEM for those who are to know it. */
export function authorityResult({ issuer, root }: SiteAuthority): CommandResult {
  const described = [issuer, root].map((certificate) => ({
    name: commonName(certificate),
    notAfter: certificate.notAfter.toISOString().replace('.000Z', 'Z'),
    digest: sha256(derOf(certificate)),
  }));
  const json = { issuer: described[0] ?? null, root: described[1] ?? null, rootPem: certificatePem(root) };
  return { exit: 0, json, text: described.map(({ name, notAfter, digest }) => `${name}  until ${notAfter}  ${digest}`).join('\n') };
}
