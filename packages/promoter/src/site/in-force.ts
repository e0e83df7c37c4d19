/** Whether a site is one: its last record is by a registrar whom policy names still, and neither registrar nor stage has taken it out of service since. */
import { PromoterError, SealaneError } from '@sealane/core';
import { type Policy, readSiteRecord, type SiteRecordPredicate, verifyLedgerRow, verifyTrustOf } from '@sealane/trust';
import type { LedgerEntry } from '@sealane/ledger';
import { ledgerRow } from '../decision/verify-entry.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';

/** A site's last record, and why it is out of service; null when it is in force. */
export interface SiteStanding {
  readonly record: SiteRecordPredicate;
  readonly objection: string | null;
}

/** @throws PromoterError `SITE_UNKNOWN` */
export async function standingOf(promoter: Promoter, name: string): Promise<SiteStanding> {
  const row = (await promoter.ledger.sites(name)).at(-1);
  if (row === undefined) throw new PromoterError('SITE_UNKNOWN', `look up site ${name}: there is no such site in the ledger`);
  const entry = await promoter.ledger.entry(row.index);
  const record = readSiteRecord(statementOf(entry));
  return { record, objection: await objectionTo(promoter, record, entry) };
}

async function objectionTo(promoter: Promoter, { stage, site }: SiteRecordPredicate, entry: LedgerEntry): Promise<string | null> {
  const { policy, channel } = stageOf(promoter, stage);
  if (!(await isByRegistrar(promoter, policy, entry))) return 'its record is by no registrar that policy names now';
  const fence = channel.fenced.find((fenced) => fenced.site === site);
  return fence === undefined ? null : `it is fenced: ${fence.reason}`;
}

async function isByRegistrar(promoter: Promoter, policy: Policy, entry: LedgerEntry): Promise<boolean> {
  try {
    verifyLedgerRow(await ledgerRow(promoter, entry), { trust: verifyTrustOf(policy), signers: policy.registrar });
    return true;
  } catch (error) {
    if (error instanceof SealaneError) return false;
    throw error;
  }
}
