/**
 * Which statements about a release may be attached to its images in a registry.
 *
 * Many verifiers there look at signature and digest only: `cosign verify --key K IMAGE` takes any statement by K for consent. So what is attached is
 * what says yes or describes: never a refusal, a veto, a failed test, an exception, a recall.
 */
import { type Digest, fromBase64, LIMITS, parseStrictJson, PREDICATE, PromoterError, SealaneError, type Statement } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import {
  decisionInputs,
  readApproval,
  readCarriedBundle,
  readDecision,
  readTestResult,
  verifyLedgerRow,
  type VerifyTrust,
} from '@sealane/trust';
import { z } from 'zod';
import { readBlob } from '../content.js';
import { aboutImages, releaseDocument, stageTrust } from '../decision/gate-input.js';
import { ledgerRow } from '../decision/verify-entry.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';

/** A statement that is attached: as logged, or as the bundle that somebody else signed and that travels as a blob. */
export interface Vouching {
  readonly entry: LedgerEntry;
  /** Type and subjects of what is attached. */
  readonly predicateType: string;
  readonly subjects: readonly Digest[];
  /** The bytes of a bundle that was signed elsewhere. */
  readonly carried?: Uint8Array;
}

/** One that is not, and why. */
export interface LeftOut {
  readonly digest: Digest;
  readonly predicateType: string;
  readonly why: string;
}

export interface Chosen {
  readonly vouching: readonly Vouching[];
  readonly left: readonly LeftOut[];
}

/** What describes a release or an image and cannot say no. */
const DESCRIPTIONS: readonly string[] = [
  PREDICATE.release,
  PREDICATE.provenance,
  PREDICATE.vulnerabilities,
  PREDICATE.cyclonedx,
  PREDICATE.spdx,
];
/** What keyless bundles may say beside that: `cosign sign` writes the second. */
const CARRIED: readonly string[] = [PREDICATE.provenance, 'https://sigstore.dev/cosign/sign/v1', PREDICATE.cyclonedx, PREDICATE.spdx];

/**
 * Chooses. Always the release's own statement and what others signed over its images. For a stage: its PASSED decision and what that rests on. Without one: what is evidence for any stage, and no decision or approval.
 *
 * @throws PromoterError `WAYBILL_STAGE_ORDER` no PASSED decision of the stage that its policy takes; `STAGE_UNKNOWN`
 */
export async function chooseVouching(promoter: Promoter, release: Digest, stage: string | undefined): Promise<Chosen> {
  const images = await aboutImages(promoter, release, await releaseDocument(promoter, release));
  const entries = [...(await promoter.ledger.statementsAbout(release)), ...images];
  const trusts = await trustsOf(promoter, entries, stage);
  const decision = stage === undefined ? undefined : await passedDecision(promoter, release, stage, entries, trusts);
  const inputs = decision === undefined ? undefined : new Set(decisionInputs(readDecision(statementOf(decision))));
  const vouching: Vouching[] = [];
  const left: LeftOut[] = [];
  for (const entry of entries) {
    const statement = statementOf(entry);
    const { predicateType } = statement;
    const isAlways = predicateType === PREDICATE.release || predicateType === PREDICATE.carriedBundle;
    const isAsked = inputs === undefined || isAlways || entry === decision || inputs.has(entry.statementDigest);
    // receipts, orders and what is of another stage are nothing that one would look for at an image
    if (!isAsked || predicateType === PREDICATE.receipt) continue;
    const attached = attachable(promoter, entry, statement, decision);
    const why = typeof attached === 'string' ? attached : await whyVoid(promoter, entry, trusts);
    if (typeof attached !== 'string' && why === undefined) vouching.push(attached);
    else left.push({ digest: entry.statementDigest, predicateType, why: why ?? '' });
  }
  return { vouching, left };
}

