/** `urn:sealane:approval:v1`: one person's verdict on one release for one stage, over exactly what that person saw. */
import { type Digest, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { base64Shape, countShape, digestShape, nameShape, originShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** A checkpoint as a statement quotes it: enough to prove a fork later (THREATS T8). `root` is base64 of 32 bytes. */
export type CheckpointSeen = {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
};

/** The predicate. `rollout` = names of the groups in their order, `seen` = statement digests, sorted; `irreversible` = knows that there is no way back. */
export type ApprovalPredicate = {
  readonly release: Digest;
  readonly stage: string;
  readonly rollout: readonly string[];
  readonly policy: Digest;
  readonly seen: readonly Digest[];
  readonly checkpoint: CheckpointSeen;
  readonly verdict: 'approve' | 'reject';
  readonly irreversible?: true;
  readonly reason?: string;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly salt?: string;
};

/** Zod's shape of a quoted checkpoint. */
export const checkpointSeenShape = z.strictObject({ origin: originShape, size: countShape, root: base64Shape.length(44) });

/** Zod's shape of the predicate. */
export const approvalShape = z.strictObject({
  release: digestShape,
  stage: nameShape,
  rollout: z.array(nameShape).min(1).max(256),
  policy: digestShape,
  seen: z.array(digestShape).max(512),
  checkpoint: checkpointSeenShape,
  verdict: z.enum(['approve', 'reject']),
  irreversible: z.literal(true).exactOptional(),
  reason: textShape.exactOptional(),
  nonce: saltShape,
  issuedAt: timeShape,
  expiresAt: timeShape,
  salt: saltShape.exactOptional(),
});

const format: PredicateFormat<ApprovalPredicate> = { what: 'approval', predicateType: PREDICATE.approval, shape: approvalShape };

/** Reads an approval. @throws TrustError `TRUST_MALFORMED` */
export function readApproval(statement: Statement): ApprovalPredicate {
  return readPredicate(format, statement);
}

/** The payload of an approval; its subject is the release. @throws TrustError `TRUST_MALFORMED` */
export function approvalStatement(predicate: ApprovalPredicate): Uint8Array {
  return writePredicate(format, [{ digest: predicate.release }], predicate);
}
