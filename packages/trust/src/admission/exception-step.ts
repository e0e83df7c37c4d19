/**
 * Exceptions that a site uses itself: signed by enough people whom the policy that it holds names, for this very site, key, stage and release, logged,
 * and in force. Whether it was used before only the site's journal knows.
 */
import { type JsonObject, SealaneError, TrustError } from '@sealane/core';
import { type ParsedBundle, parseBundle } from '../evidence/bundle.js';
import { type ExceptionPredicate, exceptionTerms, isSiteKind, readException } from '../evidence/predicates/exception.js';
import type { VerifiedStatement } from '../evidence/statement-checks.js';
import { type VerifyTrust, verifyTrustOf } from '../evidence/verify-trust.js';
import { verifyStatement } from '../evidence/verify-statement.js';
import { exceptionSigners, grantingPeople, isWithin } from '../policy/exception-rule.js';
import type { Policy, PolicyExceptionRule } from '../policy/policy-types.js';
import { laneReader } from './lane-reader.js';
import { openRecord } from './site-step.js';
import { openTrust, type TrustedLane } from './trust-step.js';
import type { AdmitInput, SiteException, SiteFacts } from './types.js';
import type { LaneReader } from './lane-reader.js';

/** Most signatures of one exception: what a policy can ask for. */
const MAX_SIGNATURES = 64;

/**
 * Judges the signatures of one exception by the policy that the site holds. Expiry of what online keys sign is not judged here: that may be what the
 * exception is for.
 *
 * @throws TrustError `EXCEPTION_INVALID` with the reason; `TRUST_*` where the policy itself cannot be verified; `SITE_MISMATCH`
 */
export function judgeSiteException(input: AdmitInput, bundles: readonly JsonObject[]): SiteException {
  const { policy } = openTrust({ ...input, freshness: 'lifted' }, laneReader(input.lane));
  const trust = verifyTrustOf(policy);
  openRecord(input.site, policy, trust, input.now);
  return readSiteException(bundles, { policy, trust, site: input.site, now: input.now });
}

/** Trust that has expired, and the exception that lets an install through all the same; none where trust is fresh. */
export interface OpenedTrust {
  readonly lane: TrustedLane;
  readonly stale: SiteException | undefined;
}

/** As `openTrust`, but where trust has expired people may lift that. @throws TrustError as `openTrust` */
export function openTrustOrLifted(input: AdmitInput, reader: LaneReader): OpenedTrust {
  try {
    return { lane: openTrust(input, reader), stale: undefined };
  } catch (error) {
    if (!(error instanceof TrustError) || error.code !== 'TRUST_EXPIRED') throw error;
    const lifted = liftedTrust(input, reader);
    if (lifted === undefined) throw error;
    return lifted;
  }
}

/** One that does not count, or trust that does not hold otherwise either, lifts nothing: then the refusal is what it was. */
function liftedTrust(input: AdmitInput, reader: LaneReader): OpenedTrust | undefined {
  for (const bundles of input.exceptions ?? []) {
    try {
      const lane = openTrust({ ...input, freshness: 'lifted' }, reader);
      const stale = readSiteException(bundles, {
        policy: lane.policy,
        trust: verifyTrustOf(lane.policy),
        site: input.site,
        now: input.now,
      });
      // of several that were taken in, one for what the channel wants now
      if (stale.kind === 'stale' && lane.channel.groups.some(({ release }) => release === stale.release)) return { lane, stale };
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
    }
  }
  return undefined;
}

interface ExceptionContext {
  readonly policy: Policy;
  readonly trust: VerifyTrust;
  readonly site: Pick<SiteFacts, 'name' | 'keyId'>;
  readonly now: string;
}

function readSiteException(bundles: readonly JsonObject[], context: ExceptionContext): SiteException {
  if (bundles.length === 0 || bundles.length > MAX_SIGNATURES) throw invalid(`1 to ${MAX_SIGNATURES} signatures`, String(bundles.length));
  const parsed = bundles.map(parsedBundle);
  const [first, ...others] = parsed.map(({ exception }) => exception);
  if (first === undefined || others.some((other) => exceptionTerms(other) !== exceptionTerms(first)))
    throw invalid('signatures under the same terms', 'others');
  const { kind } = first;
  const rule = context.policy.exceptions?.find((each) => each.kind === kind);
  if (!isSiteKind(kind) || rule === undefined) throw invalid('a kind that policy allows at a site', kind);
  checkBinding(first, context);
  const signed = parsed.map(({ bundle, exception }) => verifySignature(bundle, exception, context, rule));
  const by = grantingPeople(
    context.policy,
    rule,
    signed.map(({ keyId }) => keyId),
  );
  if (by.length < rule.need) throw invalid(`signatures of ${rule.need} people`, `those of ${by.join(', ') || 'nobody'}`);
  const { release, role, uses, nonce, expiresAt, reason } = first;
  return {
    kind,
    release,
    ...(role === undefined ? {} : { role }),
    uses,
    nonce,
    expiresAt,
    reason,
    by,
    statements: [...new Set(signed.map(({ digest }) => digest))].sort(),
  };
}

function parsedBundle(json: JsonObject): { readonly bundle: ParsedBundle; readonly exception: ExceptionPredicate } {
  try {
    const bundle = parseBundle(json);
    return { bundle, exception: readException(bundle.statement) };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    throw invalid('statements of exceptions', error.message);
  }
}

function checkBinding({ stage, site, expiresAt }: ExceptionPredicate, { policy, site: here, now }: ExceptionContext): void {
  if (stage !== policy.stage) throw invalid(`one for stage ${policy.stage}`, `one for ${stage}`);
  if (site?.name !== here.name) throw invalid(`one for site ${here.name}`, `one for ${site?.name ?? 'none'}`);
  if (site.keyId !== here.keyId) throw invalid(`one for key ${here.keyId}`, `one for ${site.keyId}: this site was enrolled anew`);
  if (expiresAt <= now) throw invalid(`one in force at ${now}`, `one until ${expiresAt}`);
}

/** Logged and cosigned: nobody grants what others cannot see. The time that witnesses gave is as good a clock as the site's own. */
function verifySignature(
  bundle: ParsedBundle,
  exception: ExceptionPredicate,
  { policy, trust }: ExceptionContext,
  rule: PolicyExceptionRule,
): VerifiedStatement {
  const signed = verified(bundle, { trust, signers: exceptionSigners(policy, rule) });
  if (signed.witnessed === null || signed.witnessed.lowest >= exception.expiresAt)
    throw invalid('one that witnesses saw before it expired', `one seen at ${signed.witnessed?.lowest ?? 'no time'}`);
  if (!isWithin(rule, exception, signed.witnessed.highest))
    throw invalid(
      `at most ${rule.maxDays} days and ${rule.maxUses} uses, from when it was issued`,
      `one of ${exception.issuedAt} until ${exception.expiresAt}, seen at ${signed.witnessed.highest}`,
    );
  return signed;
}

function verified(bundle: ParsedBundle, options: Parameters<typeof verifyStatement>[1]): VerifiedStatement {
  try {
    return verifyStatement(bundle, { ...options, signerCode: 'EXCEPTION_INVALID' });
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    throw invalid('signatures by people of policy, each in the log', error.message);
  }
}

function invalid(expected: string, got: string): TrustError {
  return new TrustError('EXCEPTION_INVALID', `check an exception: expected ${expected}, got ${got}`);
}
