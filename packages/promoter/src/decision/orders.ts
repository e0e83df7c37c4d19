/** What a stage's key ordered in the log beside its decisions, and whether the stage is frozen by it. */
import { type Check, PREDICATE, SealaneError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type OrderPredicate, readOrder, stageSubject, verifyTrustOf } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import { stageOf } from '../promoter.js';
import type { GateSource } from './gate-source.js';
import { verifyEntry } from './verify-entry.js';

/** An order in the log. */
export interface LoggedOrder {
  readonly entry: LedgerEntry;
  readonly order: OrderPredicate;
}

/** The orders that a stage's key gave it, in log order. One by a key that had ended, or that cannot be read, is none. */
export async function ordersOf(source: GateSource, stage: string): Promise<readonly LoggedOrder[]> {
  const { policy } = stageOf(source, stage);
  const signers = policy.chain.at(-1)?.keys ?? [];
  const found: LoggedOrder[] = [];
  for (const entry of await source.ledger.statementsAbout(stageSubject(source.ledger.origin, stage), PREDICATE.order)) {
    try {
      const { keyId } = await verifyEntry(source, entry, verifyTrustOf(policy));
      const order = readOrder(statementOf(entry));
      if (signers.includes(keyId) && order.stage === stage) found.push({ entry, order });
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
    }
  }
  return found;
}

/**
 * A failing check while the stage is frozen. `lowest` is the lowest witnessed time: a freeze ends when it is proved to have, not before.
 */
export async function freezeCheck(source: GateSource, stage: string, lowest: string): Promise<readonly Check[]> {
  const last = (await ordersOf(source, stage)).filter(({ order }) => order.order === 'freeze' || order.order === 'unfreeze').at(-1);
  const until = last?.order.expiresAt ?? null;
  if (last === undefined || until === null || lowest >= until) return [];
  return [
    {
      id: 'frozen',
      verdict: 'fail',
      expected: `stage ${stage} is not frozen`,
      actual: `frozen until ${until}: ${last.order.reason}`,
      remedy: `sealane unfreeze ${stage} --reason TEXT`,
      evidence: [last.entry.statementDigest],
      code: 'STAGE_FROZEN',
    },
  ];
}
