/**
 * Admission: what a site checks, offline, before it runs anything (DESIGN, steps 1–5). One pure function of lane bytes, trust state, site facts, local
 * conditions and time; the site acts on it, a plan predicts with it, an auditor replays it.
 */
import { type Digest, TrustError } from '@sealane/core';
import { checkDrain, checkFence, checkHeld, checkRevoked, choiceOf, floorsOf, mergeOrders } from './admission/channel-step.js';
import { type OpenedTrust, openTrustOrLifted } from './admission/exception-step.js';
import type { SiteException } from './admission/types.js';
import { judgeRelease } from './admission/judge-release.js';
import { type LaneReader, laneReader } from './admission/lane-reader.js';
import { type LogView, openLog } from './admission/log-step.js';
import { mailFor } from './admission/mail-step.js';
import { advancedNext, keepsNothing, keptNext, provenState } from './admission/next.js';
import { groupOf, openRecord } from './admission/site-step.js';
import type { TrustedLane } from './admission/trust-step.js';
import type { Admission, AdmissionDraft, AdmitInput, KeptOrders } from './admission/types.js';
import { Refusal, startWalk, type Walk } from './admission/walk.js';
import type { SiteRecordPredicate } from './evidence/predicates/site-record.js';
import { type VerifyTrust, verifyTrustOf } from './evidence/verify-trust.js';
import type { ChannelGroup } from './policy/channel.js';
import { secondsToTime } from './time.js';

/**
 * Judges what the lane offers this site.
 *
 * Never throws for what is in the lane: every refusal is an outcome with its code. `next` must be kept whatever the outcome. After `TRUST_*` and `LOG_*` it is
 * the input's, but for roots that were proven on the way; after any other refusal it is advanced, so that a refused release's channel cannot be replayed away.
 */
export function admit(input: AdmitInput): Admission {
  const walk = startWalk();
  // what to keep when trust or log refuse; grows by the roots that are proven
  let kept = keptNext(input, input.trust);
  const draft: AdmissionDraft = { ...NOTHING, next: kept };
  try {
    const reader = laneReader(input.lane);
    const { lane, stale } = trustStep(input, walk, reader, draft);
    kept = keptNext(input, lane.keptOnRefusal);
    // the draft is filled in on the way: it is read after the verdict
    const verdict = judge({ input, walk, reader, lane, stale, draft });
    return { ...draft, ...verdict, checks: walk.checks };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const next = keepsNothing(error.code) ? { ...kept, trust: provenState(error.source, kept.trust) } : draft.next;
    return { ...draft, next, outcome: 'refused', reason: error.code, checks: walk.checks };
  }
}

const NOTHING = {
  group: null,
  release: null,
  waybill: null,
  decision: null,
  releaseDoc: null,
  variables: null,
  policyDigest: null,
  exception: null,
  mail: null,
  expiresAt: null,
  rootExpiresAt: null,
};

type Verdict = Pick<Admission, 'outcome' | 'reason'>;

const UNCHANGED: Verdict = { outcome: 'unchanged', reason: null };

interface Question {
  readonly input: AdmitInput;
  readonly walk: Walk;
  readonly reader: LaneReader;
  readonly lane: TrustedLane;
  readonly stale: SiteException | undefined;
  readonly draft: AdmissionDraft;
}

