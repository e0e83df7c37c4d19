/** What other lanes decided about a release: anchored here, and verified again under the checkpoint of their own log. */
import { type Digest, LIMITS, parseCheckpoint, parseStrictJson, PREDICATE, SealaneError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import {
  type AnchoredStatement,
  type AnchorPredicate,
  isOfRelease,
  parseBundle,
  readAnchor,
  readApproval,
  readDecision,
  readReceipt,
  type VerifiedStatement,
  verifyOtherStatement,
} from '@sealane/trust';
import { cite, type Evidence } from './answer.js';
import { type AuditContext, personOf } from './context.js';

/** A statement of the other log: its digest and entry there, and the key that signed it, or the person here who holds that key. */
interface SaidThere {
  readonly by: string;
  readonly statement: Digest;
  readonly logIndex: number;
}

/** What one anchor holds. `size` = entries of the other log under whose checkpoint all of it is proved; `anchor` = the statement here. */
export interface Elsewhere {
  readonly origin: string;
  readonly size: number;
  readonly anchor: Digest;
  readonly decisions: readonly (SaidThere & { readonly stage: string; readonly result: string; readonly at: string })[];
  readonly approvals: readonly (SaidThere & { readonly stage: string; readonly verdict: string })[];
  readonly sites: readonly (SaidThere & { readonly site: string; readonly event: string; readonly at: string })[];
}

/** Every anchor about a release that a stage's key signed. What does not verify, or whose bundle is gone, is a doubt. */
export async function elsewhereOf(
  context: AuditContext,
  evidence: Evidence,
  release: Digest,
  entries: readonly LedgerEntry[],
): Promise<readonly Elsewhere[]> {
  const found: Elsewhere[] = [];
  for (const entry of entries.filter((item) => item.statement.predicateType === PREDICATE.anchor)) {
    const policy = context.policies.find(({ chain }) => chain.at(-1)?.keys.includes(entry.keyId));
    if (policy === undefined || !(await cite(context, evidence, entry, policy))) continue;
    const anchor = readAnchor(entry.statement);
    const said = anchor.statements.flatMap((each) => verify(context, evidence, { release, entry, anchor }, each) ?? []);
    found.push({
      origin: anchor.origin,
      size: parseCheckpoint(anchor.checkpoint).size,
      anchor: entry.statementDigest,
      ...sorted(context, said),
    });
  }
  return found;
}

/** Where a statement of another log stands here. */
interface Anchored {
  readonly release: Digest;
  readonly entry: LedgerEntry;
  readonly anchor: AnchorPredicate;
}

function verify(
  { readBlob }: AuditContext,
  evidence: Evidence,
  { release, entry, anchor }: Anchored,
  { digest, bundle }: AnchoredStatement,
): VerifiedStatement | undefined {
  const doubt = { statement: digest, logIndex: entry.index };
  const bytes = readBlob(bundle.digest);
  if (bytes === undefined) {
    evidence.doubts.push({
      ...doubt,
      code: 'CONTENT_MISSING',
      message: `the bundle ${bundle.digest} of a statement of ${anchor.origin} is not there`,
    });
    return undefined;
  }
  try {
    const parsed = parseBundle(parseStrictJson(bytes, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth }));
    const verified = verifyOtherStatement(parsed, anchor);
    if (!isOfRelease(verified.statement, release)) {
      evidence.doubts.push({ ...doubt, code: 'EVIDENCE_SUBJECT', message: `what ${anchor.origin} says there is about another release` });
      return undefined;
    }
    if (verified.digest === digest && parsed.logged?.proof.checkpoint === anchor.checkpoint) return verified;
    evidence.doubts.push({
      ...doubt,
      code: 'LOG_NOT_INCLUDED',
      message: `the bundle ${bundle.digest} is of another statement than anchored`,
    });
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    evidence.doubts.push({ ...doubt, code: error.code, message: error.message });
  }
  return undefined;
}

function sorted(context: AuditContext, said: readonly VerifiedStatement[]): Pick<Elsewhere, 'decisions' | 'approvals' | 'sites'> {
  const ofType = (type: string): readonly VerifiedStatement[] => said.filter(({ statement }) => statement.predicateType === type);
  const there = ({ keyId, digest, logIndex }: VerifiedStatement): SaidThere => ({
    by: personOf(context, keyId) ?? `key ${keyId}`,
    statement: digest,
    logIndex,
  });
  return {
    decisions: ofType(PREDICATE.decision).map((each) => {
      const { sealane_promotion: promotion, verificationResult: result, timeVerified: at } = readDecision(each.statement);
      return { stage: promotion.to, result, at, ...there(each) };
    }),
    approvals: ofType(PREDICATE.approval).map((each) => {
      const { stage, verdict } = readApproval(each.statement);
      return { stage, verdict, ...there(each) };
    }),
    sites: ofType(PREDICATE.receipt).map((each) => {
      const { site, event, at } = readReceipt(each.statement);
      return { site, event, at, ...there(each) };
    }),
  };
}
