/** The authority of this home: its chain in `ca/chain.pem`, the issuer's key among the others. */
import { PromoterError, type Signer } from '@sealane/core';
import { readOptional } from '../disk-shell.js';
import type { Promoter } from '../promoter.js';
import { checkAuthority, type SiteAuthority } from './authority.js';
import { chainFile, ISSUER_KEY, issuerKeyFiles } from './names.js';
import { readCertificates } from './x509.js';

/**
 * The authority, with who signs for it.
 *
 * @throws PromoterError `AUTHORITY_MISSING`; `AUTHORITY_INVALID` expired, of another lane or key; as the key's signer
 */
export async function homeAuthority(promoter: Promoter): Promise<{ readonly authority: SiteAuthority; readonly signer: Signer }> {
  const file = chainFile(promoter.home);
  const pem = readOptional(file);
  if (pem === undefined)
    throw new PromoterError('AUTHORITY_MISSING', `open the authority of site certificates: expected ${file}, got nothing`);
  const signer = await issuerSigner(promoter);
  const authority = await checkAuthority(readCertificates(pem, file), {
    origin: promoter.pipeline.lane,
    nowMs: Date.parse(promoter.now()),
    source: file,
    issuerSpki: signer.spki,
  });
  return { authority, signer };
}

/** Who signs as the issuer. @throws PromoterError `AUTHORITY_MISSING` this home was never asked to make its key */
export async function issuerSigner({ home, signer }: Promoter): Promise<Signer> {
  const files = issuerKeyFiles(home);
  if (files.every((file) => readOptional(file) === undefined))
    throw new PromoterError('AUTHORITY_MISSING', `open the key that issues certificates of sites: expected ${files[0] ?? ''}, got nothing`);
  return await signer(ISSUER_KEY);
}
