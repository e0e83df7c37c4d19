/** What a plan misses: for each check that does not pass, who could supply what it asks for. */
import { type Check, PREDICATE } from '@sealane/core';
import type { GateInput, Policy } from '@sealane/trust';

/** Somebody who could: a person by id, a signer or a stage by the name of its key. */
export interface Supplier {
  readonly kind: 'person' | 'signer' | 'stage';
  readonly name: string;
}

/** A check that does not pass, and what would help. No supplier: time alone, or nobody. */
export interface Missing {
  readonly check: string;
  readonly verdict: Exclude<Check['verdict'], 'pass'>;
  readonly what: string;
  readonly who: readonly Supplier[];
  readonly remedy: string;
  readonly earliest: string | null;
}

/** Names of keys by their ids, as far as this host knows them. */
export type KeyNames = ReadonlyMap<string, string>;

/** What is missing, in the order of the checks. */
export function missingOf(checks: readonly Check[], input: GateInput, names: KeyNames): readonly Missing[] {
  return checks.flatMap((check) => {
    const { id, verdict, actual, remedy, earliest = null } = check;
    return verdict === 'pass' ? [] : [{ check: id, verdict, what: actual, who: suppliersOf(check, input, names), remedy, earliest }];
  });
}

/** By what a check reads: decisions come from stages, approvals from people, time from nobody, and all else from signers of evidence. */
function suppliersOf(check: Check, input: GateInput, names: KeyNames): readonly Supplier[] {
  const { policy, stage } = input;
  switch (check.id) {
    case 'revoked':
    case 'soak':
    case 'windows':
      return [];
    case 'frozen':
      return [{ kind: 'stage', name: stage }];
    case 'stage-order':
      return (policy.chain.at(-1)?.from ?? []).map((name) => ({ kind: 'stage', name }));
    case 'approvals':
      return openPeople(check, input).map((name) => ({ kind: 'person', name }));
    default:
      return endless(policy, signersFor(policy, check.id)).map((id) => ({ kind: 'signer', name: names.get(id) ?? id }));
  }
}

/** The signers of the evidence that a gate reads: those named for it, else those of test results, in which most evidence travels. */
function signersFor({ signers }: Policy, gate: string): readonly string[] {
  const named = Object.entries(signers).find(([name]) => name === gate)?.[1];
  return named ?? [...new Set([...signers.tests, ...signers.hardware])];
}

/** A key that has ended signs nothing any more. */
function endless({ keys }: Policy, ids: readonly string[]): readonly string[] {
  return ids.filter((id) => keys[id]?.untilIndex === null);
}

/** People whose approval does not count yet and could: not those who made, tested or promote the release. */
function openPeople({ evidence, verdict }: Check, { policy, statements }: GateInput): readonly string[] {
  const makers = statements.filter(({ statement }) => MAKERS.includes(statement.predicateType)).map(({ keyId }) => keyId);
  const approved = verdict === 'pending' ? statements.filter(({ digest }) => evidence.includes(digest)).map(({ keyId }) => keyId) : [];
  const out = new Set([...makers, ...approved, ...policy.chain.flatMap(({ keys }) => keys)]);
  return policy.people.filter(({ keys }) => !keys.some((key) => out.has(key)) && endless(policy, keys).length > 0).map(({ id }) => id);
}

const MAKERS: readonly string[] = [PREDICATE.release, PREDICATE.testResult];