/** What is attached of a statement, or why nothing is. */
function attachable(promoter: Promoter, entry: LedgerEntry, statement: Statement, decision: LedgerEntry | undefined): Vouching | string {
  const { predicateType } = statement;
  const own: Vouching = { entry, predicateType, subjects: digestsOf(statement.subject) };
  if (DESCRIPTIONS.includes(predicateType) || entry.index === decision?.index) return own;
  if (predicateType === PREDICATE.testResult) return readTestResult(statement).result === 'PASSED' ? own : 'a test that did not pass';
  if (predicateType === PREDICATE.approval) {
    if (readApproval(statement).verdict !== 'approve') return 'a veto';
    return decision === undefined ? 'an approval is for a stage, and none was named' : own;
  }
  if (predicateType === PREDICATE.carriedBundle) return carriedBundle(promoter, entry, statement);
  if (predicateType === PREDICATE.decision) return 'a refusal, or the decision of another stage';
  return 'no evidence that an image carries';
}

function carriedBundle(promoter: Promoter, entry: LedgerEntry, statement: Statement): Vouching | string {
  const carried = readBlob(promoter, readCarriedBundle(statement).bundle);
  if (carried === undefined) return 'its bundle is not in content';
  const said = statementIn(carried);
  if (said === undefined) return 'its bundle holds no in-toto statement';
  const { predicateType, subject } = said;
  return CARRIED.includes(predicateType) ? { entry, predicateType, subjects: digestsOf(subject), carried } : `it says ${predicateType}`;
}

const bundleShape = z.looseObject({ dsseEnvelope: z.looseObject({ payload: z.string() }) });
const saidShape = z.looseObject({
  predicateType: z.string(),
  subject: z.array(z.looseObject({ digest: z.looseObject({ sha256: z.string().optional() }) })),
});

/** The statement in a bundle of any Sigstore instance. It is not verified: whoever finds it at the image does that. */
function statementIn(bundle: Uint8Array): z.output<typeof saidShape> | undefined {
  const limits = { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth };
  try {
    const parsed = bundleShape.safeParse(parseStrictJson(bundle, limits));
    if (!parsed.success) return undefined;
    return saidShape.safeParse(parseStrictJson(fromBase64(parsed.data.dsseEnvelope.payload), limits)).data;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return undefined;
  }
}

function digestsOf(subject: readonly { readonly digest: { readonly sha256?: string | undefined } }[]): readonly Digest[] {
  return subject.flatMap(({ digest: { sha256 } }) => (sha256 === undefined ? [] : [`sha256:${sha256}` as Digest]));
}

/** The last PASSED decision by the stage's own key. */
async function passedDecision(
  promoter: Promoter,
  release: Digest,
  stage: string,
  entries: readonly LedgerEntry[],
  trusts: readonly VerifyTrust[],
): Promise<LedgerEntry> {
  const keys = stageOf(promoter, stage).policy.chain.at(-1)?.keys ?? [];
  const rows = await promoter.ledger.decisions({ stage, release });
  const passed = new Set(rows.filter(({ result }) => result === 'PASSED').map(({ index }) => index));
  const last = entries.filter(({ index, keyId }) => passed.has(index) && keys.includes(keyId)).at(-1);
  const why = last === undefined ? 'none' : await whyVoid(promoter, last, trusts);
  if (last !== undefined && why === undefined) return last;
  throw new PromoterError(
    'WAYBILL_STAGE_ORDER',
    `copy ${release} for ${stage}: expected a PASSED decision of ${stage} for it, got ${why ?? 'none'}`,
    {},
    { hint: `promote it first: sealane promote RELEASE --to ${stage}` },
  );
}

/** The policies that a statement may count under: the stage's, or any one where none was named. */
async function trustsOf(promoter: Promoter, entries: readonly LedgerEntry[], stage: string | undefined): Promise<readonly VerifyTrust[]> {
  const stages = stage === undefined ? [...promoter.lane.stages.keys()] : [stage];
  return await Promise.all(stages.map(async (each) => (await stageTrust(promoter, each, entries)).trust));
}

/** Why a statement counts under none of the policies; undefined where it does. */
async function whyVoid(promoter: Promoter, entry: LedgerEntry, trusts: readonly VerifyTrust[]): Promise<string | undefined> {
  const row = await ledgerRow(promoter, entry);
  let why = 'no policy of the lane';
  for (const trust of trusts) {
    try {
      verifyLedgerRow(row, { trust });
      return undefined;
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      why = error.message;
    }
  }
  return why;
}
