/** What the channel has waiting for this site, by the shard that it names. */
import { TrustError } from '@sealane/core';
import type { Channel } from '../policy/channel.js';
import { parseSiteShard, shardPrefix, type SiteMail } from '../policy/site-shard.js';
import type { LaneReader } from './lane-reader.js';

/** What was sent to a site. A shard that is not there, or not the one of this lane and stage, brings nothing: it bars nothing either. */
export function mailFor(reader: LaneReader, { lane, stage, shards = [] }: Channel, site: string): SiteMail {
  const nothing: SiteMail = { site, exceptions: [] };
  const entry = shards.find(({ prefix }) => prefix === shardPrefix(site));
  if (entry === undefined) return nothing;
  try {
    const shard = parseSiteShard(reader.blob(entry.digest, entry.length));
    if (shard.lane !== lane || shard.stage !== stage || shard.prefix !== entry.prefix) return nothing;
    return shard.sites.find((mail) => mail.site === site) ?? nothing;
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    return nothing;
  }
}
