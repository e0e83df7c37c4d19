/** The registrar's word that this site is one no more: judged by the policy that the site holds, whatever stage key brought it. */
import { type Digest, type JsonObject, TrustError } from '@sealane/core';
import { parseBundle } from '../evidence/bundle.js';
import { readRetirement } from '../evidence/predicates/retirement.js';
import { verifyStatement } from '../evidence/verify-statement.js';
import { verifyTrustOf } from '../evidence/verify-trust.js';
import { laneReader } from './lane-reader.js';
import { openTrust } from './trust-step.js';
import type { AdmitInput } from './types.js';

/** A retirement that counts here. */
export type SiteRetirement = {
  readonly statement: Digest;
  readonly keyId: string;
  readonly reason: string;
};

/**
 * Judges a retirement: signed by a registrar of the policy held here, logged under the witness quorum, for this very name, key and stage. One for a key that this
 * site had before says nothing of a site that was enrolled anew. Expiry of what online keys sign is not judged: a site that nobody refreshes is retired too.
 *
 * @throws TrustError `SITE_MISMATCH` it is for another site, or by no registrar; `LOG_*`, `KEY_REVOKED`, `WAYBILL_SIGNATURE`; `TRUST_*`
 */
export function judgeRetirement(input: AdmitInput, bundle: JsonObject): SiteRetirement {
  const { policy } = openTrust({ ...input, freshness: 'lifted' }, laneReader(input.lane));
  const parsed = parseBundle(bundle);
  const { digest } = verifyStatement(parsed, { trust: verifyTrustOf(policy), signers: policy.registrar, signerCode: 'SITE_MISMATCH' });
  const { site, keyId, stage, reason } = readRetirement(parsed.statement);
  const pairs = [
    ['site', site, input.site.name],
    ['key', keyId, input.site.keyId],
    ['stage', stage, input.site.localStage],
  ] as const;
  for (const [what, got, expected] of pairs)
    if (got !== expected) throw new TrustError('SITE_MISMATCH', `take in a retirement: expected one for ${what} ${expected}, got ${got}`);
  return { statement: digest, keyId, reason };
}
