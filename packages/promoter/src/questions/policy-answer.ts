/** "What would a policy change have let through?": the log of a time judged again, each refusal and what ran under the policy before and the one that was brought. */
import { type Digest, PREDICATE } from '@sealane/core';
import {
  type Answered,
  type Asked,
  assignmentsIn,
  type AuditContext,
  doubt,
  type Fact,
  FACT,
  factsIn,
  inquire,
  type Inquiry,
  readWholeLog,
  sizeKnownAt,
  spanOf,
  type WholeLog,
} from '@sealane/auditor';
import { pastLedger } from '@sealane/ledger';
import { type DecisionPredicate, decisionPolicy, type OrderPredicate, type WitnessedTime } from '@sealane/trust';
import type { Judgement } from '../decision/judge.js';
import type { LaneCopy } from '../decision/replay.js';
import { policyChanges } from '../trust/policy-changes.js';
import {
  changeEffects,
  type Decided,
  type EffectSource,
  type LiveRelease,
  MAX_JUDGED,
  type PolicyEffects,
} from '../trust/policy-effects.js';
import type { LaneTrust } from '../trust/lane-trust.js';
import { type BroughtPolicies, changesOf } from './brought-policies.js';
import { citeJudgement } from './cite-judgement.js';

/** The answer. */
export interface PolicyAnswer extends PolicyEffects {
  /** Each policy that would be another, by digest, what of it, and how much was judged: refusals that nothing had overtaken, the latest ones. */
  readonly policies: readonly {
    readonly stage: string;
    readonly before: Digest;
    readonly after: Digest;
    readonly changes: readonly string[];
    readonly decisions: number;
    readonly refusals: number;
    readonly judged: number;
  }[];
  /** When refusals are judged again. What runs is judged at the time of its decision. */
  readonly judgedAt: WitnessedTime;
  /** No decision was left out: every entry was read. */
  readonly scanned: WholeLog;
  readonly notSeen: readonly string[];
}

/** The lane that the question is asked of, and a pause between two judgements, in which others have their turn. */
export interface PolicyPlace {
  readonly home: LaneCopy['home'];
  readonly lane: Pick<LaneTrust, 'stages' | 'origin'>;
  readonly breathe: () => Promise<void>;
}

/** What stages decided and ordered, by the time that is asked about. */
interface Said {
  readonly decisions: Fact<DecisionPredicate>[];
  readonly orders: Fact<OrderPredicate>[];
}

/**
 * Answers for policies that were brought.
 *
 * @throws PromoterError as `changesOf`; AuditorError `LOG_WITNESS`, `PROOF_MISMATCH`
 */
export async function policyAnswer(
  context: AuditContext,
  place: PolicyPlace,
  brought: BroughtPolicies,
  asked: Asked = {},
): Promise<Answered<PolicyAnswer>> {
  const { changes, newStages } = changesOf(brought, place.lane);
  const words = changes.map(({ after }) => `${after.policy.stage} ${after.digest}`).join(', ');
  return await inquire(context, `policy ${words === '' ? 'of no stage' : words}`, asked, async (inquiry) => {
    const said: Said = { decisions: [], orders: [] };
    const scanned = await readWholeLog(inquiry, [PREDICATE.decision, PREDICATE.order], async (entries) => {
      said.decisions.push(...(await factsIn(inquiry, FACT.decision, entries)));
      said.orders.push(...(await factsIn(inquiry, FACT.order, entries)));
    });
    const judgedAt = await spanOf(inquiry);
    const source = await sourceOf(inquiry, { place, context, said, size: scanned.entries, at: judgedAt });
    const policies: PolicyAnswer['policies'][number][] = [];
    const effects = { letsIn: [] as PolicyEffects['letsIn'][number][], refuses: [] as PolicyEffects['refuses'][number][] };
    for (const change of changes) {
      const { letsIn, refuses, refusals, judged } = await changeEffects(source, change);
      const { before, after } = change;
      const { stage } = before.policy;
      effects.letsIn.push(...letsIn);
      effects.refuses.push(...refuses);
      const decisions = (await source.decided(stage)).length;
      const differs = policyChanges(after.policy, before.policy);
      policies.push({ stage, before: before.digest, after: after.digest, changes: differs, decisions, refusals, judged });
    }
    return { policies, ...effects, judgedAt, scanned, notSeen: notSeenIn(policies, newStages, inquiry) };
  });
}

