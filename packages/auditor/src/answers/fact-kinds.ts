/**
 * The kinds of statement that answers read: how each is read, when it says that it was so, and whose word counts. The ledger gives the very same statement again
 * for as long as it keeps it.
 */
import { PREDICATE, type Statement } from '@sealane/core';
import {
  type ApprovalPredicate,
  type DecisionPredicate,
  type DelegationPredicate,
  type ExceptionPredicate,
  type OrderPredicate,
  type Policy,
  readApproval,
  readDecision,
  readDelegation,
  readException,
  readOrder,
  readReceipt,
  readRecall,
  type RecallPredicate,
  readRelease,
  type ReleasePredicate,
  readRetirement,
  readReview,
  readRevocation,
  readRig,
  readRigRebuild,
  type RigPredicate,
  type RigRebuildPredicate,
  readSiteRecord,
  readTestResult,
  type RetirementPredicate,
  type ReviewPredicate,
  type RevocationPredicate,
  type SiteRecordPredicate,
  type TestResult,
  verifyTrustOf,
} from '@sealane/trust';
import { once } from '../once.js';
import { policyOf } from './context.js';
import { enrolledTrust } from './enrolled.js';
import { type FactKind, factsOf, lastPolicy, type Vouchers } from './facts.js';
import type { Inquiry } from './inquiry.js';

/** A site's receipt: no fact by itself, since whose word counts is said by the records of its site. */
export const readReceiptOnce = once(readReceipt);

const by = (policy: Policy, signers: readonly string[]): Vouchers => ({ trust: verifyTrustOf(policy), signers });

/** Those whom the last stage's policy names for such evidence. */
const evidenceBy =
  (signers: keyof Policy['signers']) =>
  ({ context }: Inquiry): Vouchers =>
    by(lastPolicy(context), lastPolicy(context).signers[signers] ?? []);

const ofStage = ({ context }: Inquiry, stage: string): Vouchers => {
  const policy = policyOf(context, stage);
  return by(policy, policy.chain.find((each) => each.stage === stage)?.keys ?? []);
};

const people = (policy: Policy): readonly string[] => policy.people.flatMap(({ keys }) => keys);
const registrar = ({ context }: Inquiry): Vouchers => by(lastPolicy(context), lastPolicy(context).registrar);

/** Who tests, once for each question: there may be thousands of test results. */
const knownTesters = new WeakMap<Inquiry['evidence'], Promise<Vouchers>>();

function testers(inquiry: Inquiry): Promise<Vouchers> {
  const known = knownTesters.get(inquiry.evidence) ?? findTesters(inquiry);
  knownTesters.set(inquiry.evidence, known);
  return known;
}

/** Labs that policy names, and rigs that the registrar enrolled, from their record on. */
async function findTesters(inquiry: Inquiry): Promise<Vouchers> {
  const policy = lastPolicy(inquiry.context);
  const rigs = await factsOf({ ...inquiry, asOf: undefined }, FACT.rig);
  const trust = enrolledTrust(
    verifyTrustOf(policy),
    rigs.map(({ verified }) => verified),
  );
  const labs = [...policy.signers.tests, ...policy.signers.hardware];
  return { trust, signers: [...labs, ...rigs.map(({ said }) => said.key.id)] };
}

/** A rig says itself that it was built again, or the registrar does. */
async function rigsAndRegistrar(inquiry: Inquiry): Promise<Vouchers> {
  const { trust, signers } = await testers(inquiry);
  return { trust, signers: [...signers, ...lastPolicy(inquiry.context).registrar] };
}

