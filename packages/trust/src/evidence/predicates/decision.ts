/** A stage's decision: a SLSA verification summary (VSA) with one extension object, signed by the stage's key. Refusals too. */
import { type Digest, parseDigest, PREDICATE, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { digestShape, hexShape, nameShape, saltShape, timeShape } from '../../policy/shapes.js';
import { type RecordedCheck, recordedCheckShape } from './recorded-check.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/**
 * The extension: what a VSA has no words for. `counter` = 1 + the PASSED decisions of the stage before; null when FAILED. `judgedAt` = the
 * witnessed time that the gates were judged at, for whoever replays it.
 */
export type Promotion = {
  readonly counter: number | null;
  readonly from: string | null;
  readonly to: string;
  readonly rollout: readonly string[];
  readonly approvals: readonly Digest[];
  readonly checks: readonly RecordedCheck[];
  readonly release: Digest;
  readonly judgedAt?: { readonly lowest: string; readonly highest: string };
  readonly salt?: string;
};

/** The predicate: field names and meaning are those of https://slsa.dev/verification_summary/v1. */
export type DecisionPredicate = {
  readonly verifier: { readonly id: string; readonly version?: { readonly sealane: string } };
  readonly timeVerified: string;
  readonly resourceUri: string;
  readonly policy: { readonly uri: string; readonly digest: { readonly sha256: string } };
  readonly inputAttestations: readonly { readonly uri: string; readonly digest: { readonly sha256: string } }[];
  readonly verificationResult: 'PASSED' | 'FAILED';
  readonly verifiedLevels: readonly string[];
  readonly slsaVersion: string;
  readonly sealane_promotion: Promotion;
};

const described = z.strictObject({ uri: z.string().min(1).max(512), digest: z.strictObject({ sha256: hexShape }) });

/** Zod's shape of the predicate. */
export const decisionShape = z.strictObject({
  verifier: z.strictObject({
    id: z.string().min(1).max(512),
    version: z.strictObject({ sealane: z.string().min(1).max(64) }).exactOptional(),
  }),
  timeVerified: timeShape,
  resourceUri: z.string().min(1).max(512),
  policy: described,
  inputAttestations: z.array(described).max(512),
  verificationResult: z.enum(['PASSED', 'FAILED']),
  verifiedLevels: z.array(z.string().max(255)).max(16),
  slsaVersion: z.string().max(16),
  sealane_promotion: z.strictObject({
    counter: z.int().min(1).nullable(),
    from: nameShape.nullable(),
    to: nameShape,
    rollout: z.array(nameShape).min(1).max(256),
    approvals: z.array(digestShape).max(256),
    checks: z.array(recordedCheckShape).max(128),
    release: digestShape,
    judgedAt: z.strictObject({ lowest: timeShape, highest: timeShape }).exactOptional(),
    salt: saltShape.exactOptional(),
  }),
});

const format: PredicateFormat<DecisionPredicate> = { what: 'decision', predicateType: PREDICATE.decision, shape: decisionShape };

/** Who decides: the URN of one stage of one lane, a VSA's `verifier.id` and `resourceUri`. */
export function stageUrn(origin: string, stage: string): string {
  return `urn:sealane:stage:${origin}:${stage}`;
}

/**
 * Reads a decision.
 *
 * @throws TrustError `TRUST_MALFORMED` another shape, or PASSED without a counter, or FAILED with one
 */
export function readDecision(statement: Statement): DecisionPredicate {
  const decision = known.get(statement) ?? expectCounter(readPredicate(format, statement));
  known.set(statement, decision);
  return decision;
}

/** What was read of statements, which nobody changes in place: each decision is read for its counter, its place in the log and its waybill. */
const known = new WeakMap<Statement, DecisionPredicate>();

function expectCounter(decision: DecisionPredicate): DecisionPredicate {
  if ((decision.verificationResult === 'PASSED') !== (decision.sealane_promotion.counter !== null)) {
    throw new TrustError('TRUST_MALFORMED', 'read decision: expected a counter when PASSED and none when FAILED, got the other way round');
  }
  return decision;
}

/** The policy digest that a decision was made under. */
export function decisionPolicy(decision: DecisionPredicate): Digest {
  return parseDigest(`sha256:${decision.policy.digest.sha256}`);
}

/** The statement digests that a decision rests on. */
export function decisionInputs(decision: DecisionPredicate): readonly Digest[] {
  return decision.inputAttestations.map((input) => parseDigest(`sha256:${input.digest.sha256}`));
}

/** What a promoter decides; `decisionStatement` puts it into the VSA's fields. */
export interface DecisionFields {
  readonly origin: string;
  readonly stage: string;
  /** The version of Sealane that decided. */
  readonly version?: string;
  readonly timeVerified: string;
  readonly policy: Digest;
  readonly inputs: readonly Digest[];
  readonly result: 'PASSED' | 'FAILED';
  readonly promotion: Promotion;
  /** What else it is about when PASSED: the images of the release, so that whoever knows an image only finds it. Never given for a refusal. */
  readonly parts?: readonly { readonly name?: string; readonly digest: Digest }[];
}

/** The payload of a decision; its subject is the release, and its parts after it. @throws TrustError `TRUST_MALFORMED` */
export function decisionStatement(fields: DecisionFields): Uint8Array {
  const urn = stageUrn(fields.origin, fields.stage);
  const predicate: DecisionPredicate = {
    verifier: { id: urn, ...(fields.version === undefined ? {} : { version: { sealane: fields.version } }) },
    timeVerified: fields.timeVerified,
    resourceUri: urn,
    policy: { uri: `policy/${fields.stage}.json`, digest: { sha256: fields.policy.slice('sha256:'.length) } },
    inputAttestations: fields.inputs.map((digest) => ({
      uri: `urn:sealane:statement:${digest}`,
      digest: { sha256: digest.slice('sha256:'.length) },
    })),
    verificationResult: fields.result,
    verifiedLevels: [],
    slsaVersion: '1.1',
    sealane_promotion: fields.promotion,
  };
  return writePredicate(format, [{ digest: fields.promotion.release }, ...(fields.parts ?? [])], predicate);
}
