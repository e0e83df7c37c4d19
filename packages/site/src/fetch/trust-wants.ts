/** The trust part of a sync: metadata, waybills, what waits for this site alone, and log from one place. Small, never held back by a budget, and written before any bulk. */
import { type Digest, digestHex, LIMITS, SealaneError } from '@sealane/core';
import {
  type Channel,
  type ChannelGroup,
  parseBundle,
  parseSiteShard,
  parseWaybill,
  sentIn,
  shardPrefix,
  type SiteShard,
  type Waybill,
} from '@sealane/trust';
import type { BlobSource } from './blob-source.js';
import { fetchLog } from './log-wants.js';
import { fetchMetadata } from './metadata-wants.js';
import { blobPath, isNamed, type Mirror } from './mirror.js';
import type { SyncJob } from './sync-job.js';
import { count, type Tally } from './tally.js';
import type { Upstream } from './upstream.js';

/**
 * Gets it. Files that are written when all else is there go into `files`; of the waybills those that are here are returned.
 *
 * @throws TrustError `TRUST_*`; SiteError `FETCH_FAILED`, `FETCH_TOO_SLOW`; `Unchanged` when `wantsNothing(timestamp)`
 */
export async function fetchTrust(
  upstream: Upstream,
  waybillsFrom: BlobSource,
  mirror: Mirror,
  job: SyncJob,
  files: Map<string, Uint8Array>,
  tally: Tally,
  wantsNothing: (timestamp: Uint8Array) => boolean,
): Promise<readonly Waybill[]> {
  const { channel } = await fetchMetadata(upstream, mirror, job, files, tally.named, wantsNothing);
  const get = async (digest: Digest, sizeBytes: number): Promise<boolean> => {
    if (tally.wanted.has(digestHex(digest))) return false;
    tally.wanted.add(digestHex(digest));
    return count(tally, digest, await waybillsFrom.blob({ digest, sizeBytes }, job.recheck ? 'bytes' : 'size'));
  };
  const waybills: Waybill[] = [];
  for (const { waybill, length } of groupsOf(channel, job.labels)) {
    const read = (await get(waybill, length)) ? readWaybill(mirror, waybill) : undefined;
    if (read !== undefined) waybills.push(read);
  }
  await fetchMail(mirror, job, channel, get);
  await fetchLog(upstream, mirror, job, [...new Set(waybills.flatMap(treeSizesOf))], files, tally.named);
  return waybills;
}

/** What waits for this site alone. */
async function fetchMail(
  mirror: Mirror,
  { site }: SyncJob,
  { shards = [] }: Channel,
  get: (digest: Digest, sizeBytes: number) => Promise<boolean>,
): Promise<void> {
  const entry = shards.find(({ prefix }) => prefix === shardPrefix(site));
  if (entry === undefined || !(await get(entry.digest, entry.length))) return;
  const mail = readShard(mirror, entry.digest)?.sites.find((each) => each.site === site);
  for (const { digest, length } of mail === undefined ? [] : sentIn(mail)) await get(digest, length);
}

function readShard(mirror: Mirror, digest: Digest): SiteShard | undefined {
  const bytes = mirror.read(blobPath(digest), LIMITS.shardBytes);
  return isNamed(bytes, digest) ? orUndefined(() => parseSiteShard(bytes)) : undefined;
}

/** The groups that this site may belong to. Policy says who belongs to a group; `apply` goes by that. */
function groupsOf(channel: Channel, labels: SyncJob['labels']): readonly ChannelGroup[] {
  if (labels === null) return channel.groups;
  return channel.groups.filter(({ match }) => Object.entries(match).every(([name, value]) => labels[name] === value));
}

function readWaybill(mirror: Mirror, digest: Digest): Waybill | undefined {
  const bytes = mirror.read(blobPath(digest), LIMITS.waybillBytes);
  return isNamed(bytes, digest) ? orUndefined(() => parseWaybill(bytes)) : undefined;
}

function treeSizesOf(waybill: Waybill): readonly number[] {
  return waybill.bundles.flatMap((bundle) => orUndefined(() => parseBundle(bundle).logged?.proof.treeSize) ?? []);
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // malformed content is not for `fetch` to judge
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
