/** The enrolled sites as the ledger knows them. */
import { readSiteRecord } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { retiredSites } from './in-force.js';
import { lastRecords } from './records.js';

/** A site with its record in force and the last thing it said. */
export interface SiteDescription {
  readonly site: string;
  readonly stage: string;
  readonly keyId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly fenced: boolean;
  readonly drained: boolean;
  /** Whether the registrar retired it. */
  readonly retired: boolean;
  readonly lastEvent: string | null;
  readonly lastAt: string | null;
}

/** Every site once, by its last record. */
export async function describeSites(promoter: Promoter): Promise<readonly SiteDescription[]> {
  const { ledger, lane } = promoter;
  const retired = new Set<string>();
  for (const { policy } of lane.stages.values()) for (const site of await retiredSites(promoter, policy)) retired.add(site);
  const described: SiteDescription[] = [];
  for (const { site, stage, siteKeyId, index } of await lastRecords(promoter)) {
    const { labels } = readSiteRecord(statementOf(await ledger.entry(index)));
    const fenced = lane.stages.get(stage)?.channel.fenced.some((fence) => fence.site === site) ?? false;
    const last = (await ledger.receiptsOf(site))
      .filter((receipt) => receipt.keyId === siteKeyId)
      .sort((a, b) => a.seq - b.seq)
      .at(-1);
    const drained = lane.stages.get(stage)?.channel.drained?.some((drain) => drain.site === site) ?? false;
    const said = { lastEvent: last?.event ?? null, lastAt: last?.at ?? null };
    described.push({ site, stage, keyId: siteKeyId, labels, fenced, drained, retired: retired.has(site), ...said });
  }
  return described;
}
