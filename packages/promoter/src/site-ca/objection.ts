/** Why a site's certificate opens no door here, though it holds: what takes a site out of service counts at once, not when its certificate expires. */
import { PromoterError } from '@sealane/core';
import type { Promoter } from '../promoter.js';
import type { CertificateFacts } from '../service/callers.js';
import { standingOf } from '../site/in-force.js';
import { issuedTo } from './issued.js';
import { siteSubtree } from './names.js';

/**
 * The objection to a certificate that names a site of this lane; undefined for one that is in order, and for one of somebody else. Whoever has the issuer's
 * key can make certificates, but not put them into the log: one that is not there is none.
 */
export async function siteObjection(promoter: Promoter, { names, keyId }: CertificateFacts): Promise<string | undefined> {
  const suffix = `.${siteSubtree(promoter.pipeline.lane)}`;
  for (const name of names.filter((each) => each.endsWith(suffix))) {
    const inner = name.slice('DNS:'.length, -suffix.length);
    const [site, stage] = [inner.slice(0, inner.lastIndexOf('.')), inner.slice(inner.lastIndexOf('.') + 1)];
    const objection = await objectionTo(promoter, { site, stage, keyId });
    if (objection !== undefined) return `the certificate of site ${site}: ${objection}`;
  }
  return undefined;
}

async function objectionTo(
  promoter: Promoter,
  { site, stage, keyId }: { readonly site: string; readonly stage: string; readonly keyId: string },
): Promise<string | undefined> {
  try {
    const { record, objection } = await standingOf(promoter, site);
    if (objection !== null) return objection;
    if (record.stage !== stage) return `its record is for ${record.stage}`;
    const issued = await issuedTo(promoter, record.key.id);
    return issued.some(({ certifiedKeyId }) => certifiedKeyId === keyId) ? undefined : 'no certificate with this key was issued to it';
  } catch (error) {
    if (error instanceof PromoterError && error.code === 'SITE_UNKNOWN') return 'there is no such site';
    throw error;
  }
}
