/** What was issued to a site: read out of the log, where every certificate is before anybody has it. */
import { type CertificateRequest, PREDICATE, PromoterError } from '@sealane/core';
import { keySubject, readSiteCertificate, type SiteCertificatePredicate } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';

/** Certificates issued for the key of a site's record, in log order. */
export async function issuedTo({ ledger }: Pick<Promoter, 'ledger'>, keyId: string): Promise<readonly SiteCertificatePredicate[]> {
  const entries = await ledger.statementsAbout(keySubject(keyId), PREDICATE.siteCertificate);
  return entries.map((entry) => readSiteCertificate(statementOf(entry)));
}

/**
 * What the request asks again for: the certificate that answered it before; undefined for a request that comes next.
 *
 * Each request names the certificate before it, so that one which was copied on its way is worth nothing once the site has asked anew: whoever stole the key in
 * it cannot have it certified for ever. The last one may be sent again, since its answer may be lost on the road.
 *
 * @throws PromoterError `CERTIFICATE_DENIED` it comes after another certificate than the last
 */
export function answeredBefore(
  issued: readonly SiteCertificatePredicate[],
  { site, digest, previous }: CertificateRequest,
): SiteCertificatePredicate | undefined {
  const last = issued.at(-1);
  if (last?.request === digest) return last;
  // a request that was answered twice has two certificates, and the site may have either
  const isNext =
    last === undefined ? previous === null : issued.some(({ request, serial }) => request === last.request && serial === previous);
  if (isNext) return undefined;
  throw new PromoterError(
    'CERTIFICATE_DENIED',
    `certify ${site}: expected a request that comes after certificate ${last?.serial ?? 'none'}, got one after ${previous ?? 'none'}`,
  );
}
