/** Step 3: the site. Its record is the registrar's word, or a delegate's while the registrar's delegation holds; which group it belongs to is policy's. The channel decides neither. */
import { canonicalJson, equalBytes, fromBase64, SealaneError, TrustError, verifyEnvelope } from '@sealane/core';
import { hintOf, type ParsedBundle } from '../evidence/bundle.js';
import { type DelegationPredicate, readDelegation } from '../evidence/predicates/delegation.js';
import { readSiteRecord, type SiteRecordPredicate } from '../evidence/predicates/site-record.js';
import { readRecordFile } from '../evidence/record-file.js';
import type { VerifyTrust } from '../evidence/verify-trust.js';
import { verifyStatement } from '../evidence/verify-statement.js';
import type { Policy, PolicyGroup } from '../policy/policy-types.js';
import type { SiteFacts } from './types.js';

/**
 * Verifies the site's record and that it is of this site: name, key and stage. `now` is the site's trusted time.
 *
 * @throws TrustError `SITE_MISMATCH`
 */
export function openRecord(site: SiteFacts, policy: Policy, trust: VerifyTrust, now: string): SiteRecordPredicate {
  const record = asMismatch(site, () => {
    const { record: bundle, delegation } = readRecordFile(site.record);
    checkRegistrar(delegation ?? bundle, policy, trust);
    return delegation === null ? readSiteRecord(bundle.statement) : checkDelegatedRecord(bundle, readDelegation(delegation.statement), now);
  });
  if (record.site !== site.name) throw mismatch(site, `a record of ${site.name}`, `one of ${record.site}`);
  if (record.key.id !== site.keyId)
    throw mismatch(site, `a record of key ${site.keyId}`, `one of ${record.key.id}: enrolled anew, or a clone`);
  if (record.stage !== site.localStage) throw mismatch(site, `a record of stage ${site.localStage}`, `one of ${record.stage}`);
  return record;
}

/**
 * A key that still signs needs no proof of when: a registrar's offline key may sign before any log can be reached. A key that was ended counts for
 * what is proved to be logged before its end.
 */
function checkRegistrar(bundle: ParsedBundle, policy: Policy, trust: VerifyTrust): void {
  const keyId = policy.registrar.find((id) => hintOf(trust.keys.get(id)?.spki ?? new Uint8Array()) === bundle.hint);
  const key = keyId === undefined ? undefined : trust.keys.get(keyId);
  if (keyId === undefined || key === undefined)
    throw new TrustError('SITE_MISMATCH', 'verify the site record: expected one by the registrar that policy names, got another');
  if (key.untilIndex !== null) {
    verifyStatement(bundle, { trust, signers: policy.registrar, signerCode: 'SITE_MISMATCH' });
  } else if (!verifyEnvelope(bundle.envelope, key.spki)) {
    throw new TrustError('SITE_MISMATCH', `verify the site record: expected a signature by registrar ${keyId}, got another`);
  }
}

/**
 * A delegate's record against the delegation, which the caller has verified: by the delegate's key, while it holds, of a site that it names, saying of it what the
 * registrar said.
 *
 * @throws TrustError `SITE_MISMATCH`
 */
export function checkDelegatedRecord(bundle: ParsedBundle, delegation: DelegationPredicate, now: string): SiteRecordPredicate {
  const { delegate, stage, sites, expiresAt } = delegation;
  const refuse = (expected: string, got: string): TrustError =>
    new TrustError('SITE_MISMATCH', `verify the record of a replaced node: expected ${expected}, got ${got}`);
  if (!verifyEnvelope(bundle.envelope, fromBase64(delegate.spki))) throw refuse(`a signature by delegate ${delegate.id}`, 'another');
  if (now >= expiresAt)
    throw refuse(`a delegation that holds at ${now}`, `one until ${expiresAt}: the registrar gives a record of its own`);
  const record = readSiteRecord(bundle.statement);
  const named = sites.find(({ site }) => site === record.site);
  if (record.stage !== stage || named === undefined)
    throw refuse(`a site of stage ${stage} that the delegation names`, `${record.site} of ${record.stage}`);
  const said = ({ labels, topology }: Pick<SiteRecordPredicate, 'labels' | 'topology'>): Uint8Array =>
    canonicalJson({ labels, ...(topology === undefined ? {} : { topology }) });
  if (!equalBytes(said(record), said(named))) throw refuse(`the labels and topology that the delegation has for ${record.site}`, 'others');
  return record;
}

/**
 * The one group of policy whose selector the site's labels match; null when there is none.
 *
 * @throws TrustError `SITE_MISMATCH` more than one: which release is meant would be chance
 */
export function groupOf(policy: Policy, record: SiteRecordPredicate): PolicyGroup | null {
  const groups = policy.groups.filter(({ match }) =>
    Object.entries(match).every(([name, value]) => Object.hasOwn(record.labels, name) && record.labels[name] === value),
  );
  if (groups.length <= 1) return groups[0] ?? null;
  const names = groups.map(({ name }) => name).join(', ');
  throw new TrustError('SITE_MISMATCH', `find the group of site ${record.site}: expected one that its labels match, got ${names}`);
}

function asMismatch<T>(site: SiteFacts, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    throw new TrustError('SITE_MISMATCH', `read the record of site ${site.name}: ${error.message}`, error.data, { cause: error });
  }
}

function mismatch(site: SiteFacts, expected: string, got: string): TrustError {
  return new TrustError('SITE_MISMATCH', `check the record of site ${site.name}: expected ${expected}, got ${got}`);
}
