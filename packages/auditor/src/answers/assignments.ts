/** What each group of a stage was told to run, as the log says it: decisions that passed, and orders that point elsewhere, the last one counting. */
import type { Digest } from '@sealane/core';
import { type DecisionPredicate, isPointing, type OrderPredicate, type Policy } from '@sealane/trust';
import { FACT } from './fact-kinds.js';
import { type Fact, factsOf } from './facts.js';
import type { Inquiry } from './inquiry.js';

/** Where a group points. */
interface Assignment {
  readonly group: string;
  readonly release: Digest;
  readonly at: string;
  readonly statement: Digest;
  readonly logIndex: number;
}

/** The assignments of a stage by group; and the sites that are fenced or drained. */
export interface Assignments {
  readonly byGroup: ReadonlyMap<string, Assignment>;
  readonly ordered: ReadonlyMap<string, 'fence' | 'drain'>;
}

/** Folds decisions and orders of a stage in the order of the log. */
export async function assignmentsOf(inquiry: Inquiry, stage: string): Promise<Assignments> {
  return assignmentsIn({ decisions: await factsOf(inquiry, FACT.decision), orders: await factsOf(inquiry, FACT.order) }, stage);
}

/** What stages said, in the order of the log. */
export interface Told {
  readonly decisions: readonly Fact<DecisionPredicate>[];
  readonly orders: readonly Fact<OrderPredicate>[];
}

/** As `assignmentsOf`, of decisions and orders that were read before. */
export function assignmentsIn({ decisions, orders }: Told, stage: string): Assignments {
  const decided = decisions.filter(({ said }) => said.sealane_promotion.to === stage && said.verificationResult === 'PASSED');
  const ordered = orders.filter(({ said }) => said.stage === stage);
  const pointed = [
    ...decided.map((fact) => ({ fact, groups: fact.said.sealane_promotion.rollout, release: fact.said.sealane_promotion.release })),
    ...ordered.flatMap((fact) =>
      isPointing(fact.said) && fact.said.release !== null ? [{ fact, groups: fact.said.groups, release: fact.said.release }] : [],
    ),
  ].sort((a, b) => a.fact.entry.index - b.fact.entry.index);
  const byGroup = new Map<string, Assignment>();
  for (const { fact, groups, release } of pointed)
    for (const group of groups)
      byGroup.set(group, { group, release, at: fact.at, statement: fact.entry.statementDigest, logIndex: fact.entry.index });
  return { byGroup, ordered: standingOrders(ordered) };
}

/** The group that a site belongs to: the first whose labels it has. */
export function groupOf({ groups }: Policy, labels: Readonly<Record<string, string>>): string | undefined {
  return groups.find(({ match }) => Object.entries(match).every(([key, value]) => labels[key] === value))?.name;
}

/** The last order about each site, but for those that rejoined. */
function standingOrders(facts: readonly Fact<OrderPredicate>[]): ReadonlyMap<string, 'fence' | 'drain'> {
  const standing = new Map<string, 'fence' | 'drain'>();
  for (const { said } of facts) {
    if (said.site === undefined) continue;
    if (said.order === 'fence' || said.order === 'drain') standing.set(said.site, said.order);
    else standing.delete(said.site);
  }
  return standing;
}
