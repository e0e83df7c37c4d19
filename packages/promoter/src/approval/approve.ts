/** A person's verdict over exactly what the gates will read: release, stage, rollout, policy, evidence, checkpoint. */
import {
  base64,
  describeSigner,
  type Digest,
  parseCheckpoint,
  PromoterError,
  type Signed,
  type Signer,
  signStatement,
} from '@sealane/core';
import { type ApprovalPredicate, approvalStatement } from '@sealane/trust';
import { evidenceFor, releaseDocument } from '../decision/gate-input.js';
import { rolloutOf } from '../decision/rollout.js';
import { expectInScope } from '../evidence/expect-in-scope.js';
import { type Promoter, stageOf } from '../promoter.js';

/** How long an approval holds when the person says nothing else, in days. */
const DEFAULT_APPROVAL_DAYS = 30;

export interface ApprovalWish {
  readonly release: Digest;
  readonly stage: string;
  readonly verdict: 'approve' | 'reject';
  /** Approves also that there is no way back. */
  readonly irreversible?: true;
  readonly reason?: string;
  readonly group?: string;
  readonly days?: number;
  readonly signer: Signer;
}

/**
 * The signed approval (or rejection). Nothing is logged here: it may travel by hand.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` the key belongs to no person of the stage's policy; `EVIDENCE_SCOPE`; `STAGE_UNKNOWN`
 */
export async function signApproval(promoter: Promoter, wish: ApprovalWish): Promise<Signed> {
  const { policy, digest } = stageOf(promoter, wish.stage);
  const person = policy.people.find(({ keys }) => keys.includes(wish.signer.keyId));
  if (person === undefined) {
    const known = policy.people.map(({ id }) => id).join(', ') || 'nobody';
    throw new PromoterError(
      'EVIDENCE_SIGNER',
      `${wish.verdict} for ${wish.stage}: expected the key or identity of one of ${known}, got ${describeSigner(wish.signer)}`,
      {},
      { hint: 'use the key of a person listed under people in pipeline.yaml' },
    );
  }
  const document = await releaseDocument(promoter, wish.release);
  expectInScope([policy], document, wish.signer.keyId, `${wish.verdict} for ${wish.stage}`);
  if (wish.irreversible === true && document.irreversible !== true)
    throw new PromoterError('USAGE', `read --irreversible: expected a release with a part that has no way back, got ${wish.release}`);
  const issuedAt = promoter.now();
  const predicate: ApprovalPredicate = {
    release: wish.release,
    stage: wish.stage,
    rollout: rolloutOf(promoter, wish.stage, wish.group),
    policy: digest,
    seen: await evidenceFor(promoter, wish.release, wish.stage),
    checkpoint: await checkpointSeen(promoter),
    verdict: wish.verdict,
    ...(wish.irreversible === undefined ? {} : { irreversible: wish.irreversible }),
    ...(wish.reason === undefined ? {} : { reason: wish.reason }),
    nonce: promoter.randomHex(),
    issuedAt,
    expiresAt: addDays(issuedAt, wish.days ?? DEFAULT_APPROVAL_DAYS),
  };
  return await signStatement(approvalStatement(predicate), wish.signer);
}

/** The checkpoint that the approver saw: with it, approvals prove a fork later (THREATS T8). */
async function checkpointSeen({ ledger }: Promoter): Promise<ApprovalPredicate['checkpoint']> {
  const note = await ledger.latestCosigned();
  const { size, root } = note === null ? await ledger.head() : parseCheckpoint(note);
  return { origin: ledger.origin, size, root: base64(root) };
}

function addDays(time: string, days: number): string {
  return `${new Date(Date.parse(time) + days * 86_400_000).toISOString().slice(0, 19)}Z`;
}
