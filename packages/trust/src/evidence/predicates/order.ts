/** `urn:sealane:order:v1`: what a stage was told beside its decisions: freeze, unfreeze, go back. Signed by the stage's key. */
import { type Digest, PREDICATE, sha256, type Statement, TrustError, utf8 } from '@sealane/core';
import { z } from 'zod';
import { digestShape, MAX_LIST, nameShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { stageUrn } from './decision.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

const ORDERS = ['freeze', 'unfreeze', 'rollback'] as const;

/** Which order. */
export type StageOrder = (typeof ORDERS)[number];

/**
 * The predicate. `groups` = the groups of sites it is for, in their order. `release` = where a rollback goes back to, null for the others.
 * `expiresAt` = until when a freeze holds, null for the others: they are done once.
 */
export type OrderPredicate = {
  readonly order: StageOrder;
  readonly stage: string;
  readonly groups: readonly string[];
  readonly release: Digest | null;
  readonly reason: string;
  readonly issuedAt: string;
  readonly expiresAt: string | null;
  readonly salt?: string;
};

/** Zod's shape of the predicate. */
export const orderShape = z.strictObject({
  order: z.enum(ORDERS),
  stage: nameShape,
  groups: z.array(nameShape).min(1).max(MAX_LIST),
  release: digestShape.nullable(),
  reason: textShape.min(1),
  issuedAt: timeShape,
  expiresAt: timeShape.nullable(),
  salt: saltShape.exactOptional(),
});

const format: PredicateFormat<OrderPredicate> = { what: 'order', predicateType: PREDICATE.order, shape: orderShape };

/**
 * Reads an order.
 *
 * @throws TrustError `TRUST_MALFORMED` another shape; a rollback without a release, a freeze without an end, or others with one
 */
export function readOrder(statement: Statement): OrderPredicate {
  const order = readPredicate(format, statement);
  if ((order.order === 'rollback') !== (order.release !== null))
    throw new TrustError('TRUST_MALFORMED', `read order: expected a release in a rollback alone, got ${order.order}`);
  if ((order.order === 'freeze') !== (order.expiresAt !== null))
    throw new TrustError('TRUST_MALFORMED', `read order: expected an end of a freeze alone, got ${order.order}`);
  return order;
}

/** What orders are about, as a subject: a stage has no bytes, so it is the hash of its URN. */
export function stageSubject(origin: string, stage: string): Digest {
  return sha256(utf8(stageUrn(origin, stage)));
}

/** The payload of an order; its subjects are the stage and, for a rollback, the release. @throws TrustError `TRUST_MALFORMED` */
export function orderStatement(origin: string, predicate: OrderPredicate): Uint8Array {
  const stage = { name: stageUrn(origin, predicate.stage), digest: stageSubject(origin, predicate.stage) };
  return writePredicate(format, [stage, ...(predicate.release === null ? [] : [{ digest: predicate.release }])], predicate);
}
