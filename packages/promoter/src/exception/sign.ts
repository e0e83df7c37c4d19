/** A person's signature on an exception, and on a review of one. */
import { describeSigner, type Digest, PREDICATE, PromoterError, type Signed, type Signer, signStatement } from '@sealane/core';
import {
  type ExceptionPredicate,
  exceptionStatement,
  type PolicyExceptionRule,
  type PolicyPerson,
  readException,
  reviewStatement,
} from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';

/** A new exception: for how long and how many decisions. */
export interface ExceptionWish {
  readonly release: Digest;
  readonly stage: string;
  readonly gate: string;
  readonly days: number;
  readonly uses: number;
}

/**
 * Signs a new exception of kind `gate`.
 *
 * @throws PromoterError `EXCEPTION_DENIED` policy has none of this kind, or not for so long, so often, or for that gate; `EVIDENCE_SIGNER`
 */
export async function signException(promoter: Promoter, wish: ExceptionWish, reason: string, signer: Signer): Promise<Signed> {
  const { policy } = stageOf(promoter, wish.stage);
  const rule = ruleOf(promoter, wish.stage, signer);
  if (!policy.gates.some(({ use }) => use === wish.gate) || wish.gate === 'approvals')
    throw invalid(wish, `expected a gate of ${wish.stage} other than approvals`, wish.gate);
  if (wish.days > rule.maxDays) throw invalid(wish, `expected at most ${rule.maxDays} days`, String(wish.days));
  if (wish.uses > rule.maxUses) throw invalid(wish, `expected at most ${rule.maxUses} uses`, String(wish.uses));
  const issuedAt = promoter.now();
  const { release, stage, gate, uses } = wish;
  const expiresAt = `${new Date(Date.parse(issuedAt) + wish.days * 86_400_000).toISOString().slice(0, 19)}Z`;
  const predicate = { kind: 'gate', release, stage, gate, uses, reason, nonce: promoter.randomHex(), issuedAt, expiresAt } as const;
  return await signStatement(exceptionStatement(predicate), signer);
}

/**
 * Adds another person's signature to the terms of an exception that is in the log.
 *
 * @throws PromoterError `STATEMENT_UNKNOWN`, `EVIDENCE_SIGNER`
 */
export async function cosignException(promoter: Promoter, digest: Digest, reason: string, signer: Signer): Promise<Signed> {
  const terms = await exceptionAt(promoter, digest);
  ruleOf(promoter, terms.stage, signer);
  return await signStatement(exceptionStatement({ ...terms, reason, issuedAt: promoter.now() }), signer);
}

/**
 * Signs a review of an exception.
 *
 * @throws PromoterError `STATEMENT_UNKNOWN`; `EVIDENCE_SIGNER` the key is no person's, or one of those who granted it
 */
export async function signReview(promoter: Promoter, digest: Digest, reason: string, signer: Signer): Promise<Signed> {
  const { stage, release, nonce } = await exceptionAt(promoter, digest);
  const person = personOf(promoter, stage, signer);
  const granted = (await promoter.ledger.statementsAbout(release, PREDICATE.exception)).filter(
    (entry) => person.keys.includes(entry.keyId) && statementOf(entry).predicate.nonce === nonce,
  );
  if (granted.length > 0)
    throw new PromoterError('EVIDENCE_SIGNER', `review exception ${digest}: expected somebody who did not grant it, got ${person.id}`);
  const predicate = { exception: digest, reason, issuedAt: promoter.now(), salt: promoter.randomHex() };
  return await signStatement(reviewStatement(predicate), signer);
}

async function exceptionAt({ ledger }: Promoter, digest: Digest): Promise<ExceptionPredicate> {
  const [entry] = await ledger.byStatement(digest);
  if (entry === undefined || statementOf(entry).predicateType !== PREDICATE.exception)
    throw new PromoterError(
      'STATEMENT_UNKNOWN',
      `look up exception ${digest}: expected one in the ledger, got ${entry === undefined ? 'nothing' : 'another statement'}`,
    );
  return readException(statementOf(entry));
}

function ruleOf(promoter: Promoter, stage: string, signer: Signer): PolicyExceptionRule {
  const rule = stageOf(promoter, stage).policy.exceptions?.[0];
  if (rule === undefined)
    throw new PromoterError(
      'EXCEPTION_DENIED',
      `grant an exception for ${stage}: expected a policy that has exceptions of kind gate, it has none`,
      {},
      { hint: 'name who may grant them under exceptions in pipeline.yaml, then: sealane trust propose' },
    );
  const person = personOf(promoter, stage, signer);
  if (rule.people.includes(person.id)) return rule;
  throw new PromoterError(
    'EVIDENCE_SIGNER',
    `grant an exception for ${stage}: expected one of ${rule.people.join(', ')}, got ${person.id}`,
  );
}

function personOf(promoter: Promoter, stage: string, signer: Signer): PolicyPerson {
  const { people } = stageOf(promoter, stage).policy;
  const person = people.find(({ keys }) => keys.includes(signer.keyId));
  if (person !== undefined) return person;
  throw new PromoterError(
    'EVIDENCE_SIGNER',
    `sign for ${stage}: expected the key or identity of one of ${people.map(({ id }) => id).join(', ')}, got ${describeSigner(signer)}`,
  );
}

function invalid({ stage, gate }: ExceptionWish, expected: string, got: string): PromoterError {
  return new PromoterError('EXCEPTION_DENIED', `grant an exception of gate ${gate} for ${stage}: ${expected}, got ${got}`);
}
