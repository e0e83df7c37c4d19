/** What was decided about a release: under which policy, why it was refused, and what was said between a refusal and the pass that followed. */
import type { Digest } from '@sealane/core';
import { type DecisionPredicate, decisionPolicy, type RecordedCheck } from '@sealane/trust';
import { aboutRelease, type AboutRelease, nameOf, type NamedRelease } from './about-release.js';
import { type AuditContext, policyOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn } from './facts.js';
import { type Answered, type Asked, inquire } from './inquiry.js';

export interface Decisions extends NamedRelease {
  readonly decisions: readonly {
    readonly stage: string;
    readonly from: string | null;
    readonly result: string;
    readonly counter: number | null;
    readonly at: string;
    readonly rollout: readonly string[];
    /** The policy that decided, and what may be run to make the decision again under it. */
    readonly policy: Digest;
    readonly replay: string;
    readonly checks: readonly RecordedCheck[];
    /** After a refusal: the next pass of the stage for any of its groups, for which of them, and what was logged about the release in between. Null: none followed. */
    readonly then: {
      readonly statement: Digest;
      readonly at: string;
      readonly groups: readonly string[];
      readonly between: readonly Said[];
    } | null;
    readonly statement: Digest;
    readonly logIndex: number;
  }[];
}

interface Said {
  readonly predicateType: string;
  readonly statement: Digest;
  readonly logIndex: number;
}

/** Answers "which policy decided, why was it refused, and what changed then?". @throws AuditorError `RELEASE_UNKNOWN`, `STAGE_UNKNOWN` */
export async function decisions(
  context: AuditContext,
  named: string,
  stage: string | undefined,
  asked: Asked = {},
): Promise<Answered<Decisions>> {
  if (stage !== undefined) policyOf(context, stage);
  return await inquire(context, `decisions ${named}${stage === undefined ? '' : ` into ${stage}`}`, asked, async (inquiry) => {
    const about = await aboutRelease(inquiry, named);
    const facts = await factsIn(inquiry, FACT.decision, about.entries);
    const meant = facts.filter(({ said }) => stage === undefined || said.sealane_promotion.to === stage);
    return { ...nameOf(about), decisions: meant.map((fact) => decisionOf(about, facts, fact)) };
  });
}

function decisionOf(
  about: AboutRelease,
  all: readonly Fact<DecisionPredicate>[],
  { said, at, entry }: Fact<DecisionPredicate>,
): Decisions['decisions'][number] {
  const { to, from, counter, rollout, checks } = said.sealane_promotion;
  const isRefused = said.verificationResult === 'FAILED';
  // what passed for other groups answers no refusal of these
  const groupsIn = (pass: Fact<DecisionPredicate>): readonly string[] =>
    pass.said.sealane_promotion.rollout.filter((group) => rollout.includes(group));
  const isNext = (other: Fact<DecisionPredicate>): boolean =>
    other.entry.index > entry.index && isPassOf(other, to) && (rollout.length === 0 || groupsIn(other).length > 0);
  const pass = isRefused ? all.find(isNext) : undefined;
  const between = about.entries.filter(({ index }) => index > entry.index && pass !== undefined && index < pass.entry.index);
  return {
    stage: to,
    from,
    result: said.verificationResult,
    counter,
    at,
    rollout,
    policy: decisionPolicy(said),
    replay: `sealane audit replay ${entry.statementDigest}`,
    checks,
    then:
      pass === undefined
        ? null
        : {
            statement: pass.entry.statementDigest,
            at: pass.at,
            groups: groupsIn(pass),
            between: between.map(({ statement, statementDigest, index }) => {
              return { predicateType: statement.predicateType, statement: statementDigest, logIndex: index };
            }),
          },
    statement: entry.statementDigest,
    logIndex: entry.index,
  };
}

function isPassOf({ said }: Fact<DecisionPredicate>, stage: string): boolean {
  return said.verificationResult === 'PASSED' && said.sealane_promotion.to === stage;
}
