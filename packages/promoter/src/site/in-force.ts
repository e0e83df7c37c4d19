/** Whether a site is one: its last record is by a registrar whom policy names still, and neither registrar nor stage has taken it out of service since. */
import { PREDICATE, PromoterError, SealaneError } from '@sealane/core';
import {
  countsAt,
  keySubject,
  type LoggedBy,
  type Policy,
  readRetirement,
  readSiteRecord,
  signerWindow,
  type SiteRecordPredicate,
  verifyLedgerRow,
  verifyTrustOf,
} from '@sealane/trust';
import type { LedgerEntry } from '@sealane/ledger';
import type { GateSource } from '../decision/gate-source.js';
import { ledgerRow } from '../decision/verify-entry.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { siteRecords } from './records.js';

/** A site's last record, and why it is out of service; null when it is in force. */
export interface SiteStanding {
  readonly record: SiteRecordPredicate;
  readonly objection: string | null;
}

/** @throws PromoterError `SITE_UNKNOWN` */
export async function standingOf(promoter: Promoter, name: string): Promise<SiteStanding> {
  // one that no registrar signed is told of only where there is no other
  const row = (await siteRecords(promoter, name)).at(-1) ?? (await promoter.ledger.sites(name)).at(-1);
  if (row === undefined) throw new PromoterError('SITE_UNKNOWN', `look up site ${name}: there is no such site in the ledger`);
  const entry = await promoter.ledger.entry(row.index);
  const record = readSiteRecord(statementOf(entry));
  return { record, objection: await objectionTo(promoter, record, entry) };
}

/** Whether a site record counts still: by a registrar whom the policy of its stage names, and not retired. A fence leaves it in force. */
export async function isInForce(promoter: Promoter, entry: LedgerEntry): Promise<boolean> {
  const { stage, key } = readSiteRecord(statementOf(entry));
  const { policy } = stageOf(promoter, stage);
  return (await isByRegistrar(promoter, policy, entry)) && (await retirementOf(promoter, policy, key.id)) === undefined;
}

async function objectionTo(promoter: Promoter, { stage, site, key }: SiteRecordPredicate, entry: LedgerEntry): Promise<string | null> {
  const { policy, channel } = stageOf(promoter, stage);
  if (!(await isByRegistrar(promoter, policy, entry))) return 'its record is by no registrar that policy names now';
  const retirement = await retirementOf(promoter, policy, key.id);
  if (retirement !== undefined) return `it was retired: ${readRetirement(statementOf(retirement)).reason}`;
  const fence = channel.fenced.find((fenced) => fenced.site === site);
  return fence === undefined ? null : `it is fenced: ${fence.reason}`;
}

/** The retirement of the site with this key; undefined when no registrar of its stage said so. */
export async function retirementOf(source: Pick<GateSource, 'ledger'>, policy: Policy, keyId: string): Promise<LedgerEntry | undefined> {
  for (const entry of await source.ledger.statementsAbout(keySubject(keyId), PREDICATE.retirement))
    if (await isByRegistrar(source, policy, entry)) return entry;
  return undefined;
}

/** Names of the sites of a stage that were retired and not enrolled anew. */
export async function retiredSites(source: Pick<GateSource, 'ledger'>, policy: Policy): Promise<ReadonlySet<string>> {
  const { ledger } = source;
  const names = new Set<string>();
  if (!(await ledger.knowsType(PREDICATE.retirement))) return names;
  for (const entry of await ledger.statementsOf([PREDICATE.retirement])) {
    if (!(await isByRegistrar(source, policy, entry))) continue;
    const { site, keyId } = readRetirement(statementOf(entry));
    const last = (await ledger.sites(site)).filter((row) => isRegistrars(policy, row)).at(-1);
    if (last?.siteKeyId === keyId && last.stage === policy.stage) names.add(site);
  }
  return names;
}

/** Whose site records count by a policy, and where in the log. */
export function registrarsOf(
  policy: Policy,
): readonly { readonly keyId: string; readonly fromIndex: number; readonly untilIndex: number | null }[] {
  return policy.registrar.flatMap((keyId) => {
    const window = signerWindow(policy, keyId);
    return window === undefined ? [] : [{ keyId, fromIndex: window.fromIndex, untilIndex: window.untilIndex }];
  });
}

/** Whether what the ledger keeps of a record is by a registrar of a policy. */
function isRegistrars(policy: Policy, row: LoggedBy): boolean {
  return policy.registrar.includes(row.keyId) && countsAt(policy, row);
}

async function isByRegistrar(source: Pick<GateSource, 'ledger'>, policy: Policy, entry: LedgerEntry): Promise<boolean> {
  try {
    verifyLedgerRow(await ledgerRow(source, entry), { trust: verifyTrustOf(policy), signers: policy.registrar });
    return true;
  } catch (error) {
    if (error instanceof SealaneError) return false;
    throw error;
  }
}