/** Every kind that answers read. */
export const FACT = {
  release: { type: PREDICATE.release, read: once(readRelease), vouchers: evidenceBy('release') } satisfies FactKind<ReleasePredicate>,
  provenance: { type: PREDICATE.provenance, read: ({ predicate }) => predicate, vouchers: evidenceBy('provenance') } satisfies FactKind<
    Statement['predicate']
  >,
  test: {
    type: PREDICATE.testResult,
    read: once(readTestResult),
    at: ({ finishedAt }) => finishedAt,
    vouchers: testers,
  } satisfies FactKind<TestResult>,
  scan: { type: PREDICATE.vulnerabilities, read: ({ predicate }) => predicate, vouchers: evidenceBy('scans') } satisfies FactKind<
    Statement['predicate']
  >,
  cyclonedx: { type: PREDICATE.cyclonedx, read: ({ predicate }) => predicate, vouchers: evidenceBy('sboms') } satisfies FactKind<
    Statement['predicate']
  >,
  spdx: { type: PREDICATE.spdx, read: ({ predicate }) => predicate, vouchers: evidenceBy('sboms') } satisfies FactKind<
    Statement['predicate']
  >,
  approval: {
    type: PREDICATE.approval,
    read: once(readApproval),
    at: ({ issuedAt }) => issuedAt,
    vouchers: ({ context }, { stage }) => by(policyOf(context, stage), people(policyOf(context, stage))),
  } satisfies FactKind<ApprovalPredicate>,
  decision: {
    type: PREDICATE.decision,
    read: once(readDecision),
    at: ({ timeVerified }) => timeVerified,
    vouchers: (inquiry, { sealane_promotion: { to } }) => ofStage(inquiry, to),
  } satisfies FactKind<DecisionPredicate>,
  order: {
    type: PREDICATE.order,
    read: once(readOrder),
    at: ({ issuedAt }) => issuedAt,
    vouchers: (inquiry, { stage }) => ofStage(inquiry, stage),
  } satisfies FactKind<OrderPredicate>,
  revocation: {
    type: PREDICATE.revocation,
    read: once(readRevocation),
    vouchers: ({ context }) =>
      by(
        lastPolicy(context),
        lastPolicy(context).chain.flatMap(({ keys }) => keys),
      ),
  } satisfies FactKind<RevocationPredicate>,
  exception: {
    type: PREDICATE.exception,
    read: once(readException),
    at: ({ issuedAt }) => issuedAt,
    vouchers: ({ context }, { stage }) => by(policyOf(context, stage), people(policyOf(context, stage))),
  } satisfies FactKind<ExceptionPredicate>,
  review: {
    type: PREDICATE.review,
    read: once(readReview),
    at: ({ issuedAt }) => issuedAt,
    vouchers: ({ context }) => by(lastPolicy(context), people(lastPolicy(context))),
  } satisfies FactKind<ReviewPredicate>,
  recall: { type: PREDICATE.recall, read: once(readRecall), vouchers: registrar } satisfies FactKind<RecallPredicate>,
  rig: {
    type: PREDICATE.rig,
    read: once(readRig),
    at: ({ builtAt }) => builtAt,
    vouchers: registrar,
  } satisfies FactKind<RigPredicate>,
  rigRebuild: {
    type: PREDICATE.rigRebuild,
    read: once(readRigRebuild),
    at: ({ builtAt }) => builtAt,
    vouchers: rigsAndRegistrar,
  } satisfies FactKind<RigRebuildPredicate>,
  delegation: {
    type: PREDICATE.delegation,
    read: once(readDelegation),
    at: ({ issuedAt }) => issuedAt,
    vouchers: ({ context }, { stage }) => by(policyOf(context, stage), policyOf(context, stage).registrar),
  } satisfies FactKind<DelegationPredicate>,
  retirement: {
    type: PREDICATE.retirement,
    read: once(readRetirement),
    at: ({ issuedAt }) => issuedAt,
    vouchers: ({ context }, { stage }) => by(policyOf(context, stage), policyOf(context, stage).registrar),
  } satisfies FactKind<RetirementPredicate>,
  siteRecord: {
    type: PREDICATE.siteRecord,
    read: once(readSiteRecord),
    at: ({ issuedAt }) => issuedAt,
    vouchers: ({ context }, { stage }) => by(policyOf(context, stage), policyOf(context, stage).registrar),
  } satisfies FactKind<SiteRecordPredicate>,
};
