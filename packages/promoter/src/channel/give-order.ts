/** Orders to a stage: signed by its key and logged, then published in its channel, which is how sites hear of them. */
import { type Digest, PREDICATE, PromoterError } from '@sealane/core';
import { type Channel, isTime, type OrderPredicate, orderStatement } from '@sealane/trust';
import { reached } from '../crash-point.js';
import { type LoggedStatement, signAndLog, tryWitness } from '../log/log-statements.js';
import { type Promoter, stageSigner } from '../promoter.js';
import { publishLane, publishLogFiles } from '../trust/publish-lane.js';

/** What is ordered: `groups` and what they are pointed at, or one `site`; a freeze names its end. */
export interface OrderWish {
  readonly order: OrderPredicate['order'];
  readonly stage: string;
  readonly groups?: readonly string[];
  readonly site?: string;
  readonly reason: string;
  readonly release?: Digest;
  readonly expiresAt?: string;
}

/**
 * Logs an order and publishes the channel that carries it out. Witnesses are asked afterwards: sites must hear of an order also while none answers.
 *
 * @throws PromoterError `KEY_NOT_NAMED` the stage's key is not here
 */
export async function giveOrder(promoter: Promoter, wish: OrderWish, channel: Channel): Promise<LoggedStatement> {
  const payload = orderStatement(promoter.ledger.origin, {
    order: wish.order,
    stage: wish.stage,
    groups: wish.groups ?? [],
    ...(wish.site === undefined ? {} : { site: wish.site }),
    release: wish.release ?? null,
    reason: wish.reason,
    issuedAt: promoter.now(),
    expiresAt: wish.expiresAt ?? null,
    salt: promoter.randomHex(),
  });
  const { index, statementDigest } = await signAndLog(promoter.ledger, payload, await stageSigner(promoter, wish.stage));
  reached('order:logged');
  await publishLane(promoter, new Map([[wish.stage, channel]]));
  if (await tryWitness(promoter)) await publishLogFiles(promoter);
  return { predicateType: PREDICATE.order, digest: statementDigest, logIndex: index };
}

const DAY_MS = 86_400_000;
/** A freeze that nobody bounds ends after this: a forgotten one must not stop a fleet for good. */
const DEFAULT_FREEZE_DAYS = 7;
const MAX_FREEZE_DAYS = 366;

/** When a freeze ends: as `--until` says, or a week from now. @throws PromoterError `USAGE` no time, past, or more than a year away */
export function freezeEnd(now: string, until: string | undefined): string {
  const from = Date.parse(now);
  if (until === undefined) return timeText(from + DEFAULT_FREEZE_DAYS * DAY_MS);
  const latest = timeText(from + MAX_FREEZE_DAYS * DAY_MS);
  if (isTime(until) && until > now && until <= latest) return until;
  throw new PromoterError(
    'USAGE',
    `read --until: expected a time after ${now} and at most ${latest}, as 2026-12-24T10:00:00Z, got ${JSON.stringify(until)}`,
  );
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
