/** What policy says of one kind of exceptions: whose signatures count, how many people they are, and how much one may allow. */
import type { ExceptionPredicate } from '../evidence/predicates/exception.js';
import { timeToSeconds } from '../time.js';
import type { Policy, PolicyExceptionRule } from './policy-types.js';

/** The keys whose signatures count: never an online key, whoever's it is said to be. */
export function exceptionSigners({ people, chain }: Policy, rule: PolicyExceptionRule): readonly string[] {
  const online = chain.flatMap(({ keys }) => keys);
  return people.filter(({ id }) => rule.people.includes(id)).flatMap(({ keys }) => keys.filter((key) => !online.includes(key)));
}

/** The people behind some signatures; who signs with two keys is one. */
export function grantingPeople(policy: Policy, rule: PolicyExceptionRule, keyIds: readonly string[]): readonly string[] {
  const counting = exceptionSigners(policy, rule).filter((key) => keyIds.includes(key));
  return policy.people.filter(({ id, keys }) => rule.people.includes(id) && keys.some((key) => counting.includes(key))).map(({ id }) => id);
}

/** A person's clock may be ahead of the witnesses'. In seconds. */
const MAX_AHEAD_SECONDS = 3600;

/**
 * Whether an exception allows no more than its kind may. `seenAt` is when witnesses had seen it: one that says it was issued later would hold from now
 * on and end when its author likes.
 */
export function isWithin(
  { maxDays, maxUses }: PolicyExceptionRule,
  { issuedAt, expiresAt, uses }: ExceptionPredicate,
  seenAt: string,
): boolean {
  const issued = timeToSeconds(issuedAt);
  return timeToSeconds(expiresAt) - issued <= maxDays * 86_400 && uses <= maxUses && issued <= timeToSeconds(seenAt) + MAX_AHEAD_SECONDS;
}
