/** `urn:sealane:order:v1`: what a stage was told beside its decisions: freeze, hold, point elsewhere, fence or drain a site, and each taken back. Signed by the stage's key. */
import { type Digest, PREDICATE, sha256, type Statement, TrustError, utf8 } from '@sealane/core';
import { z } from 'zod';
import { digestShape, MAX_LIST, nameShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { stageUrn } from './decision.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

const ORDERS = ['freeze', 'unfreeze', 'rollback', 'set', 'hold', 'unhold', 'fence', 'drain', 'rejoin'] as const;

/** Orders that point groups at a release; orders about one site. */
const POINTING: readonly string[] = ['rollback', 'set'];
const ABOUT_SITE: readonly string[] = ['fence', 'drain', 'rejoin'];

/** Which order. */
export type StageOrder = (typeof ORDERS)[number];

/**
 * The predicate. `groups` = the groups of sites it is for, in their order; none where it is about one `site`. `release` = where `rollback` and `set`
 * point, null for the others. `expiresAt` = until when a freeze holds, null for the others: they are done once.
 */
export type OrderPredicate = {
  readonly order: StageOrder;
  readonly stage: string;
  readonly groups: readonly string[];
  /** The site that is fenced, drained or rejoins, and only there. */
  readonly site?: string;
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
  groups: z.array(nameShape).max(MAX_LIST),
  site: nameShape.exactOptional(),
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
 * @throws TrustError `TRUST_MALFORMED` another shape; a release, an end, a site or groups in an order that has none, or missing in one that has
 */
export function readOrder(statement: Statement): OrderPredicate {
  const order = readPredicate(format, statement);
  const { order: kind, release, expiresAt, site, groups } = order;
  const isAboutSite = ABOUT_SITE.includes(kind);
  expectOnlyIn('a release', POINTING.includes(kind), release !== null, kind);
  expectOnlyIn('an end', kind === 'freeze', expiresAt !== null, kind);
  expectOnlyIn('a site', isAboutSite, site !== undefined, kind);
  expectOnlyIn('groups', !isAboutSite, groups.length > 0, kind);
  return order;
}

/** Whether an order points groups of a stage at a release: what it had promoted before is not published again by a retry. */
export function isPointing({ order }: Pick<OrderPredicate, 'order'>): boolean {
  return POINTING.includes(order);
}

function expectOnlyIn(what: string, isWanted: boolean, isThere: boolean, kind: StageOrder): void {
  if (isWanted !== isThere)
    throw new TrustError('TRUST_MALFORMED', `read order: expected ${isWanted ? what : `no ${what.replace(/^an? /, '')}`} in ${kind}`);
}

/** What orders are about, as a subject: a stage has no bytes, so it is the hash of its URN. */
export function stageSubject(origin: string, stage: string): Digest {
  return sha256(utf8(stageUrn(origin, stage)));
}

/** The payload of an order; its subjects are the stage and, where it points at one, the release. @throws TrustError `TRUST_MALFORMED` */
export function orderStatement(origin: string, predicate: OrderPredicate): Uint8Array {
  const stage = { name: stageUrn(origin, predicate.stage), digest: stageSubject(origin, predicate.stage) };
  return writePredicate(format, [stage, ...(predicate.release === null ? [] : [{ digest: predicate.release }])], predicate);
}