function judge({ input, walk, reader, lane, stale, draft }: Question): Verdict {
  const trust = verifyTrustOf(lane.policy);
  const log = logStep(input, walk, reader, lane, trust);
  const orders = mergeOrders(lane, input.siteState.revoked);
  const floors = floorsOf(lane.policy, orders, input.siteState);
  draft.next = advancedNext(input, lane, log, orders, floors);
  draft.mail = mailFor(reader, lane.channel, input.site.name);
  const { record, choice } = choiceStep({ input, walk, reader, lane, stale, draft }, trust, orders);
  if (choice === null || choice.release === input.siteState.installed?.release) return UNCHANGED;
  if (stale !== undefined) staleStep(walk, lane, stale, choice.release);
  draft.exception = stale ?? null;
  walk.step({
    id: 'held',
    expected: `group ${choice.name} is not held, nor its stage frozen`,
    run: () => checkHeld(lane.channel, choice.name, input.now),
    says: () => 'not held',
  });
  if (input.siteState.denied.some(({ release }) => release === choice.release))
    return { outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' };
  judgeRelease({ input, walk, reader, lane, trust, log, floors, choice, record, draft });
  return input.local.hold === null ? { outcome: 'admitted', reason: null } : { outcome: 'deferred', reason: 'LOCAL_HOLD' };
}

function trustStep(input: AdmitInput, walk: Walk, reader: LaneReader, draft: AdmissionDraft): OpenedTrust {
  const opened = walk.step({
    id: 'trust',
    expected: `trust metadata, policy and channel of ${input.site.localStage}, signed and valid at ${input.now}`,
    run: () => openTrustOrLifted(input, reader),
    says: ({ lane: { policy, expiresAt }, stale }) =>
      `policy version ${policy.version}, valid until ${expiresAt}${stale === undefined ? '' : `; expiry is lifted by ${stale.by.join(', ')} until ${stale.expiresAt}: ${stale.reason}`}`,
    evidence: ({ stale }) => stale?.statements ?? [],
  });
  const { lane } = opened;
  draft.policyDigest = lane.policyDigest;
  draft.expiresAt = lane.expiresAt;
  draft.rootExpiresAt = lane.rootExpiresAt;
  return opened;
}

/** Trust that has expired installs what people let through, and nothing else. */
function staleStep(walk: Walk, { expiresAt }: TrustedLane, stale: SiteException, release: Digest): void {
  walk.step({
    id: 'stale',
    expected: `release ${stale.release}: trust has expired, and only that was let through`,
    run: () => {
      if (stale.release !== release)
        throw new TrustError(
          'TRUST_EXPIRED',
          `install ${release}: expected trust that is valid, or that release let through, got an exception for ${stale.release}`,
          {
            expiresAt,
          },
        );
    },
    says: () => 'the release that was let through',
    evidence: () => stale.statements,
  });
}

function logStep(input: AdmitInput, walk: Walk, reader: LaneReader, { policy }: TrustedLane, trust: VerifyTrust): LogView {
  return walk.step({
    id: 'log',
    expected: `a checkpoint of ${policy.lane}, cosigned by ${policy.quorum} witnesses, that extends the one seen before`,
    run: () => openLog(reader, policy.lane, trust, input.siteState.seenCheckpoint),
    says: ({ head }) => `${head.checkpoint.size} entries, witnessed at ${secondsToTime(head.lowestSeconds)}`,
  });
}

/** The site's record, and what the channel wants of it; null when it wants nothing. */
interface SiteChoice {
  readonly record: SiteRecordPredicate;
  readonly choice: ChannelGroup | null;
}

function choiceStep({ input, walk, lane, draft }: Question, trust: VerifyTrust, orders: KeptOrders): SiteChoice {
  const { policy, channel } = lane;
  const { record, group } = walk.step({
    id: 'site',
    expected: `a record of site ${input.site.name}, its key and stage, by the registrar or his delegate; one group of policy`,
    run: () => {
      const opened = openRecord(input.site, policy, trust, input.now);
      return { record: opened, group: groupOf(policy, opened) };
    },
    says: (found) => (found.group === null ? 'in no group' : `in group ${found.group.name}`),
  });
  walk.step({
    id: 'drain',
    expected: 'a site that is not drained',
    run: () => checkDrain(channel, input.site.name),
    says: () => 'not drained',
  });
  walk.step({
    id: 'fence',
    expected: 'a site that is not fenced',
    run: () => checkFence(channel, input.site.name),
    says: () => 'not fenced',
  });
  draft.group = group?.name ?? null;
  if (group === null) return { record, choice: null };
  const choice = walk.step({
    id: 'channel',
    expected: `a release for group ${group.name}`,
    run: () => choiceOf(channel, group),
    says: (found) => (found === null ? 'none yet' : `release ${found.release}`),
  });
  if (choice === null) return { record, choice };
  draft.release = choice.release;
  draft.waybill = choice.waybill;
  walk.step({
    id: 'revoked',
    expected: 'a release that is not revoked',
    run: () => checkRevoked(orders, choice.release),
    says: () => 'not revoked',
  });
  return { record, choice };
}
