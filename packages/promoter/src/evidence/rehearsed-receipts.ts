/** Receipts behind a rehearsal: what a lab says that a site did must be what the site itself said. */
import { type Digest, PREDICATE, PromoterError } from '@sealane/core';
import { readReceipt, type ReceiptPredicate, type Rehearsal } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { siteRecords } from '../site/records.js';

/**
 * Checks that each receipt that a rehearsal names is in the ledger, by the site that it names, and shows that the site went back from this release.
 *
 * @throws PromoterError `EVIDENCE_ROLLBACK`
 */
export async function expectReceipts(promoter: Promoter, release: Digest, { site, stage, rollbacks }: Rehearsal): Promise<void> {
  const records = (await siteRecords(promoter, site)).filter((row) => row.stage === stage);
  const keys = new Set(records.map(({ siteKeyId }) => siteKeyId));
  for (const { to, receipts } of rollbacks) {
    for (const digest of receipts) {
      const receipt = await findReceipt(promoter, digest);
      const isOfSite = receipt?.site === site && keys.has(receipt.keyId);
      if (!isOfSite || !showsRollback(receipt, release, to)) {
        throw new PromoterError(
          'EVIDENCE_ROLLBACK',
          `read a rehearsal: expected ${digest} to be a receipt by which site ${site} of ${stage} says that it went back from ${release} to ${to}, got ${receipt === undefined ? 'none in the ledger' : `one of ${receipt.site}, ${receipt.event}`}`,
          { receipt: digest },
        );
      }
    }
  }
}

/** By hand the receipt is about the release gone back to; by itself, about the one that failed. */
function showsRollback({ event, release, previous }: ReceiptPredicate, from: Digest, to: Digest): boolean {
  return (event === 'rollback' && release === to && previous === from) || (event === 'rolled-back' && release === from && previous === to);
}

/** A receipt by the key that it names: the same payload by another key is nobody's word. */
async function findReceipt({ ledger }: Promoter, digest: Digest): Promise<ReceiptPredicate | undefined> {
  for (const entry of await ledger.byStatement(digest)) {
    const statement = statementOf(entry);
    const receipt = statement.predicateType === PREDICATE.receipt ? readReceipt(statement) : undefined;
    if (receipt?.keyId === entry.keyId) return receipt;
  }
  return undefined;
}
