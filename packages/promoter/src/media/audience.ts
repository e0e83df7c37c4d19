/** Whom a medium is for: every site of a stage, the sites of some of its groups, or single sites. */
import { PromoterError } from '@sealane/core';
import { groupOf, readSiteRecord, type SiteRecordPredicate } from '@sealane/trust';
import { rolloutOf } from '../decision/rollout.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { lastRecords } from '../site/records.js';

/** As `--group` and `--site` name them; both empty: every site of the stage. */
export interface AudienceWish {
  readonly stage: string;
  readonly groups: readonly string[];
  readonly sites: readonly string[];
}

/** The groups whose releases go along, and the sites whose own mail and certificates do; `null`: all that the stage has. */
export interface Audience {
  readonly groups: ReadonlySet<string>;
  readonly sites: ReadonlySet<string> | null;
}

/**
 * What the wish comes to. A site belongs to a group by the labels of its last record; one that is in none gets its mail only.
 *
 * @throws PromoterError `STAGE_UNKNOWN`; `SITE_UNKNOWN` no such site, or one of another stage; `USAGE` no such group; TrustError `SITE_MISMATCH` a site of two groups
 */
export async function audienceOf(promoter: Promoter, { stage, groups, sites }: AudienceWish): Promise<Audience> {
  if (groups.length === 0 && sites.length === 0) return { groups: new Set(rolloutOf(promoter, stage)), sites: null };
  const { policy } = stageOf(promoter, stage);
  const wanted = new Set(groups.flatMap((group) => rolloutOf(promoter, stage, group)));
  const records = await recordsOf(promoter, stage);
  const named = sites.map((site) => {
    const record = records.get(site);
    if (record !== undefined) return record;
    throw new PromoterError('SITE_UNKNOWN', `export a medium for site ${site}: expected a site of ${stage}, got none of that name`);
  });
  const members = [...records.values()].filter((record) => wanted.has(groupOf(policy, record)?.name ?? ''));
  const meant = [...named, ...members];
  return {
    groups: new Set([...wanted, ...meant.flatMap((record) => groupOf(policy, record)?.name ?? [])]),
    sites: new Set(meant.map(({ site }) => site)),
  };
}

/** The last record of each site whose last record is of this stage. */
async function recordsOf(promoter: Promoter, stage: string): Promise<ReadonlyMap<string, SiteRecordPredicate>> {
  const records = new Map<string, SiteRecordPredicate>();
  for (const row of await lastRecords(promoter))
    if (row.stage === stage) records.set(row.site, readSiteRecord(statementOf(await promoter.ledger.entry(row.index))));
  return records;
}