interface SourceParts {
  readonly place: PolicyPlace;
  readonly context: AuditContext;
  readonly said: Said;
  /** How much of the log is known. */
  readonly size: number;
  readonly at: WitnessedTime;
}

/**
 * What the gates would have read. Evidence counts for them from when it is in the log: of a time that is asked about they read what witnesses had seen by then.
 */
async function sourceOf(inquiry: Inquiry, { place, context, said, size, at }: SourceParts): Promise<EffectSource> {
  const { asOf } = inquiry;
  const read = asOf === undefined ? size : Math.min(size, await sizeKnownAt(inquiry.context, asOf));
  return {
    home: place.home,
    lane: place.lane,
    // gates are asked of the ledger itself: it reads nothing as if it had never been there that was erased
    ledger: pastLedger(context.ledger, read),
    now: () => at.highest,
    at,
    decided: (stage) => Promise.resolve(said.decisions.filter((fact) => stageOf(fact) === stage).map(decidedIn)),
    live: (stage) => Promise.resolve(liveIn(said, stage)),
    before: (index) => pastLedger(context.ledger, index),
    witnessed: inquiry.context.ledger,
    judged: async (judgement: Judgement) => {
      await citeJudgement(inquiry, judgement);
      await place.breathe();
    },
    notJudged: ({ statementDigest, index }, { code, message }) => {
      doubt(inquiry.evidence, { statementDigest, index }, code, `it cannot be judged again: ${message}`);
    },
  };
}

function stageOf({ said }: Fact<DecisionPredicate>): string {
  return said.sealane_promotion.to;
}

function decidedIn({ said, entry }: Fact<DecisionPredicate>): Decided {
  const { statementDigest, index } = entry;
  return {
    release: said.sealane_promotion.release,
    statementDigest,
    index,
    result: said.verificationResult,
    policy: decisionPolicy(said),
    rollout: said.sealane_promotion.rollout,
  };
}

/** What each group was told to run last, as the log says it, and the decision that let it in there. */
function liveIn(said: Said, stage: string): readonly LiveRelease[] {
  const live = new Map<Fact<DecisionPredicate>, string[]>();
  for (const { group, release, logIndex } of assignmentsIn(said, stage).byGroup.values()) {
    const decision = said.decisions.findLast((fact) => stageOf(fact) === stage && isPassOf(fact, release) && fact.entry.index <= logIndex);
    if (decision !== undefined) live.set(decision, [...(live.get(decision) ?? []), group]);
  }
  return [...live].map(([decision, groups]) => ({ decision: decidedIn(decision), groups }));
}

function isPassOf({ said }: Fact<DecisionPredicate>, release: Digest): boolean {
  return said.verificationResult === 'PASSED' && said.sealane_promotion.release === release;
}

function notSeenIn(policies: PolicyAnswer['policies'], newStages: readonly string[], { asOf }: Inquiry): readonly string[] {
  const older = policies.filter(({ refusals, judged }) => judged < refusals);
  return [
    ...older.map(
      ({ stage, refusals }) => `${refusals - MAX_JUDGED} older refusals of ${stage}: the latest ${MAX_JUDGED} were judged again`,
    ),
    ...newStages.map((stage) => `what ${stage} would let in: this lane has no such stage, and nothing was decided there`),
    ...(asOf === undefined ? [] : ['what was so by then and came into the log later: gates read what is in it']),
    'what was never asked of the promoter: a promotion that waits is not logged',
    'whether the index of this copy names all that was said of each release: sealane audit verify says so',
  ];
}
