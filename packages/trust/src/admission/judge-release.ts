/** The steps about the release itself, after trust, log and site hold. */
import { TrustError } from '@sealane/core';
import type { SiteRecordPredicate } from '../evidence/predicates/site-record.js';
import type { VerifyTrust } from '../evidence/verify-trust.js';
import type { ChannelGroup } from '../policy/channel.js';
import type { Floor } from '../policy/policy-types.js';
import { renderVariables } from '../site-variables.js';
import { lowestCounter } from './channel-step.js';
import { checkFloor, openDecision } from './decision-step.js';
import { recheckGates, worstOf } from './gates-step.js';
import type { LaneReader } from './lane-reader.js';
import type { LogView } from './log-step.js';
import { checkManifest, openRelease } from './release-step.js';
import type { TrustedLane } from './trust-step.js';
import type { AdmissionDraft, AdmitInput } from './types.js';
import { Refusal, type Walk } from './walk.js';
import { checkEvidenceBlobs, openWaybill, verifyWaybill } from './waybill-step.js';

/** What has been verified so far, and the release that the channel wants of this site. */
export interface ReleaseQuestion {
  readonly input: AdmitInput;
  readonly walk: Walk;
  readonly reader: LaneReader;
  readonly lane: TrustedLane;
  readonly trust: VerifyTrust;
  readonly log: LogView;
  readonly floors: readonly Floor[];
  readonly choice: ChannelGroup;
  readonly record: SiteRecordPredicate;
  readonly draft: AdmissionDraft;
}

/**
 * Walks through waybill, decision, release, gates and floor: what makes this release one that may run here.
 *
 * @throws Refusal
 */
export function judgeRelease({ input, walk, reader, lane, trust, log, floors, choice, record, draft }: ReleaseQuestion): void {
  const { policy, policyDigest } = lane;
  const waybill = walk.step({
    id: 'waybill',
    expected: `the waybill of release ${choice.release} for ${policy.stage}, with its reports and inventories`,
    run: () => {
      const opened = openWaybill(reader, choice, policy.stage);
      checkEvidenceBlobs(reader, opened);
      return opened;
    },
    says: ({ bundles }) => `${bundles.length} statements`,
  });
  const found = walk.step({
    id: 'statements',
    expected: 'statements signed by keys of policy, each logged, under cosigned checkpoints of the one log',
    run: () => verifyWaybill(waybill, trust, log),
    says: ({ statements, refused }) => `${statements.length} count, ${refused.length} do not`,
    evidence: ({ statements }) => statements.map(({ digest }) => digest),
  });
  const decision = walk.step({
    id: 'decision',
    expected: `a decision of ${policy.stage} that lets it in, for group ${choice.name}`,
    run: () => openDecision(waybill, found, policy, policyDigest, choice.name),
    says: ({ counter, from }) => `PASSED, counter ${counter}, log index ${from.logIndex}`,
    evidence: ({ from }) => [from.digest],
  });
  draft.decision = { digest: decision.from.digest, counter: decision.counter, logIndex: decision.from.logIndex };
  const releaseDoc = walk.step({
    id: 'release',
    expected: 'a release manifest with the components that the author signed',
    run: () => {
      const opened = openRelease(choice.release, found, policy);
      checkManifest(reader, choice.release, opened);
      return opened;
    },
    says: ({ name, version, components }) => `${name} ${version}, ${components.length} components`,
  });
  const { name, version, components, irreversible = false, declares } = releaseDoc;
  const secrets = declares?.secrets ?? [];
  draft.releaseDoc = { name, version, components, irreversible, secrets };
  const gates = recheckGates(reader, found, {
    release: choice.release,
    releaseDoc,
    policy,
    policyDigest,
    decision,
    floors,
    site: input.site,
    record,
    installed: input.siteState.installed,
  });
  walk.checks.push(...gates);
  const worst = worstOf(gates);
  if (worst !== undefined) throw new Refusal(worst.code ?? 'GATE_ERROR', null);
  // policy does not decide this: the author's word on what may be set is for every site
  const declared = declares?.variables ?? [];
  const variables = walk.step({
    id: 'variables',
    expected: `a value in its range for each of ${declared.length} variables, and no other`,
    run: () => renderVariables(declared, input.site.variables ?? {}),
    says: (values) => `${Object.keys(values).length} values`,
  });
  draft.variables = declared.length === 0 ? null : variables;
  if (secrets.length > 0)
    walk.step({
      id: 'secrets',
      expected: `a value sealed to this site for each of ${secrets.length} secrets`,
      run: () => checkSecrets(secrets, input.site.secrets ?? []),
      says: () => `${secrets.length} secrets`,
    });
  walk.step({
    id: 'floor',
    expected: `a counter of ${lowestCounter(floors)} or above`,
    run: () => checkFloor(decision, floors),
    says: () => `counter ${decision.counter}`,
  });
}

function checkSecrets(needed: readonly string[], held: readonly string[]): void {
  const missing = needed.filter((name) => !held.includes(name));
  if (missing.length > 0)
    throw new TrustError(
      'SECRET_MISSING',
      `look for the secrets of this release: expected a value of each, got none of ${missing.join(', ')}`,
    );
}
