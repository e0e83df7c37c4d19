/** A person's signature on an exception, and on a review of one. */
import { describeSigner, type Digest, PREDICATE, PromoterError, type Signed, type Signer, signStatement } from '@sealane/core';
import {
  type ExceptionKind,
  type ExceptionPredicate,
  exceptionStatement,
  isSiteKind,
  type Policy,
  type PolicyExceptionRule,
  type PolicyPerson,
  readException,
  reviewStatement,
} from '@sealane/trust';
import { isCalledBack } from '../decision/revocation.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { peopleApart } from './apart.js';

/** A new exception: what it is bound to, for how long and how many uses. `nonce` is that of a site's request. */
export interface ExceptionWish extends Pick<
  ExceptionPredicate,
  'kind' | 'release' | 'stage' | 'gate' | 'settings' | 'sites' | 'site' | 'role' | 'uses'
> {
  readonly days: number;
  readonly nonce?: string;
}

/** Gates that no exception lets through. */
const PEOPLES_GATES: readonly string[] = ['approvals', 'irreversible'];

/**
 * Signs a new exception.
 *
 * @throws PromoterError `EXCEPTION_DENIED` policy has none of this kind, or not for so long, so often, or for that gate; or the release is revoked;
 * `EVIDENCE_SIGNER` the key is of nobody who may grant it, or of who made, tested or promotes the release; TrustError `TRUST_MALFORMED` bound to what its kind is not
 */
export async function signException(promoter: Promoter, wish: ExceptionWish, reason: string, signer: Signer): Promise<Signed> {
  const { policy } = stageOf(promoter, wish.stage);
  const rule = ruleOf(policy, wish.kind, signer);
  checkWish(policy, rule, wish);
  await expectApart(promoter, wish, signer);
  if (await isCalledBack(promoter, wish.release)) throw denied(wish, 'expected a release that is not revoked', wish.release);
  const { days, nonce = promoter.randomHex(), ...terms } = wish;
  const issuedAt = promoter.now();
  const expiresAt = `${new Date(Date.parse(issuedAt) + days * 86_400_000).toISOString().slice(0, 19)}Z`;
  return await signStatement(exceptionStatement({ ...terms, reason, nonce, issuedAt, expiresAt }), signer);
}

function checkWish({ gates }: Policy, { maxDays, maxUses }: PolicyExceptionRule, wish: ExceptionWish): void {
  const { kind, stage, gate, days, uses } = wish;
  const meant = kind === 'gate' ? gate : kind === 'window' ? 'windows' : kind === 'hardware' ? 'hardware' : undefined;
  const isThere = meant === undefined || (gates.some(({ use }) => use === meant) && !PEOPLES_GATES.includes(meant));
  if (!isThere) throw denied(wish, `expected a gate of ${stage} other than ${PEOPLES_GATES.join(', ')}`, meant);
  if (days > maxDays) throw denied(wish, `expected at most ${maxDays} days`, String(days));
  if (uses > maxUses) throw denied(wish, `expected at most ${maxUses} uses`, String(uses));
}

/**
 * Adds another person's signature to the terms of an exception that is in the log.
 *
 * @throws PromoterError `STATEMENT_UNKNOWN`, `EVIDENCE_SIGNER`
 */
export async function cosignException(promoter: Promoter, digest: Digest, reason: string, signer: Signer): Promise<Signed> {
  const terms = await exceptionAt(promoter, digest);
  ruleOf(stageOf(promoter, terms.stage).policy, terms.kind, signer);
  await expectApart(promoter, terms, signer);
  return await signStatement(exceptionStatement({ ...terms, reason, issuedAt: promoter.now() }), signer);
}

/**
 * Signs a review of an exception.
 *
 * @throws PromoterError `STATEMENT_UNKNOWN`; `EVIDENCE_SIGNER` the key is no person's, or one of those who granted it
 */
export async function signReview(promoter: Promoter, digest: Digest, reason: string, signer: Signer): Promise<Signed> {
  const { stage, release, nonce } = await exceptionAt(promoter, digest);
  const person = personOf(stageOf(promoter, stage).policy, signer);
  const granted = (await promoter.ledger.statementsAbout(release, PREDICATE.exception)).filter(
    (entry) => person.keys.includes(entry.keyId) && statementOf(entry).predicate.nonce === nonce,
  );
  if (granted.length > 0)
    throw new PromoterError('EVIDENCE_SIGNER', `review exception ${digest}: expected somebody who did not grant it, got ${person.id}`);
  const predicate = { exception: digest, reason, issuedAt: promoter.now(), salt: promoter.randomHex() };
  return await signStatement(reviewStatement(predicate), signer);
}

/** The terms of an exception in the log. @throws PromoterError `STATEMENT_UNKNOWN` */
export async function exceptionAt({ ledger }: Promoter, digest: Digest): Promise<ExceptionPredicate> {
  const [entry] = await ledger.byStatement(digest);
  if (entry === undefined || statementOf(entry).predicateType !== PREDICATE.exception)
    throw new PromoterError(
      'STATEMENT_UNKNOWN',
      `look up exception ${digest}: expected one in the ledger, got ${entry === undefined ? 'nothing' : 'another statement'}`,
    );
  return readException(statementOf(entry));
}

/** Gates do not count who made, tested or promotes a release: who signs all the same would wait for nothing. What a site asks for is about the site. */
async function expectApart(
  promoter: Promoter,
  { kind, release, stage }: Pick<ExceptionWish, 'kind' | 'release' | 'stage'>,
  signer: Signer,
): Promise<void> {
  if (isSiteKind(kind)) return;
  const apart = await peopleApart(promoter, release, stage);
  const { id } = personOf(stageOf(promoter, stage).policy, signer);
  if (typeof apart !== 'string' && !apart.has(id)) return;
  const got = typeof apart === 'string' ? apart : id;
  throw new PromoterError(
    'EVIDENCE_SIGNER',
    `grant an exception for ${stage}: expected somebody who is neither author nor tester nor promoter of the release, got ${got}`,
  );
}

function ruleOf(policy: Policy, kind: ExceptionKind, signer: Signer): PolicyExceptionRule {
  const rule = policy.exceptions?.find((each) => each.kind === kind);
  if (rule === undefined)
    throw new PromoterError(
      'EXCEPTION_DENIED',
      `grant an exception for ${policy.stage}: expected a policy that has exceptions of kind ${kind}, it has none`,
      {},
      { hint: 'name who may grant them under exceptions in pipeline.yaml, then: sealane trust propose' },
    );
  const person = personOf(policy, signer);
  if (rule.people.includes(person.id)) return rule;
  throw new PromoterError(
    'EVIDENCE_SIGNER',
    `grant an exception for ${policy.stage}: expected one of ${rule.people.join(', ')}, got ${person.id}`,
  );
}

function personOf({ people, stage }: Policy, signer: Signer): PolicyPerson {
  const person = people.find(({ keys }) => keys.includes(signer.keyId));
  if (person !== undefined) return person;
  throw new PromoterError(
    'EVIDENCE_SIGNER',
    `sign for ${stage}: expected the key or identity of one of ${people.map(({ id }) => id).join(', ')}, got ${describeSigner(signer)}`,
  );
}

function denied({ kind, stage }: ExceptionWish, expected: string, got = 'none'): PromoterError {
  return new PromoterError('EXCEPTION_DENIED', `grant an exception of kind ${kind} for ${stage}: ${expected}, got ${got}`);
}
