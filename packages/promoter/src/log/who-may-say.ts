/**
 * Whose word some statements are. A key that a policy names for one thing is not one for everything: what the promoter acts on without a gate (who is a
 * site, what a stage decided or ordered) is taken in only from those whose word it is.
 */
import { type JsonObject, PREDICATE, type Statement } from '@sealane/core';
import { countsAt, type LoggedBy, type Policy } from '@sealane/trust';
import type { Promoter } from '../promoter.js';
import { policiesOf } from '../rig/statements.js';

/** Ids of those who may say it, by one policy. */
type Sayers = (policy: Policy, predicate: JsonObject) => readonly string[];

const stageKeys: Sayers = ({ chain }) => chain.at(-1)?.keys ?? [];
const registrar: Sayers = (policy) => policy.registrar;
const people: Sayers = (policy) => policy.people.flatMap(({ keys }) => keys);

const SAYERS: Readonly<Record<string, Sayers>> = {
  [PREDICATE.release]: ({ signers }) => signers.release,
  [PREDICATE.decision]: (policy, predicate) => (stageIn(predicate) === policy.stage ? stageKeys(policy, predicate) : []),
  [PREDICATE.order]: (policy, predicate) => (predicate.stage === policy.stage ? stageKeys(policy, predicate) : []),
  [PREDICATE.revocation]: (policy, predicate) => [...stageKeys(policy, predicate), ...people(policy, predicate), ...policy.signers.release],
  [PREDICATE.approval]: people,
  [PREDICATE.exception]: people,
  [PREDICATE.review]: people,
  [PREDICATE.anchor]: stageKeys,
  [PREDICATE.root]: stageKeys,
  [PREDICATE.siteCertificate]: stageKeys,
  [PREDICATE.siteRecord]: registrar,
  [PREDICATE.retirement]: registrar,
  [PREDICATE.delegation]: registrar,
  [PREDICATE.rig]: registrar,
  [PREDICATE.recall]: registrar,
  [PREDICATE.erasure]: registrar,
  [PREDICATE.secret]: ({ signers }) => signers.secrets ?? [],
  // a site's, by the key of its record
  [PREDICATE.receipt]: () => [],
};

/** Whether a signer, by id, may say this now: what gates judge by themselves anybody may whom the lane knows. */
export async function mayBeSaid(promoter: Promoter, signerId: string, statement: Statement): Promise<boolean> {
  return mayBeSaidAt(policiesOf(promoter), { keyId: signerId, index: await promoter.ledger.size() }, statement);
}

/** As `mayBeSaid`, by these policies and at a place of the log. */
export function mayBeSaidAt(
  policies: readonly Policy[],
  signer: LoggedBy,
  { predicateType, predicate }: Pick<Statement, 'predicateType' | 'predicate'>,
): boolean {
  const sayers = Object.hasOwn(SAYERS, predicateType) ? SAYERS[predicateType] : undefined;
  const isForeign = predicateType === PREDICATE.decision && predicate.sealane_promotion === undefined;
  if (sayers === undefined || isForeign) return true;
  return policies.some((policy) => sayers(policy, predicate).includes(signer.keyId) && countsAt(policy, signer));
}

/** Whether what the ledger keeps of a decision is by the stage of a policy itself, or by the one before it that is given. */
export function isStages(policy: Policy, row: LoggedBy, stage = policy.stage): boolean {
  return policy.chain.find((link) => link.stage === stage)?.keys.includes(row.keyId) === true && countsAt(policy, row);
}

/** The stage of a decision; somebody else's summary of a verification has none. */
function stageIn({ sealane_promotion: promotion }: JsonObject): unknown {
  return typeof promotion === 'object' && promotion !== null && 'to' in promotion ? promotion.to : undefined;
}
