/** Whose approvals count: people, none of them author, tester or promoter, each over exactly what is being decided. */
import { counted, type Digest, PREDICATE } from '@sealane/core';
import { type ApprovalPredicate, readApproval } from '../evidence/predicates/approval.js';
import type { Policy, PolicyPerson } from '../policy/policy-types.js';
import { outsideScope } from '../policy/scope.js';
import { timeToSeconds } from '../time.js';
import { digestsOf, type Selected, selectStatements, signersOf } from './evidence-selection.js';
import type { GateContext, GateInput } from './gate.js';

/** Roles whose holders policy may keep from approving. */
export const ROLES = ['author', 'tester', 'promoter'] as const;
export type Role = (typeof ROLES)[number];

type Approval = Selected<ApprovalPredicate>;

const CODES = { signer: 'WAYBILL_APPROVALS', subject: 'WAYBILL_SUBJECT', unreadable: 'WAYBILL_APPROVALS' } as const;

/** One person's standing: people are counted, not keys. `why` says what keeps an approval from counting. */
export interface Vote {
  readonly person: PolicyPerson;
  readonly state: 'approved' | 'rejected' | 'excluded' | 'open';
  readonly why: string;
  readonly approval: Approval | undefined;
}

/** The standing of everybody in policy; `wanted` = which approvals are asked for. */
export function votesOf(
  context: GateContext,
  excluded: ReadonlyMap<string, Role>,
  wanted: (approval: Approval) => boolean = () => true,
): readonly Vote[] {
  return context.policy.people.map((person) => {
    const { accepted } = selectStatements(context, {
      predicateType: PREDICATE.approval,
      signers: person.keys,
      read: readApproval,
      codes: CODES,
    });
    const mine = accepted.filter(({ predicate }) => predicate.release === context.release && predicate.stage === context.stage);
    const asked = mine.filter((each) => each.predicate.verdict === 'reject' || wanted(each));
    return voteOf(context, person, asked, excluded);
  });
}

/** A rejection stands, also after it expires and for any groups, until the same person's later approval counts. */
function voteOf(context: GateContext, person: PolicyPerson, mine: readonly Approval[], excluded: ReadonlyMap<string, Role>): Vote {
  const role = person.keys.map((key) => excluded.get(key)).find((each) => each !== undefined);
  const outside = person.keys.map((key) => outsideScope(context.policy, context.releaseDoc, key));
  if (outside.every((why) => why !== undefined)) return { person, state: 'excluded', why: outside[0] ?? '', approval: undefined };
  const approvals = mine.filter(({ predicate }) => predicate.verdict === 'approve');
  const counting = role === undefined ? approvals.filter((each) => whyNot(context, each) === undefined).at(-1) : undefined;
  const rejection = mine.filter(({ predicate }) => predicate.verdict === 'reject').at(-1);
  if (rejection !== undefined && rejection.from.logIndex > (counting?.from.logIndex ?? -1)) {
    const { reason } = rejection.predicate;
    return { person, state: 'rejected', why: reason === undefined ? '' : `: ${reason}`, approval: rejection };
  }
  if (role !== undefined)
    return { person, state: 'excluded', why: approvals.length > 0 ? `is ${role}, and may not approve` : '', approval: undefined };
  if (counting !== undefined) return { person, state: 'approved', why: '', approval: counting };
  const last = approvals.at(-1);
  return { person, state: 'open', why: last === undefined ? '' : (whyNot(context, last) ?? ''), approval: undefined };
}

/** Why an approval does not count for what is being decided; undefined when it does. */
function whyNot(context: GateContext, { from, predicate }: Approval): string | undefined {
  if (predicate.rollout.join('\n') !== context.rollout.join('\n')) return `approved other groups: ${predicate.rollout.join(', ')}`;
  if (!isPolicyAccepted(context, predicate.policy, from.logIndex)) return `approved under another policy, ${predicate.policy}`;
  // Judged at the witnessed time: it must not die on the courier's stick, nor be revived by a site's clock.
  if (timeToSeconds(predicate.expiresAt) <= timeToSeconds(context.time.highest)) return `expired at ${predicate.expiresAt}`;
  if (timeToSeconds(predicate.expiresAt) <= timeToSeconds(predicate.issuedAt)) return 'expires before it was issued';
  if (predicate.checkpoint.origin !== context.policy.lane) return `saw the log ${predicate.checkpoint.origin}`;
  const unseen = context.evidenceToSee().filter((digest) => !predicate.seen.includes(digest));
  return unseen.length === 0
    ? undefined
    : `has not seen ${counted(unseen.length, 'statement')} that the gates read now, the first ${String(unseen[0])}`;
}

function isPolicyAccepted({ policy, policyDigest }: GateContext, digest: Digest, logIndex: number): boolean {
  return digest === policyDigest || policy.accepts.some((each) => each.digest === digest && logIndex < each.belowIndex);
}

/** What tells whose hands a release went through. */
export type WhoSaid = Pick<GateInput, 'release' | 'policy'> & {
  readonly statements: readonly Pick<GateInput['statements'][number], 'keyId' | 'logIndex' | 'statement'>[];
};

/**
 * All keys of people who may not let anything through at a gate: as for approvals, or as little as the stage's own `approvals` gates ask for. A text when
 * it cannot be told.
 */
export function heldApart(said: WhoSaid): ReadonlySet<string> | string {
  const excluded = excludedKeys(said, rolesApart(said.policy));
  if (typeof excluded === 'string') return excluded;
  const people = said.policy.people.filter(({ keys }) => keys.some((key) => excluded.has(key)));
  return new Set([...excluded.keys(), ...people.flatMap(({ keys }) => keys)]);
}

function rolesApart({ gates }: Policy): readonly Role[] {
  const asked = gates.filter(({ use }) => use === 'approvals').map(({ with: { distinctFrom } }) => distinctFrom);
  return ROLES.filter((role) => asked.length === 0 || asked.some((roles) => !Array.isArray(roles) || roles.includes(role)));
}

/**
 * Keys whose holders may not approve, with their role; a text when a role cannot be told: unknown is refused.
 *
 * Testers are the signers of every test result that policy would take; promoters hold the key of any stage of the chain.
 */
export function excludedKeys(context: WhoSaid, roles: readonly Role[]): ReadonlyMap<string, Role> | string {
  const keys = new Map<string, Role>();
  const { signers, chain } = context.policy;
  if (roles.includes('author')) {
    const authors = signersOf(context, PREDICATE.release, signers.release);
    if (authors.length === 0) return 'the author is not known: no release statement by an author that policy names';
    for (const key of authors) keys.set(key, 'author');
  }
  if (roles.includes('tester')) {
    for (const key of signersOf(context, PREDICATE.testResult, [...signers.tests, ...signers.hardware])) keys.set(key, 'tester');
  }
  if (roles.includes('promoter')) for (const key of chain.flatMap((link) => link.keys)) keys.set(key, 'promoter');
  return keys;
}

/** The statement behind a vote. */
export function digestOfVote({ approval }: Vote): readonly Digest[] {
  return approval === undefined ? [] : digestsOf([approval]);
}
