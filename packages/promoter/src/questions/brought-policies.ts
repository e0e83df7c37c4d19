/** Policies that somebody brings to ask about: those that a proposal changes, or one policy by itself. Nobody has signed them, and nothing is believed of them. */
import { canonicalJson, type Digest, fromUtf8, type JsonValue, LIMITS, parseStrictJson, PromoterError, restate } from '@sealane/core';
import { parsePolicy, type Policy, policyDigest } from '@sealane/trust';
import type { LaneTrust, StageTrust } from '../trust/lane-trust.js';
import { type PolicyChange, withBytes } from '../trust/policy-effects.js';
import { MAX_PROPOSAL_BYTES, parseProposal } from '../trust/proposal.js';

/** What was brought: policies by stage, and those that they are to take the place of where it says so. */
export interface BroughtPolicies {
  readonly source: string;
  readonly after: ReadonlyMap<string, Uint8Array>;
  readonly before: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads a proposal, as `trust propose` writes it, or a policy.
 *
 * @throws PromoterError `CONFIG_INVALID` it is neither
 */
export function readBrought(bytes: Uint8Array, source: string): BroughtPolicies {
  const limits = { maxBytes: MAX_PROPOSAL_BYTES, maxDepth: LIMITS.jsonDepth };
  const value = restate(
    'CONFIG_INVALID',
    () => parseStrictJson(bytes, limits),
    (why) => `read ${source}: expected a proposal or a policy: ${why}`,
  );
  if (kindOf(value) === 'TrustProposal') {
    const { files, currentFiles } = parseProposal(bytes, source);
    return { source, after: byStage(files), before: byStage(currentFiles) };
  }
  if (kindOf(value) === 'Policy') {
    const policy = canonicalJson(value);
    const { stage } = restate(
      'CONFIG_INVALID',
      () => parsePolicy(policy),
      (why) => `read ${source}: ${why}`,
    );
    return { source, after: new Map([[stage, policy]]), before: new Map() };
  }
  throw new PromoterError('CONFIG_INVALID', `read ${source}: expected a TrustProposal or a Policy, got another kind`, { source });
}

/** What would change in a lane, and the stages of which nothing can be said since it has none of that name. */
export interface BroughtChanges {
  readonly changes: readonly PolicyChange[];
  readonly newStages: readonly string[];
}

/**
 * Policies that were brought, each beside the one that it would replace.
 *
 * @throws PromoterError `CONFIG_INVALID` of another lane; `TRUST_MISMATCH` it would replace a policy that this lane neither publishes nor accepts
 */
export function changesOf(
  { source, after, before }: BroughtPolicies,
  { stages, origin }: Pick<LaneTrust, 'stages' | 'origin'>,
): BroughtChanges {
  const changes: PolicyChange[] = [];
  const newStages: string[] = [];
  for (const [stage, bytes] of after) {
    const published = stages.get(stage);
    const { lane, stage: own } = parsePolicy(bytes);
    if (lane !== origin || own !== stage)
      throw new PromoterError(
        'CONFIG_INVALID',
        `read ${source}: expected a policy of ${origin} for ${stage}, got one of ${lane} for ${own}`,
        {
          source,
        },
      );
    if (published === undefined) newStages.push(stage);
    else changes.push({ before: earlier(published, before.get(stage), source), after: withBytes(published, bytes) });
  }
  return { changes, newStages };
}

/** The policy that is replaced: what a proposal says that it is has to be one that owners published. */
function earlier(published: StageTrust, bytes: Uint8Array | undefined, source: string): StageTrust {
  const digest: Digest = bytes === undefined ? published.digest : policyDigest(bytes);
  if (bytes === undefined || digest === published.digest) return published;
  if (published.policy.accepts.some((each) => each.digest === digest)) return withBytes(published, bytes);
  throw new PromoterError(
    'TRUST_MISMATCH',
    `read ${source}: expected it to change a policy of ${published.policy.stage} that this lane publishes or accepts, got ${digest}`,
    { source },
    { hint: 'ask a copy of the lane that it was made for' },
  );
}

/** Gates whose settings are rules in a language: what one rule costs only those who sign it have to bear. */
const RULES: readonly string[] = ['cel', 'windows'];

/**
 * Refuses rules that the published policy of the stage does not have: for a process in which others wait for their turn, an order that calls a release back among them.
 *
 * @throws PromoterError `USAGE`
 */
export function expectSignedRules({ source, after }: BroughtPolicies, { stages }: Pick<LaneTrust, 'stages'>): void {
  for (const [stage, bytes] of after) {
    const published = stages.get(stage);
    // of a stage that is not there nothing is judged
    if (published === undefined) continue;
    const signed = rulesOf(published.policy);
    for (const rule of rulesOf(parsePolicy(bytes))) {
      const at = signed.indexOf(rule);
      if (at < 0)
        throw new PromoterError(
          'USAGE',
          `read ${source}: expected the rules of ${RULES.join(' and ')} that the policy of ${stage} has, since a service runs none that no owner has signed, got another`,
          { source, stage },
          { hint: 'ask a copy of the lane, where nobody waits: sealane audit policy FILE --home COPY' },
        );
      // as often as it was signed
      signed.splice(at, 1);
    }
  }
}

function rulesOf({ gates }: Policy): string[] {
  return gates.filter(({ use }) => RULES.includes(use)).map((gate) => fromUtf8(canonicalJson({ use: gate.use, with: gate.with })));
}

/** The policies among files by the path in the repository. */
function byStage(files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  return new Map(
    [...files].flatMap(([path, bytes]): (readonly [string, Uint8Array])[] => {
      const stage = /^policy\/([^/]+)\.json$/.exec(path)?.[1];
      return stage === undefined ? [] : [[stage, bytes]];
    }),
  );
}

function kindOf(value: JsonValue): unknown {
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
}
